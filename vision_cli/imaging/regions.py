"""Where the name of a class of pixels can be written: in the middle of its widest region."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_LOOKED_AT_PX = 160


@dataclass(frozen=True, slots=True)
class Middle:
    """A place far from a region's edge.

    Attributes:
        x: of the photo, in pixels.
        y: likewise.
        room_px: so far every edge of the region is at least, about, in steps along rows and columns.
    """

    x: int
    y: int
    room_px: int


def middles(classes: NDArray[np.integer]) -> dict[int, Middle]:
    """Return the middle of each class's widest region; what is below 0 is no class.

    Args:
        classes: (H, W); looked at in at most 160 x 160 pixels.
    """
    step = max(1, -(-max(classes.shape) // _LOOKED_AT_PX))
    plane = classes[step // 2 :: step, step // 2 :: step]
    depth = _depth(plane)
    found = {}
    for index in np.unique(plane[plane >= 0]).tolist():
        own = np.where(plane == index, depth, 0)
        deepest = np.flatnonzero(own == own.max())
        row, column = divmod(int(deepest[len(deepest) // 2]), plane.shape[1])
        found[index] = Middle(column * step + step // 2, row * step + step // 2, int(own.max()) * step)
    return found


def _depth(plane: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return how many times a pixel's region can lose its edge before the pixel goes; the photo's edge is one."""
    alive = np.zeros((plane.shape[0] + 2, plane.shape[1] + 2), dtype=np.bool_)
    inside = alive[1:-1, 1:-1]
    inside[:] = plane >= 0
    across, down = plane[:, 1:] != plane[:, :-1], plane[1:] != plane[:-1]
    depth = inside.astype(np.int64)
    inside[:, 1:] &= ~across
    inside[:, :-1] &= ~across
    inside[1:] &= ~down
    inside[:-1] &= ~down
    while inside.any():
        depth += inside
        inside &= alive[:-2, 1:-1] & alive[2:, 1:-1] & alive[1:-1, :-2] & alive[1:-1, 2:]
    return depth
