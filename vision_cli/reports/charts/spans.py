"""Bars that lie down and keep the size of their letters at every width: places are in per cent of the box."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vision_cli.reports.charts.axes import Scale, spread
from vision_cli.reports.elements import Markup, element
from vision_cli.reports.wording import plain

_MIDDLE, _HEIGHT = 12, 40


@dataclass(frozen=True, slots=True)
class Reading:
    """A measured value against a bound.

    Attributes:
        value: measured.
        ends: of its interval, or None.
        bound: of the KPI.
        upwards: whether values above the bound are wanted.
        share: whether it lies between 0 and 1.
        unit: of value and bound, with a space before it.
    """

    value: float
    ends: tuple[float, float] | None
    bound: float
    upwards: bool
    share: bool
    unit: str = ""


def against_bound(reading: Reading, scale: Scale, what: str) -> Markup:
    """Return value and interval as a bar over the side of the bound where it passes."""
    bound = scale.at(reading.bound)
    side = (bound, 100 - bound) if reading.upwards else (0.0, bound)
    parts = [
        element("rect", x="0", y=_MIDDLE - 6, width="100%", height=12, rx=3, class_="track"),
        element("rect", x=_share(side[0]), y=_MIDDLE - 6, width=_share(side[1]), height=12, rx=3, class_="wanted"),
        *_interval(reading, scale),
        element("line", x1=_share(bound), x2=_share(bound), y1=_MIDDLE - 10, y2=_MIDDLE + 11, class_="bound"),
        element("circle", cx=_share(scale.at(reading.value)), cy=_MIDDLE, r=5, class_="value"),
        _label(bound, f"bound {plain(reading.bound)}{reading.unit}"),
    ]
    return element("svg", *parts, class_="span", height=_HEIGHT, role="img", aria_label=what)


def _interval(reading: Reading, scale: Scale) -> list[Markup]:
    if reading.ends is None:
        return []
    low, high = (scale.at(end) for end in reading.ends)
    line = element("line", x1=_share(low), x2=_share(high), y1=_MIDDLE, y2=_MIDDLE, class_="range")
    caps = [
        element("line", x1=_share(end), x2=_share(end), y1=_MIDDLE - 5, y2=_MIDDLE + 5, class_="range")
        for end in (low, high)
    ]
    return [line, *caps]


def _label(place: float, text: str) -> Markup:
    anchor = "start" if place < 15 else "end" if place > 85 else "middle"
    return element("text", text, x=_share(place), y=_HEIGHT - 4, text_anchor=anchor)


def reach(readings: Sequence[Reading]) -> Scale:
    """Return one scale, in per cent, that holds all readings of a bound; shares stay within 0 and 1."""
    values = [value for each in readings for value in (each.value, each.bound, *(each.ends or ()))]
    low, high = spread(values, margin=0.2)
    if all(each.share for each in readings):
        low, high = max(low, min(0.0, *values)), min(high, max(1.0, *values))
    elif all(value >= 0 for value in values):
        low = 0.0
    return Scale(low, high, 0.0, 100.0) if high > low else Scale(low - 1, high + 1, 0.0, 100.0)


def share_bar(value: float, ends: tuple[float, float] | None) -> Markup:
    """Return a share as a bar from 0 to 1, with its interval as a line."""
    parts = [
        element("rect", x="0", y=3, width="100%", height=6, rx=3, class_="track"),
        element("rect", x="0", y=3, width=_share(100 * value), height=6, rx=3, class_="fill"),
    ]
    if ends is not None:
        low, high = (100 * min(max(end, 0.0), 1.0) for end in ends)
        parts.append(element("line", x1=_share(low), x2=_share(high), y1=6, y2=6, class_="range"))
    return element("svg", *parts, class_="bar", height=12, aria_hidden="true")


def stack(parts: Sequence[float], whole: float) -> Markup:
    """Return parts one after the other in the colours of the splits, `whole` being the full width."""
    place, drawn = 0.0, []
    for number, part in enumerate(parts):
        width = 100 * part / whole if whole else 0.0
        if width:
            drawn.append(element("rect", x=_share(place), y=0, width=_share(width), height=12, class_=f"split{number}"))
        place += width
    return element("svg", *drawn, class_="bar", height=12, aria_hidden="true")


def _share(per_cent: float) -> str:
    return f"{min(max(per_cent, 0.0), 100.0):.2f}%"
