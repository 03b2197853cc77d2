"""The labelled things that classifiers learn from: photos of one class, photos of several, or the crops of boxes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vision_cli.checks.embedded import Embedded
from vision_cli.checks.finding import Offenders, at_annotations, at_images
from vision_cli.checks.intervals import Ids, compact
from vision_cli.checks.out_of_fold import FOLDS, Rows
from vision_cli.checks.request import Request


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """Things with one class each.

    Attributes:
        noun: `photo` or `box`.
        embeddings: float32 (N, D).
        classes: int64 (N,), index into `names`.
        names: (C,) of the classes that have enough things of different groups to be held out.
        groups: int64 (N,).
        annotations: int64 (N,), row of the label.
        images: int64 (N,), row of the photo.
        left_out: names of the classes that have too few.
    """

    noun: str
    embeddings: Rows
    classes: Ids
    names: tuple[str, ...]
    groups: Ids
    annotations: Ids
    images: Ids
    left_out: tuple[str, ...]

    def places(self, rows: Ids, values: object) -> Offenders:
        """Return some of the things as offenders."""
        return at_annotations(self.annotations[rows], self.images[rows], values)


def single(request: Request, deep: Embedded) -> Labelled | None:
    """Return boxes if there are any, else the photos of one class; None where photos have several or no class."""
    if len(deep.crop_rows):
        return _kept(request, deep, deep.crop_rows, deep.crops, "box")
    labels = np.flatnonzero(request.class_ids >= 0)
    number = np.bincount(request.rows[labels], minlength=len(request.dataset))
    if not labels.size or number.max() > 1:
        return None
    label_of = np.full(len(request.dataset), -1, dtype=np.int64)
    label_of[request.rows[labels]] = labels
    found = label_of[deep.rows]
    return _kept(request, deep, found[found >= 0], deep.photos[found >= 0], "photo")


def _kept(request: Request, deep: Embedded, annotations: Ids, rows: Rows, noun: str) -> Labelled | None:
    """Leave out classes that have fewer groups than there are folds."""
    images = request.rows[annotations]
    classes, groups = request.class_ids[annotations], deep.groups[images]
    names = request.dataset.classes.names
    units = {each: len(np.unique(groups[classes == each])) for each in np.unique(classes).tolist()}
    enough = [each for each, number in units.items() if number >= FOLDS]
    few = tuple(names[each] for each in units if each not in enough)
    if len(enough) < 2:
        return None
    kept = np.isin(classes, enough)
    return Labelled(noun, rows[kept], compact(classes[kept]), tuple(names[each] for each in enough),
                    groups[kept], annotations[kept], images[kept], few)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Tagged:
    """Photos with several classes each.

    Attributes:
        embeddings: float32 (N, D).
        has: bool (N, C), index into `names`.
        names: (C,) of the classes that enough photos have and enough lack.
        groups: int64 (N,).
        images: int64 (N,), row of the photo.
    """

    embeddings: Rows
    has: NDArray[np.bool_]
    names: tuple[str, ...]
    groups: Ids
    images: Ids

    def places(self, rows: Ids, values: object) -> Offenders:
        """Return some of the photos as offenders."""
        return at_images(self.images[rows], values)


def tagged(request: Request, deep: Embedded) -> Tagged:
    """Return the photos that have a class, with all of theirs."""
    matrix = request.dataset.class_matrix()[deep.rows]
    labelled = matrix.any(axis=1)
    matrix, rows = matrix[labelled], deep.rows[labelled]
    groups = deep.groups[rows]
    enough = [
        column
        for column in range(matrix.shape[1])
        if min(len(np.unique(groups[matrix[:, column] == side])) for side in (True, False)) >= FOLDS
    ]
    names = tuple(request.dataset.classes.names[column] for column in enough)
    return Tagged(deep.photos[labelled], matrix[:, enough], names, groups, rows)
