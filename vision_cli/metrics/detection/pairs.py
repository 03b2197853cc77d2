"""Overlaps of detections and objects of the same photo, whatever their classes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from vision_cli.core.detections import Detections, Floats, Ints, Truth
from vision_cli.metrics.detection.evaluator import Kind, runs

_BLOCK = 200_000
"""Pairs at once: some 30 MB."""


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Detections and objects that overlap.

    Attributes:
        said: int64 (K,), row of the detection, ascending.
        true: int64 (K,), row of the object, ascending within a detection.
        iou: float64 (K,); over the detection's area where the object is a crowd.
    """

    said: Ints
    true: Ints
    iou: Floats

    def where(self, chosen: Any) -> Pairs:
        """Return some pairs, by bool (K,) or row numbers."""
        return Pairs(self.said[chosen], self.true[chosen], self.iou[chosen])

    def best(self, number: int) -> tuple[Floats, Ints]:
        """Return each detection's largest overlap, (N,), and its object, the first of equals; 0 and -1 without."""
        iou, true = np.zeros(number), np.full(number, -1, dtype=np.int64)
        order = np.lexsort((self.true, -self.iou, self.said))
        first = order[np.flatnonzero(np.diff(self.said[order], prepend=-1))]
        iou[self.said[first]], true[self.said[first]] = self.iou[first], self.true[first]
        return iou, true


def pairs(truth: Truth, detections: Detections, kind: Kind, least: float) -> Pairs:
    """Return the pairs that overlap by `least` or more."""
    measure = _masks if kind == "masks" else _boxes
    found = []
    for said, true in _candidates(truth, detections):
        iou = measure(truth, detections, said, true)
        kept = iou >= least
        found.append((said[kept], true[kept], iou[kept]))
    if not found:
        return Pairs(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
    said, true, iou = (np.concatenate(each) for each in zip(*found, strict=True))
    order = np.lexsort((true, said))
    return Pairs(said[order], true[order], iou[order])


def _candidates(truth: Truth, detections: Detections) -> Iterator[tuple[Ints, Ints]]:
    """Yield rows of detections and objects of the same photo, photos whole, in blocks."""
    said, true = (np.argsort(each.photo, kind="stable") for each in (detections, truth))
    bounds = np.arange(truth.n_photos + 1)
    starts = np.searchsorted(truth.photo[true], bounds)
    objects = np.diff(starts)[detections.photo[said]]
    sums = np.cumsum(objects)
    ends = np.searchsorted(detections.photo[said], bounds[1:])  # of each photo's detections
    first = 0
    while first < len(said):
        limit = (int(sums[first - 1]) if first else 0) + _BLOCK
        last = int(np.searchsorted(sums, limit, side="right"))
        last = max(int(ends[ends <= last].max(initial=0)), int(ends[detections.photo[said[first]]]))
        block, numbers = said[first:last], objects[first:last]
        offsets = np.arange(int(numbers.sum())) - np.repeat(np.cumsum(numbers) - numbers, numbers)
        yield np.repeat(block, numbers), true[np.repeat(starts[detections.photo[block]], numbers) + offsets]
        first = last


def _boxes(truth: Truth, detections: Detections, said: Ints, true: Ints) -> Floats:
    one, other = detections.boxes[said], truth.boxes[true]
    far = np.minimum(one[:, :2] + one[:, 2:], other[:, :2] + other[:, 2:])
    sides = np.maximum(far - np.maximum(one[:, :2], other[:, :2]), 0)
    shared, own = sides[:, 0] * sides[:, 1], one[:, 2] * one[:, 3]
    whole = np.where(truth.crowd[true], own, own + other[:, 2] * other[:, 3] - shared)
    return np.asarray(np.divide(shared, whole, out=np.zeros_like(shared), where=whole > 0))


def _masks(truth: Truth, detections: Detections, said: Ints, true: Ints) -> Floats:
    from ultrafast_pycocotools import mask

    found = np.zeros(len(said))
    photo = detections.photo[said]
    starts = np.flatnonzero(np.diff(photo, prepend=-1))
    for first, last in zip(starts, np.append(starts[1:], len(said)), strict=True):
        one, other = np.unique(said[first:last]), np.unique(true[first:last])
        crowds = truth.crowd[other].astype(int).tolist()
        grid = np.asarray(mask.iou(runs(detections, one), runs(truth, other), crowds))
        found[first:last] = grid[np.searchsorted(one, said[first:last]), np.searchsorted(other, true[first:last])]
    return found
