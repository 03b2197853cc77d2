"""Recall by the number of photos: what was measured, what is expected beyond, and the bound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vision_cli.reports.charts.axes import Scale, frame, legend, spread, svg, x_scale, y_scale
from vision_cli.reports.elements import Markup, element, join
from vision_cli.reports.wording import plain


@dataclass(frozen=True, slots=True)
class Growth:
    """One learning curve.

    Attributes:
        measured: (photos, recall).
        expected: (photos, recall, low, high), by photos.
        bound: recall that is wanted.
        unit: `photos` or `boxes`.
    """

    measured: Sequence[tuple[float, float]]
    expected: Sequence[tuple[float, float, float, float]]
    bound: float
    unit: str


def growth_chart(growth: Growth, what: str) -> Markup:
    """Return the curve with its interval as a band."""
    x = x_scale(0.0, max(photos for photos, *_ in growth.expected))
    reach = [value for _, *values in growth.expected for value in values]
    y = y_scale(*spread([*reach, *(recall for _, recall in growth.measured), growth.bound]))
    there = [(x.at(photos), y.at(low)) for photos, _, low, _ in growth.expected]
    back = [(x.at(photos), y.at(high)) for photos, _, _, high in reversed(growth.expected)]
    band = element("path", d=f"{_path([*there, *back])} Z", class_="fill")
    curve = element("path", d=_path([(x.at(photos), y.at(recall)) for photos, recall, *_ in growth.expected]),
                    class_="curve")  # fmt: skip
    wanted = element("line", x1=float(x.start), y1=float(y.at(growth.bound)), x2=float(x.end),
                     y2=float(y.at(growth.bound)), class_="ideal")  # fmt: skip
    parts = (band, wanted, element("g", curve, class_="val"), _dots(growth, x, y))
    key = legend([("measured", "train"), ("expected", "val")])
    return join([svg(what, frame(x, y, (growth.unit, "recall")), *parts), key])


def _dots(growth: Growth, x: Scale, y: Scale) -> Markup:
    return element("g", *(_dot(point, growth.unit, x, y) for point in growth.measured), class_="train")


def _dot(point: tuple[float, float], unit: str, x: Scale, y: Scale) -> Markup:
    title = element("title", f"{plain(point[0])} {unit}: {plain(point[1])}")
    return element("circle", title, cx=float(x.at(point[0])), cy=float(y.at(point[1])), r=3.0, class_="dot")


def _path(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{'L' if at else 'M'}{across:.1f} {up:.1f}" for at, (across, up) in enumerate(points))
