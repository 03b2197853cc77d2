"""Labels of places as detectors and segmenters take them: boxes that count edges, outlines, classes of pixels."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow.compute as pc

from vision_cli.core.dataset import ClassMap, Dataset
from vision_cli.core.detections import Truth
from vision_cli.core.errors import DataError
from vision_cli.core.place_targets import IGNORED
from vision_cli.core.truth import truth_of
from vision_cli.formats import FORMATS
from vision_cli.stages.converting import reshaping
from vision_cli.views import pixels

BACKGROUND = "background"
"""The class of pixels that no label covers, where the labels are of objects."""
EVERY_PIXEL = frozenset({"voc-segmentation", "cityscapes", "masks", "panoptic"})
"""Formats whose labels speak of every pixel; one without a label is to be ignored there."""
_NOT_LABELLED = frozenset(
    ("unlabeled", "unlabelled", "void", "void unlabeled", "ignore", "ignored", "ignore region", "dont care")
)
"""Names, without case and marks, of pixels whose class nobody said: CamVid's Void, Cityscapes' unlabeled,
Mapillary's void--unlabeled, labelme's __ignore__. Evaluations of these sets leave them out."""
_MARKS = re.compile(r"[\W_]+")
_BOX = frozenset({"box"})


def task_of(dataset: Dataset) -> str | None:
    """Return the task that labels of places serve; None where they are of whole photos.

    Outlines of every object were drawn to learn masks from; where some have boxes alone, boxes are learned. Without any
    label it is the format that says what photos are labelled with.
    """
    formats = {origin.format for origin in dataset.origins.values()}
    if formats and formats <= EVERY_PIXEL:
        return "panoptic" if formats == {"panoptic"} else "semantic"
    placed, outlined = (_there(dataset, name) for name in ("x", "outline"))
    if not placed and not outlined:
        return "detect" if not len(dataset.annotations) and formats and all(map(_of_objects, formats)) else None
    return "instance" if outlined >= max(placed, 1) else "detect"


def _of_objects(name: str) -> bool:
    """Tell whether a format is one of labelled objects, and whole photos are at most labelled in passing."""
    carries = FORMATS.load(name).CARRIES if name in FORMATS else frozenset()
    return "box" in carries and "value" not in carries


def has_outlines(dataset: Dataset) -> bool:
    """Return whether any object has an outline or a mask."""
    return _there(dataset, "outline") > 0


def _there(dataset: Dataset, name: str) -> int:
    table = dataset.annotations
    return len(table) - table[name].null_count if name in table.column_names else 0


def not_labelled(dataset: Dataset, declared: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the classes that stand for pixels whose class nobody said, unless the user declared them as classes."""
    if not _speaks_of_every_pixel(dataset):
        return ()
    names = [name for name in dataset.classes.names if name not in declared]
    return tuple(name for name in names if _plain(name) in _NOT_LABELLED)


def _plain(name: str) -> str:
    return _MARKS.sub(" ", name.casefold().replace("'", "")).strip()


def prepared(dataset: Dataset, task: str, declared: Sequence[str] = ()) -> Dataset:
    """Return a data set whose boxes count edges, whose outlines have boxes, and which names the background.

    Pixels of classes such as `void` are left without a label, which is ignored; a note says it.

    Args:
        dataset: as it was read.
        task: of places.
        declared: classes that the user named, and that are learned whatever their names.

    Raises:
        DataError: there are no boxes or outlines to learn from, or an outline cannot be read.
    """
    dataset = reshaping.in_pixels(dataset, pixels.convention(dataset), "exclusive")
    dataset = _without_void(reshaping.with_boxes(dataset, _BOX), not_labelled(dataset, declared))
    _check(dataset, task)
    if task == "semantic" and not _speaks_of_every_pixel(dataset) and BACKGROUND not in dataset.classes.names:
        return dataset.with_classes(ClassMap((*dataset.classes.names, BACKGROUND)))
    return dataset


def _without_void(dataset: Dataset, names: Sequence[str]) -> Dataset:
    if not names:
        return dataset
    kept = ClassMap(tuple(name for name in dataset.classes.names if name not in names))
    named = " and ".join(map(repr, names))
    note = f"Pixels of {named} are ignored: nobody says what is there. Declare `classes` with it if it is one."
    return replace(dataset.with_classes(kept), notes=(*dataset.notes, note))


def truth(dataset: Dataset, classes: ClassMap, task: str, *, keypoints: bool = False) -> Truth:
    """Return the truth about a prepared data set's photos, photo by photo.

    Raises:
        DataError: a photo of unknown size, or an outline that does not fit its photo.
    """
    found = truth_of(dataset, classes, masks=task != "detect", keypoints=keypoints)
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
    return bool(formats) and formats <= EVERY_PIXEL


def _check(dataset: Dataset, task: str) -> None:
    table = dataset.annotations
    needed, what = ("x", "boxes") if task == "detect" else ("outline", "outlines or masks")
    there = needed in table.column_names and pc.any(pc.is_valid(table[needed])).as_py()
    if not there:
        raise DataError(
            f"the task is {task}, and no label of the view has {what}.",
            hint="Set another task, or give labels of that kind.",
        )
