"""Which objects of two people are the same: overlap, and the assignment with the largest total overlap."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vision_cli.core import outline
from vision_cli.labelling.answers import Answers, Floats, Ints

_SAME_CLASS = 1e-9
"""What an equal class is worth: it decides only between equal overlaps."""


def overlaps(answers: Answers, photo: int, one: Ints, other: Ints) -> Floats:
    """Return IoU float64 (n, m) of rows of one photo: of the outlines where both have one, else of the boxes.

    Raises:
        DataError: an outline that is none, or of another size than its photo.
    """
    found = box_iou(answers.boxes[one], answers.boxes[other])
    width, height = (int(side) for side in answers.sizes[photo])
    if not (width and height):
        return found
    pairs = [(i, j) for i, j in zip(*np.nonzero(found > 0), strict=True) if _drawn(answers, one[i], other[j])]
    runs = {row: _runs(answers, row, width, height) for i, j in pairs for row in (int(one[i]), int(other[j]))}
    for i, j in pairs:
        found[i, j] = outline.iou(runs[int(one[i])], runs[int(other[j])], width, height)
    return found


def _drawn(answers: Answers, one: int, other: int) -> bool:
    return answers.outlines[one] is not None and answers.outlines[other] is not None


def _runs(answers: Answers, row: int, width: int, height: int) -> outline.Outline:
    """Return an outline as the pixels that it covers, so that it is filled once."""
    found = outline.parse(answers.outlines[row] or b"[]")
    return outline.Runs(height, width, outline.runs(found, width, height))


def box_iou(one: Floats, other: Floats) -> Floats:
    """Return IoU float64 (n, m) of boxes float64 (n, 4) and (m, 4): left, top, right, bottom."""
    low = np.maximum(one[:, None, :2], other[None, :, :2])
    high = np.minimum(one[:, None, 2:], other[None, :, 2:])
    common = np.clip(high - low, 0, None).prod(axis=2)
    areas = [np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(axis=1) for boxes in (one, other)]
    whole = areas[0][:, None] + areas[1][None, :] - common
    return np.asarray(np.divide(common, whole, out=np.zeros_like(common), where=whole > 0))


def match(iou: Floats, at: float, same_class: NDArray[np.bool_] | None = None) -> Ints:
    """Return int64 (k, 2): the pairs of rows and columns that overlap by `at` or more with the largest sum of IoU.

    Args:
        iou: float64 (n, m).
        at: smallest IoU of a pair, above 0.
        same_class: bool (n, m); decides between equal sums.
    """
    worth = np.where(iou >= at, iou, 0.0)
    if same_class is not None:
        worth += np.where((worth > 0) & same_class, _SAME_CLASS, 0.0)
    possible = worth > 0
    if not possible.any():
        return np.empty((0, 2), dtype=np.int64)
    if (possible.sum(axis=0) <= 1).all() and (possible.sum(axis=1) <= 1).all():
        return np.argwhere(possible).astype(np.int64)
    rows, columns = np.flatnonzero(possible.any(axis=1)), np.flatnonzero(possible.any(axis=0))
    pairs = assignment(-worth[np.ix_(rows, columns)])
    pairs = np.stack([rows[pairs[:, 0]], columns[pairs[:, 1]]], axis=1)
    kept: Ints = pairs[possible[pairs[:, 0], pairs[:, 1]]]
    return kept


def assignment(cost: Floats) -> Ints:
    """Return int64 (min(n, m), 2): the pairs of rows and columns with the smallest total cost, by row.

    The Hungarian method with potentials and shortest paths (Kuhn 1955; Jonker & Volgenant 1987, Computing 38:325).
    """
    if cost.shape[0] > cost.shape[1]:
        pairs = assignment(cost.T)[:, ::-1]
        return np.ascontiguousarray(pairs[np.argsort(pairs[:, 0], kind="stable")])
    rows, columns = cost.shape
    # Row 0 and column 0 stand for "none yet".
    of_row, of_column = np.zeros(rows + 1), np.zeros(columns + 1)
    owner = np.zeros(columns + 1, dtype=np.int64)
    for row in range(1, rows + 1):
        owner[0] = row
        _augment(cost, of_row, of_column, owner)
    taken = np.flatnonzero(owner[1:])
    found = np.stack([owner[1:][taken] - 1, taken], axis=1)
    return np.ascontiguousarray(found[np.argsort(found[:, 0], kind="stable")])


def _augment(cost: Floats, of_row: Floats, of_column: Floats, owner: Ints) -> None:
    """Give the row that owns column 0 a column, along the cheapest path of exchanges."""
    shortest = np.full(len(owner), np.inf)
    before = np.zeros(len(owner), dtype=np.int64)
    used = np.zeros(len(owner), dtype=np.bool_)
    at = 0
    while True:
        used[at] = True
        row = owner[at]
        reduced = np.concatenate([[np.inf], cost[row - 1] - of_row[row] - of_column[1:]])
        better = ~used & (reduced < shortest)
        shortest[better], before[better] = reduced[better], at
        following = int(np.argmin(np.where(used, np.inf, shortest)))
        step = shortest[following]
        of_row[owner[used]] += step
        of_column[used] -= step
        shortest[~used] -= step
        at = following
        if owner[at] == 0:
            break
    while at:
        owner[at] = owner[before[at]]
        at = int(before[at])
