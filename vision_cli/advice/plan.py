"""Warn of data that cannot support the plan: too few, missing, unbalanced, or the same photo on both sides."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from vision_cli.advice import duplicates, places
from vision_cli.advice.finding import Finding, dominant, listed
from vision_cli.core.dataset import SPLITS, Dataset
from vision_cli.core.progress import Progress, Silent
from vision_cli.core.tasks import PLACE_TASKS

__all__ = ["Finding", "warn"]

MIN_TEST_PHOTOS = 12
"""A class: below a dozen, one mistake moves its recall by more than 8 points."""
MIN_TRAIN_PHOTOS = 10
"""A class; a judgement, for heads on a frozen backbone."""
MIN_TRAIN_VALUES = 50
"""Photos with a value; a judgement."""

_MISLEADING_NONE = 0.9

Counts = np.ndarray[Any, np.dtype[np.int64]]


def warn(dataset: Dataset, task: str, *, progress: Progress | None = None, cache: Path | None = None) -> list[Finding]:
    """Return what the data cannot support.

    Args:
        dataset: every photo has a split.
        task: of `core.tasks.TASKS`.
        progress: hears how far the comparison of the photos is.
        cache: folder that keeps the photos' fingerprints; None keeps none.

    Raises:
        DataError: photos that cannot be decoded, all of them at once.
    """
    found = _empty_splits(dataset)
    if task in PLACE_TASKS:
        found += places.of_places(dataset, task)
    else:
        found += _of_values(dataset) if task == "regress" else _of_classes(dataset, task)
    return found + duplicates.across_splits(dataset, progress or Silent(), cache)


def _empty_splits(dataset: Dataset) -> list[Finding]:
    present = set(dataset.splits().tolist())
    costs = {"train": "nothing can be learnt", "val": "nothing chooses the best epoch", "test": "nothing can be judged"}
    return [
        Finding("empty-split", f"The split {name} has no photo: {costs[name]}.", 0.0)
        for name in SPLITS
        if name not in present
    ]


def _of_classes(dataset: Dataset, task: str) -> list[Finding]:
    matrix, splits = dataset.class_matrix(), dataset.splits()
    counts = {
        name: np.asarray(matrix[splits == name].sum(axis=0), np.int64) for name in SPLITS if (splits == name).any()
    }
    names = dataset.classes.names
    found = [item for split in counts for item in _missing(split, names, counts[split])]
    if "test" in counts:
        found += _few_test(names, counts["test"])
    if "train" in counts:
        found += _few_train(names, counts["train"])
    judged = matrix[splits == "test"] if "test" in counts else matrix
    return found + (_imbalanced(names, judged) if task == "classify" else _mostly_none(judged))


def _missing(split: str, names: tuple[str, ...], counts: Counts) -> list[Finding]:
    absent = [name for name, count in zip(names, counts, strict=True) if count == 0]
    if not absent:
        return []
    cost = "nothing can be learnt of them" if split == "train" else "nothing is known of them there"
    message = f"{len(absent)} of {len(names)} classes have no {split} photo, {cost}: {listed(absent)}."
    return [Finding(f"class-missing-in-{split}", message, float(len(absent)))]


def _few_test(names: tuple[str, ...], counts: Counts) -> list[Finding]:
    few = _below(names, counts, MIN_TEST_PHOTOS)
    if not few:
        return []
    least = min(int(count) for count in counts if count > 0)
    message = (
        f"{len(few)} classes have fewer than {MIN_TEST_PHOTOS} test photos ({listed(few)}): "
        f"one mistake moves the recall of the smallest by {100 / least:.0f} points."
    )
    return [Finding("few-test-photos", message, float(least))]


def _few_train(names: tuple[str, ...], counts: Counts) -> list[Finding]:
    few = _below(names, counts, MIN_TRAIN_PHOTOS)
    if not few:
        return []
    message = f"{len(few)} classes have fewer than {MIN_TRAIN_PHOTOS} photos to learn from: {listed(few)}."
    return [Finding("few-train-photos", message, float(min(count for count in counts if count > 0)))]


def _below(names: tuple[str, ...], counts: Counts, least: int) -> list[str]:
    """Return name and count of the classes that have photos, but too few; the smallest first."""
    order = np.argsort(counts, kind="stable")
    return [f"{names[index]} {counts[index]}" for index in order if 0 < counts[index] < least]


def _imbalanced(names: tuple[str, ...], judged: np.ndarray[Any, np.dtype[np.bool_]]) -> list[Finding]:
    found = dominant(judged.sum(axis=0))
    if found is None:
        return []
    largest, share = found
    message = (
        f"Accuracy misleads: always saying '{names[largest]}' scores {share:.3f}. "
        "Judge balanced_accuracy or f1, and see train.class_weights."
    )
    return [Finding("imbalanced", message, share)]


def _mostly_none(judged: np.ndarray[Any, np.dtype[np.bool_]]) -> list[Finding]:
    share = float(1 - judged.mean()) if judged.size else 0.0
    if share < _MISLEADING_NONE:
        return []
    message = f"Labels are rare: saying 'none' for every class is right in {share:.3f} of the answers. Judge f1 or map."
    return [Finding("imbalanced", message, share)]


def _of_values(dataset: Dataset) -> list[Finding]:
    values, splits = dataset.values(), dataset.splits()
    found = []
    for name in SPLITS:
        part = values[splits == name]
        if len(part) > 1 and np.ptp(part) == 0:
            message = f"All {len(part)} {name} photos have the value {part[0]:g}: there is nothing to tell apart."
            found.append(Finding(f"constant-values-in-{name}", message, float(part[0])))
    return found + _few_values(int((splits == "train").sum()), int((splits == "test").sum()))


def _few_values(train: int, test: int) -> list[Finding]:
    found = []
    if 0 < train < MIN_TRAIN_VALUES:
        message = f"Only {train} photos to learn from; a value needs {MIN_TRAIN_VALUES} or more."
        found.append(Finding("few-train-photos", message, float(train)))
    if 0 < test < MIN_TEST_PHOTOS:
        message = f"Only {test} test photos: each one carries {100 / test:.0f} % of every figure."
        found.append(Finding("few-test-photos", message, float(test)))
    return found
