"""Every example judged by a head that has not seen it."""

from __future__ import annotations

import numpy as np

from vision_cli.few_shot import heads
from vision_cli.few_shot.heads import Floats, Ids, Rows

ONE_BY_ONE = 60
"""Up to so many examples each is left out by itself; beyond, a tenth of each class at a time."""
FOLDS = 10
UNSEEN = -1e4
"""Logit of a class that had no other example."""


def folds(classes: Ids) -> Ids:
    """Return the fold of each example, int64 (N,): its own, or one of ten that are spread alike over the classes."""
    if len(classes) <= ONE_BY_ONE:
        return np.arange(len(classes))
    order = np.argsort(classes, kind="stable")
    found = np.empty(len(classes), np.int64)
    found[order] = np.arange(len(classes)) % FOLDS
    return found


def logits(head: str, embeddings: Rows, classes: Ids, size: int) -> Floats:
    """Return float64 (N, C): what a head fitted to the other folds says of each example.

    Args:
        head: a line of `heads.HEADS`.
        embeddings: float32 (N, D).
        classes: int64 (N,), 0 .. size - 1.
        size: number of classes.
    """
    found, fold = np.full((len(classes), size), UNSEEN), folds(classes)
    for number in np.unique(fold):
        held = fold == number
        seen, again = np.unique(classes[~held], return_inverse=True)
        if len(seen):
            part = heads.fit(head, embeddings[~held], again, len(seen)).logits(embeddings[held])
            found[np.ix_(np.flatnonzero(held), seen)] = part
    return found


def judged(classes: Ids) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return which examples count, bool (N,): those whose class has another one."""
    return np.asarray(np.bincount(classes)[classes] > 1)
