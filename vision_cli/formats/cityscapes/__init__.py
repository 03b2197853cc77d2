"""Cityscapes: polygons in drawing order as one JSON a photo, with pictures of label ids and instance ids beside it.

Specification: https://github.com/mcordts/cityscapesScripts (`helpers/labels.py`, `preparation/json2instanceImg.py`).
Photos are `leftImg8bit/<split>/<city>/<name>_leftImg8bit.png`, labels `gtFine/<split>/<city>/<name>_gtFine_...`:
`polygons.json`, `instanceIds.png` (class, or 1000 times class plus number) and `labelIds.png`; `gtCoarse` likewise.

In a data set each object is an annotation, in drawing order: a later one covers an earlier one. Its outline is the
polygon of the JSON; without JSONs it is the run-length mask of the pixels of `instanceIds`, or of a class in
`labelIds`, and `source_id` is the pixels' value. `cargroup` is the class `car` with the crowd flag. The city is the
`group`, the photo's `mask` the instance picture. Further members of an object are `attributes`. Deleted objects are
kept for a same-format copy and are no annotations. What no object covers is unlabelled; licence plates have no pixels.

Written are polygons, instance ids and label ids; the pictures for training and for the eye are made from them by
cityscapesScripts. A mask, or an object of several parts, becomes one polygon that goes from part to part and back on
the same line, and fills to the same pixels. Classes that Cityscapes does not know get the ids from 34 to 64; further
ones have polygons and no pixels.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vision_cli.core.conservation import Loss
from vision_cli.core.dataset import Dataset
from vision_cli.core.origin import Pixels
from vision_cli.formats import ReadOptions, WriteOptions, Written
from vision_cli.formats.cityscapes.labels import COUNTED, KINDS, MAX_FOREIGN, foreign
from vision_cli.formats.painting import empty_losses

CARRIES = frozenset(
    {
        *("polygon", "polygons", "mask", "crowd", "split", "group", "attributes", "unlabelled"),
        *("no-area", "out-of-frame"),
    }
)
PIXELS: Pixels = "exclusive"


def detect(path: Path) -> str | None:
    """Return the evidence of a folder `gtFine` or `gtCoarse` with labels in it."""
    from vision_cli.formats.cityscapes.reading import labels_folder

    found = labels_folder(path) if path.is_dir() else None
    return f"labels below {found.name}" if found is not None and found.name in KINDS else None


def read(path: Path, options: ReadOptions) -> Dataset:
    """Read the folder that holds `gtFine` and `leftImg8bit`.

    Raises:
        DataError: see `cityscapes_read.read`.
    """
    from vision_cli.formats.cityscapes import reading as cityscapes_read

    return cityscapes_read.read(path, options)


def write(dataset: Dataset, folder: Path, options: WriteOptions) -> Written:
    """Write polygons, instance ids and label ids.

    Raises:
        DataError: an outline cannot be filled, or a photo's size is not known.
        ResourceError: the disk refuses.
    """
    from vision_cli.formats.cityscapes import writing as cityscapes_write

    return cityscapes_write.write(dataset, folder, options)


def losses(dataset: Dataset) -> list[Loss]:
    """Return crowds of classes that are not counted, objects of classes without an id left, and empty masks."""
    ids = dataset.annotations["class_id"].fill_null(-1).to_numpy()
    names = np.array([*dataset.classes.names, ""], dtype=object)[ids]
    counted = np.array([name in COUNTED for name in names], dtype=np.bool_)
    late = set(foreign(dataset.classes.names)[MAX_FOREIGN:])
    beyond = np.array([name in late for name in names], dtype=np.bool_)
    found = [Loss("class", "detail", "no id left for the class: polygon alone", beyond), *empty_losses(dataset)]
    if "iscrowd" in dataset.annotations.column_names:
        crowd = dataset.annotations["iscrowd"].fill_null(False).to_numpy()
        found.append(Loss("crowd", "detail", "crowd of a class that is not counted", crowd & ~counted))
    return [loss for loss in found if loss.rows.any()]
