"""Masks to polygons that fill to the very same pixels.

Polygons run along the edges of pixels, not through their middles as those of `cv2.findContours` do, which lose half a
pixel all around and every object one pixel wide. A hole is cut in: the ring goes to the hole, around it and back on the
same line, which fills as a hole by COCO's rule and by even-odd. Pixels that touch in a corner are of two parts.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

# Clockwise, with the pixels of the mask on the right hand: a right turn is the next direction.
_RIGHT, _DOWN, _LEFT, _UP = range(4)

Point = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Traced:
    """Polygons of a mask.

    Attributes:
        rings: float64 (P, 2) each, in pixels, clockwise on the screen; ordered by their top left pixel.
        lost_holes: holes that are no longer in them.
    """

    rings: tuple[NDArray[np.float64], ...]
    lost_holes: int = 0


@dataclass(frozen=True, slots=True)
class _Ring:
    """A closed line around a part or a hole: its corners, and the number of the part."""

    points: list[Point]
    part: int

    @property
    def is_hole(self) -> bool:
        """Tell whether the line runs anticlockwise."""
        x, y = np.array(self.points, dtype=np.int64).T
        return bool((x * np.roll(y, -1) - np.roll(x, -1) * y).sum() < 0)


def polygons(mask: NDArray[np.bool_], *, holes: bool = True) -> Traced:
    """Return the polygons of a mask bool (H, W).

    Args:
        mask: the pixels.
        holes: cut holes in; otherwise they are filled and counted.
    """
    left, top, window = _window(mask)
    if not window.size:
        return Traced(())
    rings = _rings(np.pad(window, 1))
    outer = {ring.part: list(ring.points) for ring in rings if not ring.is_hole}
    inner = [ring for ring in rings if ring.is_hole]
    if holes:
        # From left to right: what stands to the left of a hole is in its part's ring already.
        for hole in sorted(inner, key=lambda ring: min(ring.points)):
            _cut_in(outer[hole.part], hole.points, window)
    shift = np.array([left, top], dtype=np.float64)
    ordered = sorted(outer.values(), key=lambda points: min((y, x) for x, y in points))
    return Traced(tuple(np.array(points, np.float64) + shift for points in ordered), 0 if holes else len(inner))


def _window(mask: NDArray[np.bool_]) -> tuple[int, int, NDArray[np.uint8]]:
    """Return left, top and the part of a mask that is not empty."""
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    if not len(rows):
        return 0, 0, np.empty((0, 0), np.uint8)
    window = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return int(columns[0]), int(rows[0]), np.ascontiguousarray(window, dtype=np.uint8)


def _rings(padded: NDArray[np.uint8]) -> list[_Ring]:
    """Return the closed lines of a mask with a border of zeros; coordinates are those without the border."""
    _, parts = cv2.connectedComponents(padded, connectivity=4)
    starts, ends, directions = _sides(padded)
    following = _next_sides(starts, ends, directions, padded.shape[1])
    seen, rings = np.zeros(len(starts), dtype=np.bool_), []
    corners, links = starts.tolist(), following.tolist()
    # Every line has a side to the right, below which lies a pixel of its part.
    for first in np.flatnonzero(directions == _RIGHT).tolist():
        points, side = [], first
        while not seen[side]:
            seen[side] = True
            points.append((corners[side][0] - 1, corners[side][1] - 1))
            side = links[side]
        if points:
            x, y = corners[first]
            rings.append(_Ring(points, int(parts[y, x])))
    return rings


def _sides(padded: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the straight sides of a mask: starts (S, 2), ends (S, 2) as x, y, and directions (S,)."""
    across = np.diff(padded.astype(np.int8), axis=0)
    along = np.diff(padded.astype(np.int8), axis=1).T
    found = [_runs(across == 1), _runs(across == -1), _runs(along == -1), _runs(along == 1)]
    low, high = [], []
    for (line, start, end), turned in zip(found, (False, False, True, True), strict=True):
        line = line + 1
        low.append(np.stack([line, start] if turned else [start, line], axis=1))
        high.append(np.stack([line, end] if turned else [end, line], axis=1))
    starts = np.concatenate([low[0], high[1], low[2], high[3]])
    ends = np.concatenate([high[0], low[1], high[2], low[3]])
    return starts, ends, np.repeat([_RIGHT, _LEFT, _DOWN, _UP], [len(one) for one in low])


def _runs(cracks: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return line, start and end of each run along the rows; the last column is never set."""
    edges = np.diff(cracks.astype(np.int8), axis=1, prepend=np.int8(0))
    line, start = np.nonzero(edges == 1)
    return line, start, np.nonzero(edges == -1)[1]


def _next_sides(
    starts: NDArray[np.int64], ends: NDArray[np.int64], directions: NDArray[np.int64], width: int
) -> NDArray[np.int64]:
    """Return which side follows each: to the right where two lines meet in a corner, which keeps parts apart."""
    keys = (starts[:, 1] * (width + 1) + starts[:, 0]) * 4 + directions
    order = np.argsort(keys)
    base = (ends[:, 1] * (width + 1) + ends[:, 0]) * 4
    to_right, to_left = base + (directions + 1) % 4, base + (directions + 3) % 4
    place = np.minimum(np.searchsorted(keys, to_right, sorter=order), len(order) - 1)
    wanted = np.where(keys[order[place]] == to_right, to_right, to_left)
    found: NDArray[np.int64] = order[np.searchsorted(keys, wanted, sorter=order)]
    return found


def _cut_in(ring: list[Point], hole: list[Point], window: NDArray[np.uint8]) -> None:
    """Lead a ring to a hole in it, straight from the left, and back."""
    at = min(range(len(hole)), key=lambda index: hole[index])
    x, y = hole[at]
    # A hole lies under the mask's first row. The way ends at the first pixel beside it that is not of the mask.
    unset = np.flatnonzero((window[y, :x] == 0) | (window[y - 1, :x] == 0))
    door = (int(unset[-1]) + 1 if unset.size else 0, y)
    way = [*hole[at:], *hole[: at + 1], door]
    if door in ring:
        side = ring.index(door)
    else:
        side, way = _side_through(ring, door), [door, *way]
    ring[side + 1 : side + 1] = way


def _side_through(ring: list[Point], door: Point) -> int:
    """Return the vertical side that a point lies on."""
    x, y = door
    return next(
        index
        for index, ((x0, y0), (x1, y1)) in enumerate(zip(ring, ring[1:] + ring[:1], strict=True))
        if x0 == x1 == x and min(y0, y1) < y < max(y0, y1)
    )
