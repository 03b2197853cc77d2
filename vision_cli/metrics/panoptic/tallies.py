"""Which segments of a photo are found (Kirillov et al. 2019, Panoptic Segmentation, CVPR, section 4).

The rules for void and crowds are those of the published evaluation (panopticapi, `evaluation.py`). A said segment finds
a true one of its class when their IoU is over 0.5, where pixels on void do not count as said. One that finds none is
false, unless more than half of it lies on void and on crowds of its class. Crowds are neither found nor missed. Where a
photo has several crowds of a class, all of them count; panopticapi looks at the last, and COCO has one.
"""

from __future__ import annotations

import numpy as np

from vision_cli.core.decoding.answers import PhotoSegments
from vision_cli.core.detections import Floats, Ints
from vision_cli.core.errors import DataError
from vision_cli.core.truth_maps import TrueSegments

IOU = 0.5
_SHARE = 0.5
FOUND, FALSE, MISSED = 1, 2, 3
"""Rows of a photo's sums, after the sum of IoUs."""


class Tallies:
    """Sums of N photos, added up photo by photo.

    Args:
        n_classes: C.
    """

    def __init__(self, n_classes: int) -> None:
        self.n_classes = n_classes
        self._sums: list[Floats] = []

    def __len__(self) -> int:
        """Return the number of photos."""
        return len(self._sums)

    def add(self, truth: TrueSegments, said: PhotoSegments) -> None:
        """Add a photo.

        Raises:
            DataError: maps of different sizes, or a class or segment out of range.
        """
        self._sums.append(compared(truth, said, self.n_classes))

    @property
    def sums(self) -> Floats:
        """Return float64 (N, 4, C): sum of the IoUs of found segments, and how many are found, false and missed."""
        return np.array(self._sums, dtype=np.float64).reshape(-1, 4, self.n_classes)


def compared(truth: TrueSegments, said: PhotoSegments, n_classes: int) -> Floats:
    """Return float64 (4, C) of one photo: sum of IoUs, found, false, missed.

    Raises:
        DataError: maps of different sizes, or a class or segment out of range.
    """
    _check(truth, said, n_classes)
    shared = _shared(truth, said)
    areas_true, areas_said, void = shared[1:].sum(axis=1), shared.sum(axis=0)[1:], shared[0, 1:]
    shared = shared[1:, 1:]
    union = areas_true[:, None] + areas_said[None] - shared - void[None]
    same = truth.classes[:, None] == said.classes[None]
    iou = np.where(same & ~truth.crowd[:, None], shared / np.maximum(union, 1), 0)
    found, by = np.nonzero(iou > IOU)
    missed = (areas_true > 0) & ~truth.crowd
    missed[found] = False
    unclear = void + (shared * (same & truth.crowd[:, None])).sum(axis=0)
    false = (areas_said > 0) & (unclear <= _SHARE * areas_said)
    false[by] = False
    classes = (truth.classes[found], truth.classes[found], said.classes[false], truth.classes[missed])
    weights = (iou[found, by], None, None, None)
    pairs = zip(classes, weights, strict=True)
    return np.stack([np.bincount(ids, each, minlength=n_classes).astype(np.float64) for ids, each in pairs])


def _shared(truth: TrueSegments, said: PhotoSegments) -> Ints:
    """Return int64 (1 + T, 1 + S): pixels that each true segment shares with each said one; 0 is none."""
    shape = (len(truth.classes) + 1, len(said) + 1)
    cells = truth.ids.ravel().astype(np.int64) * shape[1] + said.ids.ravel()
    return np.bincount(cells, minlength=shape[0] * shape[1]).reshape(shape)


def _check(truth: TrueSegments, said: PhotoSegments, n_classes: int) -> None:
    if truth.ids.shape != said.ids.shape or not truth.ids.size:
        raise DataError(
            f"segments: the labels are of a photo {truth.ids.shape}, and the answer is of {said.ids.shape}."
        )
    for name, ids, classes in (("labels", truth.ids, truth.classes), ("answer", said.ids, said.classes)):
        if ids.min() < 0 or ids.max() > len(classes):
            raise DataError(f"segments: numbers of the {name} run to {ids.max()}, and there are {len(classes)}.")
        if classes.size and not (classes.min() >= 0 and classes.max() < n_classes):
            raise DataError(f"segments: a class of the {name} is not one of {n_classes}.")
