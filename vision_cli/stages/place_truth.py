"""Labels of places as detectors and segmenters take them: boxes that count edges, outlines, classes of pixels."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow.compute as pc

from vision_cli.core.dataset import ClassMap, Dataset
from vision_cli.core.detections import Truth
from vision_cli.core.errors import DataError
from vision_cli.core.place_targets import IGNORED
from vision_cli.core.truth import truth_of
from vision_cli.stages.converting import reshaping
from vision_cli.views import pixels

BACKGROUND = "background"
"""The class of pixels that no label covers, where the labels are of objects."""
_EVERY_PIXEL = frozenset({"voc-segmentation", "cityscapes", "masks", "panoptic"})
"""Formats whose labels speak of every pixel; one without a label is to be ignored there."""
_BOX = frozenset({"box"})


def task_of(dataset: Dataset) -> str | None:
    """Return the task that labels of places serve; None where they are of whole photos.

    Outlines of every object were drawn to learn masks from; where some have boxes alone, boxes are learned.
    """
    formats = {origin.format for origin in dataset.origins.values()}
    if formats and formats <= _EVERY_PIXEL:
        return "panoptic" if formats == {"panoptic"} else "semantic"
    placed, outlined = (_there(dataset, name) for name in ("x", "outline"))
    if not placed and not outlined:
        return None
    return "instance" if outlined >= max(placed, 1) else "detect"


def _there(dataset: Dataset, name: str) -> int:
    table = dataset.annotations
    return len(table) - table[name].null_count if name in table.column_names else 0


def prepared(dataset: Dataset, task: str) -> Dataset:
    """Return a data set whose boxes count edges, whose outlines have boxes, and which names the background.

    Raises:
        DataError: there are no boxes or outlines to learn from, or an outline cannot be read.
    """
    dataset = reshaping.in_pixels(dataset, pixels.convention(dataset), "exclusive")
    dataset = reshaping.with_boxes(dataset, _BOX)
    _check(dataset, task)
    if task == "semantic" and not _speaks_of_every_pixel(dataset) and BACKGROUND not in dataset.classes.names:
        return dataset.with_classes(ClassMap((*dataset.classes.names, BACKGROUND)))
    return dataset


def truth(dataset: Dataset, classes: ClassMap, task: str) -> Truth:
    """Return the truth about a prepared data set's photos, photo by photo.

    Raises:
        DataError: a photo of unknown size, or an outline that does not fit its photo.
    """
    found = truth_of(dataset, classes, masks=task != "detect")
    found.check(len(classes))
    return found.select(np.argsort(found.photo, kind="stable"))


def background(dataset: Dataset) -> int:
    """Return the class of pixels without a label; IGNORED where the labels speak of every pixel."""
    if _speaks_of_every_pixel(dataset) or BACKGROUND not in dataset.classes.names:
        return IGNORED
    return dataset.classes.index(BACKGROUND)


def things(dataset: Dataset) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return bool (C,): which classes are objects, as panoptic sets say it (`isthing`); all, where nothing is said."""
    found = np.ones(len(dataset.classes), dtype=np.bool_)
    for origin in dataset.origins.values():
        for name, record in origin.class_records.items():
            if name in dataset.classes.names and _is_stuff(record):
                found[dataset.classes.index(name)] = False
    return found


def _is_stuff(record: bytes) -> bool:
    try:
        member = json.loads(record)
    except ValueError:
        return False
    return isinstance(member, dict) and member.get("isthing") == 0


def _speaks_of_every_pixel(dataset: Dataset) -> bool:
    formats = {origin.format for origin in dataset.origins.values()}
    return bool(formats) and formats <= _EVERY_PIXEL


def _check(dataset: Dataset, task: str) -> None:
    table = dataset.annotations
    needed, what = ("x", "boxes") if task == "detect" else ("outline", "outlines or masks")
    there = needed in table.column_names and pc.any(pc.is_valid(table[needed])).as_py()
    if not there:
        raise DataError(
            f"the task is {task}, and no label of the view has {what}.",
            hint="Set another task, or give labels of that kind.",
        )
