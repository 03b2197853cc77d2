"""Precision over recall."""

from __future__ import annotations

from collections.abc import Sequence

from vision_cli.reports.charts.axes import frame, legend, svg, x_scale, y_scale
from vision_cli.reports.elements import Markup, element, join

KINDS = tuple(f"line{number}" for number in range(6))
"""CSS classes of curves that can be told apart."""

Curve = tuple[str, Sequence[tuple[float, float]]]
"""Name, and points (0..1, 0..1)."""


def curves(shown: Sequence[Curve], names: tuple[str, str], what: str) -> Markup:
    """Return at most six curves between 0 and 1."""
    x, y = x_scale(0.0, 1.0), y_scale(0.0, 1.05)
    named = list(zip(KINDS, shown, strict=False))
    drawn = [_curve(name, [(x.at(a), y.at(b)) for a, b in points], kind) for kind, (name, points) in named]
    return join([svg(what, frame(x, y, names), *drawn), legend([(name, kind) for kind, (name, _) in named])])


def _curve(name: str, places: Sequence[tuple[float, float]], kind: str) -> Markup:
    steps = " ".join(f"{'L' if at else 'M'}{x:.1f} {y:.1f}" for at, (x, y) in enumerate(places))
    return element("g", element("path", element("title", name), d=steps, class_="curve"), class_=kind)
