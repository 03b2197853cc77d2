"""What of photos' pixels is kept: counts of each photo, and where classes were taken for others. No map is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vision_cli.core.detections import Ints
from vision_cli.core.errors import DataError
from vision_cli.core.place_targets import IGNORED
from vision_cli.metrics.intervals import Floats
from vision_cli.metrics.semantic.boundaries import boundary_f1

Classes = NDArray[np.int16]


class Tallies:
    """Counts of N photos, added up photo by photo.

    Args:
        n_classes: C.
        boundaries: measure the boundary F1 of each photo too.

    Attributes:
        confusion: int64 (C, C + 1): pixels by true class and by what was said; the last column is nothing.
    """

    def __init__(self, n_classes: int, *, boundaries: bool = True) -> None:
        self.n_classes, self.boundaries = n_classes, boundaries
        self.confusion = np.zeros((n_classes, n_classes + 1), dtype=np.int64)
        self._counts: list[Ints] = []
        self._boundary_f1: list[Floats] = []

    def __len__(self) -> int:
        """Return the number of photos."""
        return len(self._counts)

    def add(self, truth: Classes, said: Classes) -> None:
        """Add a photo.

        Args:
            truth: int16 (H, W), class ids; IGNORED where nobody labelled: such pixels count nowhere.
            said: likewise; IGNORED where nothing was said: such pixels are missed.

        Raises:
            DataError: maps of different sizes, or a class out of range.
        """
        check(truth, said, self.n_classes)
        confusion = confusion_of(truth, said, self.n_classes)
        self.confusion += confusion
        counts = np.stack([confusion.diagonal(), confusion.sum(axis=1), confusion[:, :-1].sum(axis=0)])
        self._counts.append(counts)
        if self.boundaries:
            self._boundary_f1.append(boundary_f1(truth, said, self.n_classes))

    @property
    def counts(self) -> Ints:
        """Return int64 (N, 3, C): pixels of each class that are right, there, and said, of those with a label."""
        return np.array(self._counts, dtype=np.int64).reshape(-1, 3, self.n_classes)

    @property
    def boundary_f1(self) -> Floats:
        """Return float64 (N, C); NaN where a photo has no boundary of the class, (0, C) where not measured."""
        return np.array(self._boundary_f1, dtype=np.float64).reshape(-1, self.n_classes)


def check(truth: Classes, said: Classes, n_classes: int) -> None:
    """Refuse maps that do not fit.

    Raises:
        DataError: maps of different sizes, or a class out of range.
    """
    if truth.shape != said.shape or truth.ndim != 2 or not truth.size:
        raise DataError(f"pixels: the labels are of a photo {truth.shape}, and the answer is of {said.shape}.")
    for name, classes in (("labels", truth), ("answer", said)):
        low, high = int(classes.min()), int(classes.max())
        if low < IGNORED or high >= n_classes:
            raise DataError(f"pixels: classes of the {name} run from {low} to {high}, and there are {n_classes}.")


def confusion_of(truth: Classes, said: Classes, n_classes: int) -> Ints:
    """Return int64 (C, C + 1) of one photo: rows are the truth, columns what was said, the last is nothing."""
    known = truth != IGNORED
    columns = np.where(said == IGNORED, n_classes, said)[known].astype(np.int64)
    cells = truth[known].astype(np.int64) * (n_classes + 1) + columns
    return np.bincount(cells, minlength=n_classes * (n_classes + 1)).reshape(n_classes, n_classes + 1)
