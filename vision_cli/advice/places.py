"""Warn of too few objects, segments or photos of a class to learn from, or to prove anything on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow.compute as pc

from vision_cli.advice.finding import Finding, dominant, listed
from vision_cli.core.dataset import SPLITS, Dataset
from vision_cli.core.tasks import OBJECT_TASKS

MIN_TEST = 36
"""A class: all of so many found is the first number to prove a recall of 0.9 (0.025 ** (1 / 36) = 0.903)."""
MIN_TRAIN = 50
"""Objects or segments a class; a judgement, for a network that has seen COCO or ImageNet."""
MIN_TRAIN_PHOTOS = 10
"""Photos a class of pixels; a judgement: each photo has thousands of pixels."""
_TAIL = 0.025
"""Of a two-sided interval of 95 %."""
_BACKGROUND = "background"
"""The class that the stage adds for pixels without a label has no annotation of its own."""

Counts = np.ndarray[Any, np.dtype[np.int64]]


def of_places(dataset: Dataset, task: str) -> list[Finding]:
    """Return what the labels of places cannot support.

    Args:
        dataset: every photo has a split.
        task: of `core.tasks.PLACE_TASKS`: `semantic` counts the photos that show a class, others what is labelled.
    """
    every, classes, what = counts(dataset, task), dataset.classes.names, unit(task)
    shown = [row for row, name in enumerate(classes) if task != "semantic" or name != _BACKGROUND or _any(every, row)]
    names, numbers = tuple(classes[row] for row in shown), {split: each[shown] for split, each in every.items()}
    found = [item for split, each in numbers.items() for item in _missing(split, (names, each), what)]
    if "test" in numbers:
        found += _few_test(names, numbers, task)
    if "train" in numbers:
        found += _few_train(names, numbers["train"], what)
    if task in OBJECT_TASKS:
        found += _one_class(names, numbers["test"] if "test" in numbers else _total(numbers))
    return found


def unit(task: str) -> str:
    """Return what is counted."""
    return "object" if task in OBJECT_TASKS else "segment" if task == "panoptic" else "photo"


def counts(dataset: Dataset, task: str) -> dict[str, Counts]:
    """Return int64 (C,) for each split that has photos; crowds are no objects."""
    splits, number = dataset.splits(), len(dataset.classes)
    if task == "semantic":
        matrix = dataset.class_matrix()
        there = [name for name in SPLITS if (splits == name).any()]
        return {name: np.asarray(matrix[splits == name].sum(axis=0), np.int64) for name in there}
    table = dataset.annotations.filter(pc.is_valid(dataset.annotations["class_id"]))
    if "iscrowd" in table.column_names:
        table = table.filter(pc.invert(pc.fill_null(table["iscrowd"], False)))
    of, classes = splits[dataset.rows_of(table["image_id"])], table["class_id"].to_numpy()
    return {name: np.bincount(classes[of == name], minlength=number) for name in SPLITS if (splits == name).any()}


def _any(counts: dict[str, Counts], row: int) -> bool:
    return any(each[row] for each in counts.values())


def _total(counts: dict[str, Counts]) -> Counts:
    return np.asarray(sum(counts.values()), np.int64)


def _missing(split: str, classes: tuple[tuple[str, ...], Counts], what: str) -> list[Finding]:
    absent = [name for name, count in zip(*classes, strict=True) if not count]
    if not absent:
        return []
    cost = "nothing can be learnt of them" if split == "train" else "nothing is known of them there"
    message = f"{len(absent)} of {len(classes[0])} classes have no {split} {what}, {cost}: {listed(absent)}."
    return [Finding(f"class-missing-in-{split}", message, float(len(absent)))]


def _few_test(names: tuple[str, ...], counts: dict[str, Counts], task: str) -> list[Finding]:
    what, few = unit(task), _few(counts["test"], MIN_TEST)
    if not few:
        return []
    least = int(counts["test"][few[0]])
    in_each = [" / ".join(str(each[row]) for each in counts.values()) for row in few]
    shown = listed([f"{names[row]} {text}" for row, text in zip(few, in_each, strict=True)])
    message = (
        f"{_classes(len(few))} fewer than {MIN_TEST} test {what}s ({' / '.join(counts)}: {shown}): "
        f"{_proof(names[few[0]], least, task)}."
    )
    return [Finding(f"few-test-{what}s", message, float(least))]


def _proof(name: str, number: int, task: str) -> str:
    if task == "semantic":
        return f"the IoU of '{name}' rests on {number}, and its interval will be wide; judge miou"
    best = _TAIL ** (1 / number)
    figure = "recall" if task in OBJECT_TASKS else "share of found segments"
    metric = "ap50 over all classes" if task in OBJECT_TASKS else "pq over all classes"
    return f"finding all {number} of '{name}' proves a {figure} of no more than {best:.2f}; judge {metric}"


def _few_train(names: tuple[str, ...], counts: Counts, what: str) -> list[Finding]:
    limit = MIN_TRAIN_PHOTOS if what == "photo" else MIN_TRAIN
    few = _few(counts, limit)
    if not few:
        return []
    shown = listed([f"{names[row]} {counts[row]}" for row in few])
    message = f"{_classes(len(few))} fewer than {limit} {what}s to learn from: {shown}."
    return [Finding(f"few-train-{what}s", message, float(counts[few[0]]))]


def _few(counts: Counts, least: int) -> list[int]:
    """Return the classes that are there, but too seldom; the smallest first."""
    return [row for row in np.argsort(counts, kind="stable").tolist() if 0 < counts[row] < least]


def _classes(number: int) -> str:
    return "1 class has" if number == 1 else f"{number} classes have"


def _one_class(names: tuple[str, ...], counts: Counts) -> list[Finding]:
    found = dominant(counts)
    if found is None:
        return []
    largest, share = found
    message = (
        f"'{names[largest]}' is {share:.0%} of the objects, and f1_micro, precision_micro and recall_micro speak of it "
        "alone. Judge ap50 or f1, means over classes, or ap50[class]."
    )
    return [Finding("imbalanced", message, share)]
