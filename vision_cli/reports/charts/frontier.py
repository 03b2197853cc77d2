"""Quality over cost, with the line of those that nothing beats: a drawing that stands alone, as a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from vision_cli.reports.charts.axes import Scale, spread, ticks
from vision_cli.reports.elements import Markup, element, style
from vision_cli.reports.wording import cut, one_line, plain

_WIDTH, _HEIGHT = 760, 440
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 24, 44, 52
_LETTER = 6.4
"""Width of a letter at 12 px, about."""
_MOST_LETTERS = 34
_LINE = 14.0
_COLOURS = {"torch": "#4a7fc4", "onnx": "#b97b12", "tflite": "#3a9d8f"}
_OTHER = "#9a6fb8"
_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#59636f}.title{font-size:14px;font-weight:600;fill:#1b2027}"
    ".name{fill:#1b2027;paint-order:stroke;stroke:#fff;stroke-width:4px;stroke-linejoin:round}.grid{stroke:#dde1e6}.base{stroke:#59636f}"
    ".frontier{fill:none;stroke:#1b2027;stroke-dasharray:5 4}.chosen{fill:none;stroke:#17703f;stroke-width:2.5}"
    "@media(prefers-color-scheme:dark){.paper{fill:#1a2027}text{fill:#9ea9b6}.title,.name{fill:#e6eaef}.name{stroke:#1a2027}"
    ".grid{stroke:#2f3842}.base{stroke:#9ea9b6}.frontier{stroke:#e6eaef}.chosen{stroke:#5fcf8c}}"
)


@dataclass(frozen=True, slots=True)
class Dot:
    """One model on one runtime.

    Attributes:
        name: of the model.
        runtime: that gives its colour.
        cost: on the horizontal axis, less is better.
        quality: on the vertical axis.
        ends: of the quality's interval; None without one.
        on_frontier: nothing is both better and cheaper.
        chosen: it meets the KPIs at the least cost.
    """

    name: str
    runtime: str
    cost: float
    quality: float
    ends: tuple[float, float] | None = None
    on_frontier: bool = False
    chosen: bool = False


def frontier_svg(dots: Sequence[Dot], names: tuple[str, str], title: str) -> str:
    """Return an SVG file; of at least one dot.

    Args:
        dots: to draw.
        names: of the axes, cost first.
        title: what it shows.
    """
    reach = [value for dot in dots for value in (dot.quality, *(dot.ends or ()))]
    high = max(dot.cost for dot in dots) * 1.08 or 1.0
    x = Scale(0.0, high, _LEFT, _WIDTH - _RIGHT)
    y = Scale(*spread(reach), _HEIGHT - _BOTTOM, _TOP)
    parts = [
        style(_STYLE),
        element("rect", width=_WIDTH, height=_HEIGHT, fill="#fff", class_="paper"),
        element("text", title, x=_LEFT - 48, y=20, class_="title"),
        *_frame(x, y, names),
        *_line(dots, x, y),
        *(_dot(dot, x, y) for dot in dots),
        *_labels(dots, x, y),
        *_key(sorted({dot.runtime for dot in dots})),
    ]
    what = f"{title}: {names[1]} over {names[0]} of {len(dots)} models"
    drawing = element("svg", *parts, viewBox=f"0 0 {_WIDTH} {_HEIGHT}", role="img", aria_label=one_line(what))
    size = f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}" '
    return f"{size}{drawing.removeprefix('<svg ')}\n"


def _frame(x: Scale, y: Scale, names: tuple[str, str]) -> list[Markup]:
    end = float(_WIDTH - _RIGHT)
    parts = []
    for value in ticks(y.low, y.high):
        place = float(y.at(value))
        parts.append(element("line", x1=float(_LEFT), y1=place, x2=end, y2=place, class_="grid"))
        parts.append(element("text", plain(value), x=_LEFT - 8, y=place + 4, text_anchor="end"))
    for value in ticks(x.low, x.high):
        parts.append(element("text", plain(value), x=float(x.at(value)), y=y.start + 18, text_anchor="middle"))
    parts.append(element("line", x1=float(_LEFT), y1=y.start, x2=end, y2=y.start, class_="base"))
    parts.append(element("text", names[0], x=(_LEFT + end) / 2, y=_HEIGHT - 12, text_anchor="middle"))
    parts.append(element("text", names[1], x=_LEFT - 48, y=36))
    return parts


def _line(dots: Sequence[Dot], x: Scale, y: Scale) -> list[Markup]:
    """Return the steps along the frontier."""
    best = sorted((dot for dot in dots if dot.on_frontier), key=lambda dot: dot.cost)
    if len(best) < 2:
        return []
    path = f"M{x.at(best[0].cost):.1f} {y.at(best[0].quality):.1f}"
    for before, after in pairwise(best):
        path += f"L{x.at(after.cost):.1f} {y.at(before.quality):.1f}L{x.at(after.cost):.1f} {y.at(after.quality):.1f}"
    return [element("path", d=path, class_="frontier")]


def _dot(dot: Dot, x: Scale, y: Scale) -> Markup:
    across, up, colour = float(x.at(dot.cost)), float(y.at(dot.quality)), _COLOURS.get(dot.runtime, _OTHER)
    title = element("title", f"{dot.name} ({dot.runtime}): {plain(dot.quality)} at {plain(dot.cost)}")
    parts = [title]
    if dot.ends is not None:
        low, high = (float(y.at(end)) for end in dot.ends)
        parts.append(element("line", x1=across, y1=low, x2=across, y2=high, stroke=colour, stroke_opacity=0.5))
    if dot.chosen:
        parts.append(element("circle", cx=across, cy=up, r=9, class_="chosen"))
    return element("g", *parts, element("circle", cx=across, cy=up, r=5, fill=colour))


def _labels(dots: Sequence[Dot], x: Scale, y: Scale) -> list[Markup]:
    """Return the names, each where it covers no other: beside its dot, or a line further down."""
    placed: list[tuple[float, float, float]] = []
    found = []
    for dot in sorted(dots, key=lambda dot: (not dot.chosen, not dot.on_frontier)):
        text = f"{cut(dot.name, _MOST_LETTERS)} ({dot.runtime})"
        width, across, up = _LETTER * len(text), float(x.at(dot.cost)), float(y.at(dot.quality)) - 7
        start = across + 12 if across + 12 + width < _WIDTH - 4 else max(4.0, across - 12 - width)
        places = [up + step * (_LINE + 6) * side for step in range(8) for side in (1, -1)]
        free = [at for at in places if _TOP < at < y.start and not _covers(placed, start, start + width, at)]
        if free:
            placed.append((start, start + width, free[0]))
            found.append(element("text", text, x=start, y=free[0], class_="name"))
    return found


def _covers(placed: Sequence[tuple[float, float, float]], left: float, right: float, at: float) -> bool:
    return any(left < end and start < right and abs(at - up) < _LINE for start, end, up in placed)


def _key(runtimes: Sequence[str]) -> list[Markup]:
    parts, at = [], float(_WIDTH - _RIGHT)
    for name in reversed(runtimes):
        at -= _LETTER * len(name) + 24
        parts.append(element("circle", cx=at, cy=16, r=5, fill=_COLOURS.get(name, _OTHER)))
        parts.append(element("text", name, x=at + 9, y=20))
    return parts
