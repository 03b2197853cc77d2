"""Loss over a growing learning rate: a drawing that stands alone, as a file."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from vision_cli.reports.charts.axes import Scale, ticks
from vision_cli.reports.elements import Markup, element, style
from vision_cli.reports.wording import one_line, plain

_WIDTH, _HEIGHT = 760, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 24, 60, 52
_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#59636f}.title{font-size:14px;font-weight:600;fill:#1b2027}"
    ".grid{stroke:#dde1e6}.base{stroke:#59636f}.raw{fill:none;stroke:#b9c1cb;stroke-width:1}"
    ".smooth{fill:none;stroke:#4a7fc4;stroke-width:2.2}.mark{stroke:#17703f;stroke-width:1.6;stroke-dasharray:5 4}"
    ".mark2{stroke:#b97b12;stroke-width:1.6;stroke-dasharray:2 4}"
    ".name{fill:#17703f;font-weight:600}.name2{fill:#b97b12}"
    "@media(prefers-color-scheme:dark){.paper{fill:#1a2027}text{fill:#9ea9b6}.title{fill:#e6eaef}.grid{stroke:#2f3842}"
    ".base{stroke:#9ea9b6}.raw{stroke:#4b5764}.mark{stroke:#5fcf8c}.name{fill:#5fcf8c}}"
)
_OVER = 1.6
"""How far above the first loss the axis reaches: what runs away leaves the picture."""


@dataclass(frozen=True, slots=True)
class RatePlot:
    """What is drawn.

    Attributes:
        rates: learning rate of each step, ascending.
        losses: as they came.
        smoothed: without the noise of batches.
        suggestion: marked; None marks nothing.
        steepest: marked likewise.
    """

    rates: Sequence[float]
    losses: Sequence[float]
    smoothed: Sequence[float]
    suggestion: float | None
    steepest: float | None


def rate_svg(shown: RatePlot, title: str) -> str:
    """Return an SVG file; of at least two steps."""
    low, high = math.log10(shown.rates[0]), math.log10(shown.rates[-1])
    x = Scale(low, high, _LEFT, _WIDTH - _RIGHT)
    least, most = min(*shown.smoothed, *shown.losses), min(max(shown.smoothed), _OVER * shown.smoothed[0])
    margin = 0.08 * (most - least) or 0.1
    y = Scale(least - margin, most + margin, _HEIGHT - _BOTTOM, _TOP)
    parts = [
        style(_STYLE),
        element("rect", width=_WIDTH, height=_HEIGHT, fill="#fff", class_="paper"),
        element("text", title, x=_LEFT - 48, y=20, class_="title"),
        *_frame(x, y),
        element("path", d=_path(shown.rates, shown.losses, x, y), class_="raw"),
        element("path", d=_path(shown.rates, shown.smoothed, x, y), class_="smooth"),
        *_mark(shown.steepest, "steepest", x, ("mark2", "name2"), _TOP - 8),
        *_mark(shown.suggestion, "suggested", x, ("mark", "name"), _TOP - 22),
    ]
    drawing = element("svg", *parts, viewBox=f"0 0 {_WIDTH} {_HEIGHT}", role="img", aria_label=one_line(title))
    size = f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}" '
    return f"{size}{drawing.removeprefix('<svg ')}\n"


def _frame(x: Scale, y: Scale) -> list[Markup]:
    end = float(_WIDTH - _RIGHT)
    parts = []
    for value in ticks(y.low, y.high):
        place = float(y.at(value))
        parts.append(element("line", x1=float(_LEFT), y1=place, x2=end, y2=place, class_="grid"))
        parts.append(element("text", plain(value), x=_LEFT - 8, y=place + 4, text_anchor="end"))
    for power in range(math.ceil(x.low - 1e-9), math.floor(x.high + 1e-9) + 1):
        place = float(x.at(power))
        parts.append(element("line", x1=place, y1=float(_TOP), x2=place, y2=y.start, class_="grid"))
        parts.append(element("text", f"{10.0**power:g}", x=place, y=y.start + 18, text_anchor="middle"))
    parts.append(element("line", x1=float(_LEFT), y1=y.start, x2=end, y2=y.start, class_="base"))
    parts.append(element("text", "learning rate", x=(_LEFT + end) / 2, y=_HEIGHT - 12, text_anchor="middle"))
    parts.append(element("text", "loss", x=_LEFT - 48, y=_TOP - 8))
    return parts


def _path(rates: Sequence[float], losses: Sequence[float], x: Scale, y: Scale) -> str:
    """Return the line, cut off at the ends of the vertical axis."""
    steps: list[str] = []
    for rate, loss in zip(rates, losses, strict=True):
        up = min(max(loss, y.low), y.high)
        steps.append(f"{'L' if steps else 'M'}{x.at(math.log10(rate)):.1f} {y.at(up):.1f}")
    return "".join(steps)


def _mark(rate: float | None, word: str, x: Scale, kinds: tuple[str, str], height: int) -> list[Markup]:
    if rate is None:
        return []
    inside = min(max(math.log10(rate), x.low), x.high)
    place = float(x.at(inside))
    left = kinds[0] == "mark2"  # of two marks that are near, the words lie on both sides
    anchor = "end" if place > (_LEFT + 140 if left else _WIDTH - 140) else "start"
    shift = -5 if anchor == "end" else 5
    text = f"{word} {rate:.2g}"
    line = element("line", x1=place, y1=float(height), x2=place, y2=float(_HEIGHT - _BOTTOM), class_=kinds[0])
    return [
        line,
        element("text", text, x=place + shift, y=height + 4, text_anchor=anchor, class_=kinds[1]),
    ]
