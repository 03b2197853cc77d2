"""Boundary F1 (Csurka, Larlus & Perronnin 2013, What is a good evaluation measure for semantic segmentation?, BMVC).

A boundary pixel of a class has a neighbour (left, right, above, below) of another class. Precision is the share of the
answer's boundary pixels that lie nearer than the tolerance to a true one of the class, recall the reverse; the figure
of a photo is the mean over its classes, and the figure of a set the mean over photos.

Pixels to be ignored, such as the borders around VOC's objects, hide the true boundary. Up to the tolerance they take
the nearest class, which puts it into the middle of such a border; farther inside there is none. What the answer draws
on them is not false, and may be what a true boundary finds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from vision_cli.core.place_targets import IGNORED
from vision_cli.imaging.distances import spread, to_nearest_px
from vision_cli.metrics.intervals import Floats

TOLERANCE = 0.0075
"""Of the photo's diagonal, as in the paper."""
Classes = NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class _Outline:
    """Boundary pixels of one class.

    Attributes:
        y: int64 (N,).
        x: int64 (N,).
    """

    y: NDArray[np.int64]
    x: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.y)

    def near(self, other: _Outline, tolerance_px: float) -> NDArray[np.bool_]:
        """Return which pixels lie nearer to another outline than the tolerance."""
        if not len(self) or not len(other):
            return np.zeros(len(self), dtype=np.bool_)
        top, left = min(self.y.min(), other.y.min()), min(self.x.min(), other.x.min())
        plane = np.zeros(
            (max(self.y.max(), other.y.max()) - top + 1, max(self.x.max(), other.x.max()) - left + 1), bool
        )
        plane[other.y - top, other.x - left] = True
        return np.asarray(to_nearest_px(plane)[self.y - top, self.x - left] < tolerance_px)


def boundary_f1(truth: Classes, said: Classes, n_classes: int) -> Floats:
    """Return the boundary F1 of each class in one photo, float64 (C,); NaN where neither side has a boundary.

    Args:
        truth: int16 (H, W), class ids, IGNORED where there is none.
        said: likewise; IGNORED where the network did not look.
        n_classes: C.
    """
    tolerance_px = TOLERANCE * math.hypot(*truth.shape)
    known = truth != IGNORED
    whole = truth if known.all() else spread(truth, known, tolerance_px)
    true, drawn = _outlines(whole, n_classes), _outlines(said, n_classes)
    return np.array([_f1(*pair, known, tolerance_px) for pair in zip(true, drawn, strict=True)])


def _outlines(classes: Classes, n_classes: int) -> list[_Outline]:
    edges = np.zeros(classes.shape, dtype=np.bool_)
    for first, second in ((np.s_[:-1], np.s_[1:]), (np.s_[:, :-1], np.s_[:, 1:])):
        differ = (classes[first] != classes[second]) & (classes[first] != IGNORED) & (classes[second] != IGNORED)
        edges[first] |= differ
        edges[second] |= differ
    y, x = np.nonzero(edges)
    of = classes[y, x]
    order = np.argsort(of, kind="stable")
    bounds = np.searchsorted(of[order], np.arange(n_classes + 1))
    return [_Outline(y[order[a:b]], x[order[a:b]]) for a, b in pairwise(bounds)]


def _f1(true: _Outline, drawn: _Outline, known: NDArray[np.bool_], tolerance_px: float) -> float:
    counted = known[drawn.y, drawn.x]
    if not len(true) and not counted.any():
        return math.nan
    right, found = drawn.near(true, tolerance_px)[counted], true.near(drawn, tolerance_px)
    # Where nothing is drawn nothing drawn is false, and the other way round.
    precision, recall = (float(each.mean()) if each.size else 1.0 for each in (right, found))
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0
