"""Who is held out when: scikit-learn's stratified folds, by group where photos belong together."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError, UsageError
from vision_cli.views.balance import strata_of_values

Ints = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True, slots=True, eq=False)
class Folds:
    """The fold of each photo.

    Attributes:
        fold: int64 (N,), 0 .. k - 1, in the order of the data set.
        k: number of folds.
        rule: what dealt them: the splitter of scikit-learn.
        notes: what their reader should know.
    """

    fold: Ints
    k: int
    rule: str
    notes: tuple[str, ...] = ()


def deal(dataset: Dataset, task: str, k: int, seed: int, column: str | None = None) -> Folds:
    """Deal photos into folds, classes alike; photos of one group stay together.

    The fold of a photo is that of scikit-learn's `StratifiedGroupKFold`, or `StratifiedKFold` where no two photos share
    a group, with `shuffle=True` and `random_state=seed`, for the photos in the order of the data set. Photos of one
    class are stratified by it, those of several by the rarest that they show, values by their quantile.

    Args:
        dataset: photos.
        task: of core/tasks.py.
        k: number of folds, 2 or more.
        seed: of the shuffling.
        column: whose equal values stay together; None for `group`.

    Raises:
        UsageError: fewer than two folds, or more than photos or groups.
    """
    groups, notes = groups_of(dataset, column), []
    units = int(groups.max(initial=-1)) + 1
    if not 2 <= k <= units:
        what = "photos" if units == len(dataset) else "groups of photos"
        raise UsageError(f"--folds {k}: {units:,} {what} give 2 to {units:,} folds.", hint="-k 5")
    strata = strata_of(dataset, task)
    counts = np.bincount(strata)
    few = [name for name, number in zip(_names(dataset, task), counts, strict=False) if 0 < number < k]
    if few and task != "regress":
        notes.append(f"fewer photos than folds of {', '.join(few[:10])}: some folds judge none.")
    if counts.max(initial=0) < k:
        raise DataError(f"no class has as many photos as there are folds ({k}).", hint="Ask for fewer: -k 2.")
    rule, fold = _fold(strata, groups if units < len(dataset) else None, k, seed)
    return Folds(fold, k, rule, tuple(notes))


def _fold(strata: Ints, groups: Ints | None, k: int, seed: int) -> tuple[str, Ints]:
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    splitter = (StratifiedKFold if groups is None else StratifiedGroupKFold)(k, shuffle=True, random_state=seed)
    fold = np.full(len(strata), -1, dtype=np.int64)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The least populated class", category=UserWarning)
        for number, (_, held) in enumerate(splitter.split(strata, strata, groups)):
            fold[held] = number
    return type(splitter).__name__, fold


def groups_of(dataset: Dataset, column: str | None = None) -> Ints:
    """Return a number for each photo, int64 (N,): equal where photos belong together; one without a group is alone."""
    names = dataset.images[column or "group"].to_pylist()
    first: dict[object, int] = {}
    keys = (("photo", row) if name is None else ("group", name) for row, name in enumerate(names))
    return np.array([first.setdefault(key, len(first)) for key in keys], dtype=np.int64)


def strata_of(dataset: Dataset, task: str) -> Ints:
    """Return what photos are stratified by, int64 (N,): class, rarest class shown, or quantile of the value."""
    if task == "classify":
        return dataset.class_ids()
    if task == "regress":
        return np.asarray(strata_of_values(dataset.values()).argmax(axis=1), dtype=np.int64)
    matrix = dataset.class_matrix()
    number = matrix.sum(axis=0)
    rarity = np.where(matrix, number[None, :].astype(np.float64), np.inf)
    rarest = rarity.argmin(axis=1) if matrix.shape[1] else np.zeros(len(matrix), dtype=np.int64)
    return np.where(matrix.any(axis=1), rarest, matrix.shape[1]).astype(np.int64)


def _names(dataset: Dataset, task: str) -> Sequence[str]:
    return () if task == "regress" else (*dataset.classes.names, "photos without a class")
