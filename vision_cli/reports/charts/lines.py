"""Curves over epochs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vision_cli.reports.charts.axes import frame, legend, spread, svg, ticks, x_scale, y_scale
from vision_cli.reports.elements import Markup, element, join
from vision_cli.reports.wording import plain

_FEW_POINTS = 40
_NEAR_ZERO = 0.1
"""Such small figures are learning rates, whose distance from zero matters more than their last digits."""


@dataclass(frozen=True, slots=True)
class Series:
    """One curve.

    Attributes:
        name: in the legend.
        kind: CSS class that gives its colour and dash.
        points: (x, y) with finite numbers, or y None where the curve has a gap.
        mark: index of a point to ring.
    """

    name: str
    kind: str
    points: Sequence[tuple[float, float | None]]
    mark: int | None = None


def line_chart(series: Sequence[Series], names: tuple[str, str], what: str) -> Markup:
    """Return curves over whole numbers such as epochs, which the first of the names is of."""
    whole = [x for each in series for x, _ in each.points]
    low, high = min(whole), max(whole)
    x = x_scale(low, high) if high > low else x_scale(low - 1, high + 1)
    y = y_scale(*_reach([value for each in series for _, value in each.points if value is not None]))
    at = [[None if up is None else (x.at(across), y.at(up)) for across, up in each.points] for each in series]
    labels = [tick for tick in (ticks(x.low, x.high) if high > low else [low]) if tick.is_integer() and tick >= low]
    drawn = [_curve(each, places, names[0]) for each, places in zip(series, at, strict=True)]
    key = legend([(each.name, each.kind) for each in series]) if len(series) > 1 else None
    return join([svg(what, frame(x, y, names, labels), *drawn), key])


def _reach(values: Sequence[float]) -> tuple[float, float]:
    """Return a range that holds all values, from zero on where they come near it."""
    low, high = spread(values)
    return (0.0, 1.05 * max(values) or 1.0) if min(values) >= 0 and max(values) < _NEAR_ZERO else (low, high)


def _curve(series: Series, places: Sequence[tuple[float, float] | None], unit: str) -> Markup:
    parts = [element("path", d=_path(places), class_="curve")]
    lonely = sum(place is not None for place in places) <= _FEW_POINTS
    for index, (place, point) in enumerate(zip(places, series.points, strict=True)):
        if place is not None and (lonely or index == series.mark):
            parts.append(_dot(place, point, "ring" if index == series.mark else "dot", f"{series.name}, {unit}"))
    return element("g", *parts, class_=series.kind)


def _dot(place: tuple[float, float], point: tuple[float, float | None], kind: str, name: str) -> Markup:
    title = f"{name} {plain(point[0])}: {plain(point[1] or 0.0)}"
    return element("circle", element("title", title), cx=place[0], cy=place[1], r=4.5 if kind == "ring" else 2.0,
                   class_=kind)  # fmt: skip


def _path(places: Sequence[tuple[float, float] | None]) -> str:
    """Return the pieces between gaps."""
    steps, pen = [], "M"
    for place in places:
        if place is None:
            pen = "M"
            continue
        steps.append(f"{pen}{place[0]:.1f} {place[1]:.1f}")
        pen = "L"
    return " ".join(steps)
