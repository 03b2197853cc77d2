"""Greedy non-maximum suppression."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def overlaps(box: Floats, others: Floats) -> Floats:
    """Return the intersection over union of one box (4,) with others (N, 4), float64 (N,); NaN without any area."""
    sides = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    common = np.maximum(sides, 0).prod(axis=1)
    union = (box[2:] - box[:2]).prod() + (others[:, 2:] - others[:, :2]).prod(axis=1) - common
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(common / union)


def suppress(boxes: Floats, scores: Floats, classes: Ints, *, iou: float, limit: int | None = None) -> Ints:
    """Return the rows that stay, best first: torchvision's `batched_nms`, equal scores in their order.

    Greedy survivors are found best first, so the work ends with the last that is asked for.

    Args:
        boxes: float64 (N, 4): left, top, right, bottom.
        scores: float64 (N,).
        classes: int64 (N,); boxes of different classes do not suppress each other.
        iou: a box that overlaps a better one by more is dropped.
        limit: how many stay at most.
    """
    waiting = np.argsort(-scores, kind="stable")
    kept: list[int] = []
    while waiting.size and (limit is None or len(kept) < limit):
        best, rest = waiting[0], waiting[1:]
        kept.append(int(best))
        same = np.flatnonzero(classes[rest] == classes[best])
        covered = same[overlaps(boxes[best], boxes[rest[same]]) > iou]
        waiting = np.delete(rest, covered) if covered.size else rest
    return np.asarray(kept, dtype=np.int64)
