"""Whether a polygon crosses itself."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vision_cli.core.rasterise import Points

_MAX_PAIRS = 50_000_000
_PAIRS_AT_ONCE = 1_000_000


def crosses_itself(ring: Points) -> bool | None:
    """Tell whether two edges of a polygon cross at a point inside of both, or lie on one another.

    A polygon that only touches itself in a vertex does not count: that is how holes are cut in.

    Args:
        ring: float64 (P, 2), finite.

    Returns:
        None where the polygon is so intricate that over 50 million pairs of edges would need a look.
    """
    starts, ends = ring, np.roll(ring, -1, axis=0)
    kept = (starts != ends).any(axis=1)
    starts, ends = starts[kept], ends[kept]
    low, high = np.minimum(starts, ends), np.maximum(starts, ends)
    # Only edges that overlap along the axis that tells them apart better can meet.
    axis = int(np.argmin((high - low).sum(axis=0) / np.maximum(np.ptp(ring, axis=0), 1e-300)))
    order = np.argsort(low[:, axis], kind="stable")
    reach = np.searchsorted(low[order, axis], high[order, axis], side="right")
    numbers = reach - np.arange(len(order)) - 1
    if int(numbers.sum()) > _MAX_PAIRS:
        return None
    blocks = np.cumsum(numbers) // _PAIRS_AT_ONCE
    bounds = np.flatnonzero(np.diff(blocks)) + 1
    return any(
        _any_crossing(starts[order], ends[order], rows, numbers[rows])
        for rows in np.split(np.arange(len(order)), bounds)
    )


def _any_crossing(starts: Points, ends: Points, rows: NDArray[np.int64], numbers: NDArray[np.int64]) -> bool:
    """Compare each edge of `rows` with so many that follow it."""
    one = np.repeat(rows, numbers)
    other = one + 1 + np.arange(len(one)) - np.repeat(np.cumsum(numbers) - numbers, numbers)
    a, b, c, d = starts[one], ends[one], starts[other], ends[other]
    sides = _side(a, b, c), _side(a, b, d), _side(c, d, a), _side(c, d, b)
    proper = (sides[0] * sides[1] < 0) & (sides[2] * sides[3] < 0)
    in_line = (sides[0] == 0) & (sides[1] == 0)
    return bool(proper.any() or (in_line & _overlap(a, b, c, d)).any())


def _side(a: Points, b: Points, c: Points) -> NDArray[np.float64]:
    """Return the sign of the turn from a over b to c."""
    first, second = b - a, c - a
    found: NDArray[np.float64] = np.sign(first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0])
    return found


def _overlap(a: Points, b: Points, c: Points, d: Points) -> NDArray[np.bool_]:
    """Tell which edges of one line share more than a point and run the same way; cuts to holes run back and forth."""
    same_way = ((b - a) * (d - c)).sum(axis=1) > 0
    low = np.maximum(np.minimum(a, b), np.minimum(c, d))
    high = np.minimum(np.maximum(a, b), np.maximum(c, d))
    shared: NDArray[np.bool_] = same_way & ((high - low).max(axis=1) > 0) & ((high - low).min(axis=1) >= 0)
    return shared
