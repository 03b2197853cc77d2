"""Boxes and polygons of other conventions, turned into columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from vision_cli.formats.photo_records import Unfit, as_number, as_outline, shown

_MAX_POINTS = 500_000


def box_columns(numbers: Sequence[float], form: str, scale: tuple[float, float]) -> list[float]:
    """Return left, top, width and height in pixels.

    Args:
        numbers: four of them.
        form: `xywh`, `xyxy` or `cxcywh`.
        scale: pixels a unit, across and down.
    """
    across, down = scale
    a, b, c, d = numbers[0] * across, numbers[1] * down, numbers[2] * across, numbers[3] * down
    if form == "xyxy":
        return [a, b, _between(a, c), _between(b, d)]
    return [a - c / 2, b - d / 2, c, d] if form == "cxcywh" else [a, b, c, d]


def _between(near: float, far: float) -> float:
    """Return far - near as on paper: 640.24 - 599.41 is 40.83."""
    return float(Decimal(repr(far)) - Decimal(repr(near)))


def outline_columns(value: Any, scale: tuple[float, float]) -> dict[str, Any]:
    """Return the columns of an outline; an empty one has none.

    Raises:
        Unfit: it is no polygon and no list of polygons.
    """
    if value in ([], {}):
        return {}
    rings = [value] if _is_ring(value) else value
    if isinstance(value, Mapping) or not isinstance(rings, list) or not all(_is_ring(ring) for ring in rings):
        raise Unfit(f"the polygon {shown(value)} is no list of points")
    return as_outline([_flat(ring, scale) for ring in rings])


def _is_ring(value: Any) -> bool:
    """Tell a polygon from a list of polygons: flat numbers, pairs of numbers, or points with x and y."""
    if not isinstance(value, list) or not value or len(value) > 2 * _MAX_POINTS:
        return False
    first = value[0]
    if isinstance(first, Mapping):
        return True
    if isinstance(first, list):
        return len(first) == 2 and not isinstance(first[0], list | Mapping)
    return isinstance(first, int | float)


def _flat(ring: list[Any], scale: tuple[float, float]) -> list[float]:
    """Return x, y, x, y ... in pixels."""
    if isinstance(ring[0], Mapping):
        pairs = [[point.get("x"), point.get("y")] if isinstance(point, Mapping) else point for point in ring]
    elif isinstance(ring[0], list):
        pairs = ring
    else:
        pairs = [list(ring[start : start + 2]) for start in range(0, len(ring), 2)]
    if not all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
        raise Unfit(f"the polygon {shown(ring)} is no list of pairs x, y")
    return [as_number(side) * factor for pair in pairs for side, factor in zip(pair, scale, strict=True)]
