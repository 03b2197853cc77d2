"""Boxes of two versions of a photo that lie over each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from vision_cli.versions.pairing import Hashes, Ints, Pairs

Boxes = np.ndarray[Any, np.dtype[np.float64]]
"""(N, 4): x, y, w, h."""

_MOST_CANDIDATES = 4_000_000
_ROUNDS = 64


def pair_by_overlap(
    photos: tuple[Ints, Ints], names: tuple[Hashes, Hashes], boxes: tuple[Boxes, Boxes], *, sure: float
) -> Pairs:
    """Pair boxes of the same photo, the most overlapping first.

    Args:
        photos: of each box.
        names: hash of each box's class.
        boxes: the boxes.
        sure: IoU from which on boxes of different classes are one object; of one class any overlap will do.
    """
    rows, others = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for left, right in _candidates(photos):
        score = iou(boxes[0][left], boxes[1][right])
        same = names[0][left] == names[1][right]
        keep = (same & (score > 0)) | (score >= sure)
        found = _best(left[keep], right[keep], (score + same)[keep])
        rows.append(found[0])
        others.append(found[1])
    return np.concatenate(rows), np.concatenate(others)


def iou(one: Boxes, other: Boxes) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return float64 (N,): intersection over union of boxes side by side; 0 where there is no area."""
    low = np.maximum(one[:, :2], other[:, :2])
    high = np.minimum(one[:, :2] + one[:, 2:], other[:, :2] + other[:, 2:])
    shared = np.prod(np.clip(high - low, 0, None), axis=1)
    union = np.prod(one[:, 2:], axis=1) + np.prod(other[:, 2:], axis=1) - shared
    return np.asarray(np.divide(shared, union, out=np.zeros(len(shared)), where=union > 0), np.float64)


def _candidates(photos: tuple[Ints, Ints]) -> Iterator[Pairs]:
    """Yield all pairs of boxes of the same photo, some millions at a time; photos with more than that are left out."""
    order, other_order = (np.argsort(part, kind="stable") for part in photos)
    one, other = photos[0][order], photos[1][other_order]
    start, end = np.searchsorted(other, one, "left"), np.searchsorted(other, one, "right")
    counts = end - start
    _, first = np.unique(one, return_index=True)
    totals = np.add.reduceat(counts, first) if len(one) else np.empty(0, np.int64)
    lasts = np.r_[first[1:], len(one)]
    group = np.cumsum(np.minimum(totals, _MOST_CANDIDATES)) // _MOST_CANDIDATES
    for number in np.unique(group):
        chosen = np.flatnonzero((group == number) & (totals > 0) & (totals <= _MOST_CANDIDATES))
        if len(chosen):
            rows = np.concatenate([np.arange(first[at], lasts[at]) for at in chosen])
            repeated = np.repeat(rows, counts[rows])
            within = np.arange(len(repeated)) - np.repeat(np.cumsum(counts[rows]) - counts[rows], counts[rows])
            yield order[repeated], other_order[start[repeated] + within]


def _best(left: Ints, right: Ints, score: np.ndarray[Any, np.dtype[np.float64]]) -> Pairs:
    """Pair one to one: whoever is each other's best is a pair, then the same among the others."""
    order = np.lexsort((right, left, -score))
    left, right = left[order], right[order]
    rows, others = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for _ in range(_ROUNDS):
        if not len(left):
            break
        is_best = np.zeros(len(left), np.int8)
        for part in (left, right):
            is_best[np.unique(part, return_index=True)[1]] += 1
        best = is_best == 2
        rows.append(left[best])
        others.append(right[best])
        open_ = ~(np.isin(left, left[best]) | np.isin(right, right[best]))
        left, right = left[open_], right[open_]
    return np.concatenate(rows), np.concatenate(others)
