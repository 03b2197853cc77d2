"""What is wrong with predictions, annotation by annotation: found, missed, of the wrong class, or too much.

Boxes are matched greedily by score, as the COCO evaluation does it (https://cocodataset.org/#detection-eval): each
prediction takes the free truth of its class with the highest overlap of at least 0.5. What then overlaps a free truth
of another class is of the wrong class. Photos with labels of whole photos are compared class by class.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from vision_cli.reports.browse_labels import ByPhoto, Layer

KINDS = ("right", "false positive", "wrong class", "missed", "low confidence")
RIGHT, FALSE_POSITIVE, WRONG_CLASS, MISSED, LOW = range(len(KINDS))

MATCH_IOU = 0.5
LOW_SCORE = 0.5

Ints = np.ndarray[Any, np.dtype[np.int64]]
Floats = np.ndarray[Any, np.dtype[np.float64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]


def judge(truth: Layer, said: Layer, photos: int, crowd: Flags | None = None) -> tuple[Ints, Ints]:
    """Return the kind of each truth and of each prediction, index into `KINDS` or -1.

    Args:
        truth: what is labelled.
        said: what a model said.
        photos: number of them.
        crowd: bool (A,) of the truth: regions that predictions may lie in without being wrong.
    """
    truth_kinds, said_kinds = np.full(len(truth.rows), -1), np.full(len(said.rows), -1)
    sides = truth.by_photo(photos), said.by_photo(photos)
    match = _match_boxes if truth.boxes is not None and said.boxes is not None else _match_labels
    for ours, theirs in _both(*sides):
        match(_Photo(truth, said, ours, theirs, crowd), truth_kinds, said_kinds)
    unsure = np.zeros(len(said.rows), dtype=np.bool_) if said.scores is None else said.scores < LOW_SCORE
    said_kinds[(said_kinds == RIGHT) & unsure] = LOW
    return truth_kinds, said_kinds


class _Photo:
    """The rows of one photo in both layers."""

    __slots__ = ("crowd", "ours", "said", "theirs", "truth")

    def __init__(self, truth: Layer, said: Layer, ours: Ints, theirs: Ints, crowd: Flags | None) -> None:
        self.truth, self.said = truth, said
        self.ours, self.theirs = ours, theirs
        self.crowd = np.zeros(len(ours), dtype=np.bool_) if crowd is None else crowd[ours]


def _both(truth: ByPhoto, said: ByPhoto) -> Iterable[tuple[Ints, Ints]]:
    for at in range(len(truth.bounds) - 1):
        ours = truth.order[truth.bounds[at] : truth.bounds[at + 1]]
        theirs = said.order[said.bounds[at] : said.bounds[at + 1]]
        if len(ours) or len(theirs):
            yield ours, theirs


def _match_labels(photo: _Photo, truth_kinds: Ints, said_kinds: Ints) -> None:
    """Compare classes; a photo of one class that got another is of the wrong class."""
    ours, theirs = photo.truth.class_ids[photo.ours], photo.said.class_ids[photo.theirs]
    if not len(theirs) or (theirs < 0).all():
        truth_kinds[photo.ours] = MISSED if len(theirs) == 0 and len(ours) else -1
        return
    right = np.isin(theirs, ours)
    single = len(ours) == 1 and len(theirs) == 1
    said_kinds[photo.theirs] = np.where(right, RIGHT, WRONG_CLASS if single else FALSE_POSITIVE)
    truth_kinds[photo.ours] = np.where(np.isin(ours, theirs), RIGHT, -1 if single else MISSED)


def _match_boxes(photo: _Photo, truth_kinds: Ints, said_kinds: Ints) -> None:
    if not len(photo.theirs):
        truth_kinds[photo.ours] = np.where(photo.crowd, -1, MISSED)
        return
    truth, said = photo.truth, photo.said
    scores = np.zeros(len(said.rows)) if said.scores is None else said.scores
    overlap = _iou(_boxes(truth)[photo.ours], _boxes(said)[photo.theirs], photo.crowd)
    same = truth.class_ids[photo.ours][:, None] == said.class_ids[photo.theirs][None, :]
    order = np.argsort(-scores[photo.theirs], kind="stable")
    kinds, free = np.full(len(photo.theirs), FALSE_POSITIVE), ~photo.crowd
    _take(order, np.where(same, overlap, 0.0), free, kinds, RIGHT)
    found = ~photo.crowd & ~free
    left = order[kinds[order] == FALSE_POSITIVE]
    _take(left, overlap, free, kinds, WRONG_CLASS)
    if photo.crowd.any():
        in_crowd = (overlap[photo.crowd] * same[photo.crowd] >= MATCH_IOU).any(axis=0)
        kinds[in_crowd & (kinds == FALSE_POSITIVE)] = -1
    said_kinds[photo.theirs] = kinds
    ours_kinds = np.where(found, RIGHT, np.where(free, MISSED, WRONG_CLASS))
    truth_kinds[photo.ours] = np.where(photo.crowd, -1, ours_kinds)


def _take(order: Ints, overlap: Floats, free: Flags, kinds: Ints, kind: int) -> None:
    """Give each prediction the free truth that it overlaps most."""
    if not len(free):
        return
    for at in order.tolist():
        best = int(np.argmax(np.where(free, overlap[:, at], -1.0)))
        if free[best] and overlap[best, at] >= MATCH_IOU:
            free[best] = False
            kinds[at] = kind


def _boxes(layer: Layer) -> Floats:
    return np.empty((0, 4)) if layer.boxes is None else layer.boxes


def _iou(ours: Floats, theirs: Floats, crowd: Flags) -> Floats:
    """Return float64 (T, P): intersection over union, over the prediction's own area in a crowd; NaN boxes give 0."""
    low = np.maximum(ours[:, None, :2], theirs[None, :, :2])
    high = np.minimum(ours[:, None, :2] + ours[:, None, 2:], theirs[None, :, :2] + theirs[None, :, 2:])
    joint = np.prod(np.maximum(high - low, 0), axis=2)
    own = np.prod(theirs[:, 2:], axis=1)[None, :]
    whole = np.where(crowd[:, None], own, np.prod(ours[:, 2:], axis=1)[:, None] + own - joint)
    return np.asarray(np.nan_to_num(np.divide(joint, whole, out=np.zeros_like(joint), where=whole > 0)), np.float64)
