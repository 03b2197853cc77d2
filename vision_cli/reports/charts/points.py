"""Clouds of points; where many fall on one place, one larger dot stands for them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from vision_cli.reports.charts.axes import Scale, frame, spread, svg, x_scale, y_scale
from vision_cli.reports.elements import Markup, element
from vision_cli.reports.wording import count, plain

_CELL = 5.0
_RADIUS = 2.4
_MOST = 8.0

Points = Sequence[tuple[float, float]]


def cloud(points: Points, names: tuple[str, str], what: str, counted: str = "photo") -> Markup:
    """Return points (x, y), such as sizes; each is one of what is counted."""
    x = x_scale(*spread(across for across, _ in points))
    y = y_scale(*spread(up for _, up in points))
    return svg(what, frame(x, y, names), _dots(points, x, y, counted))


def against(points: Points, names: tuple[str, str], what: str) -> Markup:
    """Return points (truth, answer) on one scale for both axes, with the line where they agree."""
    low, high = spread([value for point in points for value in point])
    x, y = x_scale(low, high), y_scale(low, high)
    line = element("line", x1=x.start, y1=y.start, x2=float(x.end), y2=y.end, class_="ideal")
    return svg(what, frame(x, y, names), line, _dots(points, x, y))


def _dots(points: Points, x: Scale, y: Scale, counted: str = "photo") -> Markup:
    cells: Counter[tuple[int, int]] = Counter()
    places: dict[tuple[int, int], tuple[float, float]] = {}
    for point in points:
        cell = (round(x.at(point[0]) / _CELL), round(y.at(point[1]) / _CELL))
        cells[cell] += 1
        places.setdefault(cell, point)
    crowd = max(cells.values())
    return element("g", *(_dot(places[cell], (cells[cell], counted), crowd, (x, y)) for cell in cells), class_="points")


def _dot(place: tuple[float, float], here: tuple[int, str], crowd: int, scales: tuple[Scale, Scale]) -> Markup:
    number, counted = here
    radius = _RADIUS + (_MOST - _RADIUS) * math.sqrt((number - 1) / crowd) * (crowd > 1)
    about = "" if number == 1 else f", {count(number, counted)} about here"
    title = element("title", f"{plain(place[0])}, {plain(place[1])}{about}")
    return element("circle", title, cx=float(scales[0].at(place[0])), cy=float(scales[1].at(place[1])), r=radius)
