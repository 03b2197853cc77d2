"""Which of many polygons cross themselves, all at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vision_cli.core.crossing import crosses_itself
from vision_cli.core.outline_rings import Rings

_MAX_POINTS = 128

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Corner = tuple[Floats, Floats]


def crossing_rings(rings: Rings) -> Mask:
    """Tell which rings cross themselves as `crossing.crosses_itself` does, bool (R,); the undecided count as sound.

    Many polygons are star-shaped about the middle of their corners, which one pass proves. Of the others, those whose
    edges keep clear of each other's surroundings are sound; the rest is looked at one by one.
    """
    crossing = np.zeros(len(rings.starts), dtype=np.bool_)
    open_rings = np.flatnonzero(~_star_shaped(rings))
    lengths = rings.lengths[open_rings]
    unsure = [open_rings[lengths > _MAX_POINTS]]
    for number in np.unique(lengths[lengths <= _MAX_POINTS]).tolist():
        of_length = open_rings[lengths == number]
        cross, touch = _meeting(rings.points[rings.starts[of_length, None] + np.arange(number)])
        crossing[of_length] = cross
        unsure.append(of_length[touch & ~cross])
    for ring in np.concatenate(unsure).tolist():
        start = rings.starts[ring]
        crossing[ring] = bool(crosses_itself(rings.points[start : start + rings.lengths[ring]]))
    return crossing


def _star_shaped(rings: Rings) -> Mask:
    """Tell which rings go once around the mean of their corners, always turning the same way: such have no crossing."""
    starts, lengths = rings.starts, rings.lengths
    centres = np.add.reduceat(rings.points, starts, axis=0) / lengths[:, None]
    x, y = (rings.points - np.repeat(centres, lengths, axis=0)).T
    following = np.arange(1, len(x) + 1)
    following[starts + lengths - 1] = starts
    turn = x * y[following] - x[following] * y
    below = y < 0
    # A ring that always turns the same way passes the horizontal twice each time that it goes around.
    passed = np.add.reduceat((below != below[following]).astype(np.int64), starts)
    one_way = (np.minimum.reduceat(turn, starts) > 0) | (np.maximum.reduceat(turn, starts) < 0)
    found: Mask = one_way & (passed == 2)
    return found


def _meeting(rings: Floats) -> tuple[Mask, Mask]:
    """Tell of which rings float64 (R, P, 2) two edges that are no neighbours cross, and which need a closer look.

    Edges that touch, and neighbours that fold back on one another, need one.
    """
    number = rings.shape[1]
    twice = np.concatenate([rings, rings], axis=1)
    x, y = np.ascontiguousarray(twice[..., 0]), np.ascontiguousarray(twice[..., 1])
    low_x, low_y = np.minimum(x[:, :-1], x[:, 1:]), np.minimum(y[:, :-1], y[:, 1:])
    high_x, high_y = np.maximum(x[:, :-1], x[:, 1:]), np.maximum(y[:, :-1], y[:, 1:])
    cross, touch = np.zeros(len(rings), np.bool_), _folds(twice[:, : number + 2])
    here = slice(0, number)
    for lag in range(2, number // 2 + 1):
        there = slice(lag, lag + number)
        near = (low_x[:, here] <= high_x[:, there]) & (low_x[:, there] <= high_x[:, here])
        near &= (low_y[:, here] <= high_y[:, there]) & (low_y[:, there] <= high_y[:, here])
        ring, edge = np.nonzero(near)
        corners = [(x[ring, edge + step], y[ring, edge + step]) for step in (0, 1, lag, lag + 1)]
        a, b, c, d = corners
        one, other = _side(a, b, c) * _side(a, b, d), _side(c, d, a) * _side(c, d, b)
        cross[ring[(one < 0) & (other < 0)]] = True
        touch[ring[(one <= 0) & (other <= 0)]] = True
    return cross, touch


def _folds(corners: Floats) -> Mask:
    """Tell in which rings, their first two corners repeated, an edge has no length or runs back over the one before."""
    edges = corners[:, 1:] - corners[:, :-1]
    first, second = edges[:, :-1], edges[:, 1:]
    in_line = first[..., 0] * second[..., 1] == first[..., 1] * second[..., 0]
    back = (first * second).sum(axis=2) <= 0
    found: Mask = (in_line & back).any(axis=1)
    return found


def _side(a: Corner, b: Corner, c: Corner) -> Floats:
    """Return the sign of the turn from a over b to c."""
    return np.sign((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]))
