"""Which of many polygons cross themselves, all at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vision_cli.core.crossing import crosses_itself
from vision_cli.core.outline_rings import Ids, Rings

_MIN_POINTS, _MAX_POINTS = 4, 128
"""Fewer corners have no edges that are no neighbours; rings of more are looked at one by one."""
_CELLS_A_PIXEL = 4
_CELL = np.iinfo(np.int16)

Floats = NDArray[np.float64]
Cells = NDArray[np.int16]
Mask = NDArray[np.bool_]


def crossing_rings(rings: Rings) -> Mask:
    """Tell which rings cross themselves as `crossing.crosses_itself` does, bool (R,); the undecided count as sound.

    Corners are rounded to cells of a quarter pixel, which says of nearly all pairs of edges, eight at a time, that they
    lie apart. Of the others, those that plainly cross are found; rings with edges that touch are looked at one by one.
    """
    rings = _without_repeats(rings)
    crossing = np.zeros(len(rings.starts), dtype=np.bool_)
    unsure = [np.flatnonzero(rings.lengths > _MAX_POINTS)]
    cells = _cells(rings.points)
    padded = _padded(rings.lengths)
    padded[rings.lengths < _MIN_POINTS] = 0
    for number in np.unique(padded[(padded > 0) & (rings.lengths <= _MAX_POINTS)]).tolist():
        alike = np.flatnonzero((padded == number) & (rings.lengths <= _MAX_POINTS))
        cross, touch = _meeting(_Bundle.of(rings, alike, number, cells))
        crossing[alike] = cross
        unsure.append(alike[touch & ~cross])
    for ring in np.concatenate(unsure).tolist():
        start = rings.starts[ring]
        crossing[ring] = bool(crosses_itself(rings.points[start : start + rings.lengths[ring]]))
    return crossing


def _without_repeats(rings: Rings) -> Rings:
    """Leave out corners that are where the next one is, as of rings whose last corner is their first."""
    points, ends = rings.points, rings.starts + rings.lengths - 1
    differs = np.ones(points.shape, dtype=np.bool_)
    np.not_equal(points[1:], points[:-1], out=differs[:-1])
    differs[ends] = points[ends] != points[rings.starts]
    moved = differs.view(np.uint16)[:, 0] > 0
    if moved.all():
        return rings
    lengths = np.add.reduceat(moved.astype(np.int64), rings.starts)
    kept = _whole(points)[moved].view(np.float64).reshape(-1, 2)
    return Rings(kept, np.cumsum(lengths) - lengths, lengths, rings.object_starts)


def _whole(points: Floats) -> NDArray[np.complex128]:
    """Return a number a point, on the same memory: numpy picks such six times as fast as rows of two."""
    return points.view(np.complex128)[:, 0]


def _picked(points: Floats, places: Ids) -> Floats:
    """Return the points at some places, (2, N)."""
    return _whole(points)[places].view(np.float64).reshape(-1, 2).T


def _cells(points: Floats) -> Cells:
    """Round to cells; what is left of something else never gets to its right, however far out it is."""
    scaled = points * _CELLS_A_PIXEL
    if scaled.max(initial=0) > _CELL.max or scaled.min(initial=0) < _CELL.min:
        np.clip(scaled, _CELL.min, _CELL.max, out=scaled)
    return scaled.astype(np.int16)


def _padded(lengths: Ids) -> Ids:
    """Return a number of corners, no less than each, that many rings share."""
    step = np.where(lengths <= 32, 4, np.where(lengths <= 64, 8, 16))
    return -(-lengths // step) * step


@dataclass(frozen=True, slots=True, eq=False)
class _Bundle:
    """R rings of at most N corners, a column each.

    Attributes:
        points: float64 (P, 2) of these and other rings.
        lengths: int64 (R,), corners of each.
        at: int64 (N + 2, R), which point each corner is; the first ones follow on the last.
        x: int16 (N + 2, R), cells of the corners.
        y: likewise.
        beyond: bool (N, R), there is no such edge.
    """

    points: Floats
    lengths: Ids
    at: Ids
    x: Cells
    y: Cells
    beyond: Mask

    @classmethod
    def of(cls, rings: Rings, alike: Ids, number: int, cells: Cells) -> _Bundle:
        starts, lengths = rings.starts[alike], rings.lengths[alike]
        at = starts + np.arange(number + 2)[:, None]
        least = int(lengths.min())
        corner = np.arange(least, number + 2)[:, None]
        again = np.where(corner < lengths, corner, corner == lengths + 1)
        at[least:] = np.minimum(again + starts, len(rings.points) - 1)
        beyond = np.arange(number)[:, None] >= lengths
        return cls(rings.points, lengths, at, cells[:, 0][at], cells[:, 1][at], beyond)


def _meeting(rings: _Bundle) -> tuple[Mask, Mask]:
    """Tell of which rings two edges that are no neighbours cross, and which need a closer look.

    Edges that touch, and neighbours that fold back on one another, need one.
    """
    pairs, lags = _near(rings)
    width, corners = len(rings.lengths), rings.at.ravel()
    a, b, c, d = (
        _picked(rings.points, corners[place])
        for place in (pairs, pairs + width, pairs + lags * width, pairs + (lags + 1) * width)
    )
    one, other = _side(a, b, c) * _side(a, b, d), _side(c, d, a) * _side(c, d, b)
    cross, touch = np.zeros(width, np.bool_), _folds(rings)
    cross[pairs[(one < 0) & (other < 0)] % width] = True
    touch[pairs[(one <= 0) & (other <= 0)] % width] = True
    return cross, touch


def _near(rings: _Bundle) -> tuple[Ids, Ids]:
    """Return pairs of edges, no neighbours, whose surroundings overlap: place of the first in (N, R), lag."""
    x, y, number = rings.x, rings.y, len(rings.beyond)
    low_x, high_x = np.minimum(x[:-2], x[1:-1]), np.maximum(x[:-2], x[1:-1])
    low_y, high_y = np.minimum(y[:-2], y[1:-1]), np.maximum(y[:-2], y[1:-1])
    pairs, lags = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for lag in range(2, number):
        near = low_x[:-lag] <= high_x[lag:]
        near &= low_x[lag:] <= high_x[:-lag]
        near &= low_y[:-lag] <= high_y[lag:]
        near &= low_y[lag:] <= high_y[:-lag]
        near &= ~rings.beyond[lag:]
        # The last edge of a ring is the first one's neighbour.
        near[0] &= rings.lengths != lag + 1
        pairs.append(np.flatnonzero(near))
        lags.append(np.full(len(pairs[-1]), lag))
    return np.concatenate(pairs), np.concatenate(lags)


def _folds(rings: _Bundle) -> Mask:
    """Tell in which rings an edge has no length or runs back over the one before."""
    going = [(side[1:] > side[:-1], side[1:] < side[:-1]) for side in (rings.x, rings.y)]
    onward = np.zeros(rings.beyond.shape, np.bool_)
    for up, down in going:
        onward |= (up[1:] & up[:-1]) | (down[1:] & down[:-1])
    places, width, corners = np.flatnonzero(~(onward | rings.beyond)), len(rings.lengths), rings.at.ravel()
    a, b, c = (_picked(rings.points, corners[places + step * width]) for step in range(3))
    first, second = b - a, c - b
    in_line = first[0] * second[1] == first[1] * second[0]
    back = (first * second).sum(axis=0) <= 0
    found = np.zeros(width, np.bool_)
    found[places[in_line & back] % width] = True
    return found


def _side(a: Floats, b: Floats, c: Floats) -> Floats:
    """Return the sign of the turn from a over b to c, (2, N) each."""
    found: Floats = np.sign((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]))
    return found
