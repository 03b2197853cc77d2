"""LabelMe: one JSON a photo. See https://github.com/wkentaro/labelme (`labelme/label_file.py`).

A set is a folder, searched with its subfolders, or one file. `imagePath` is relative to its JSON, with either kind of
slash, and stays below the folder. Polygons of one label and `group_id` are parts of one object; flags of a photo that
are set are its classes; `labels.txt` orders the classes. A photo inside of the JSON (`imageData`) is left out where the
file is there, and refused where it is not.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from vision_cli.core.conservation import Loss
from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError
from vision_cli.core.origin import Pixels
from vision_cli.formats import ReadOptions, WriteOptions, Written, conserving
from vision_cli.formats.label_walk import tree
from vision_cli.formats.labelling_rows import reshaped
from vision_cli.formats.labelme import writing as labelme_write
from vision_cli.formats.labelme.reading import Reader

CARRIES = frozenset(
    (
        *("class", "classes", "box", "polygon", "polygons", "mask", "crowd", "keypoints", "rotation", "truncated"),
        *("occluded", "difficult", "score", "track", "annotator", "attributes", "area", "ids", "unlabelled"),
        *("split", "group", "metadata", "order", "no-class", "no-area", "out-of-frame", "no-image"),
    )
)
PIXELS: Pixels = "exclusive"

_HEAD_BYTES = 1 << 16
_LOOKED_AT = 200
_FILES = 20
_SHAPES = re.compile(rb'"shapes"\s*:\s*\[')
_PATH = re.compile(rb'"imagePath"\s*:')


def detect(path: Path) -> str | None:
    """Return the evidence that a JSON file, or one of the first in a folder, is LabelMe's."""
    if path.is_file():
        return f"{path.name} has `shapes` and `imagePath`" if path.suffix.lower() == ".json" and _fits(path) else None
    try:
        names = tree(path, ".json", most=_LOOKED_AT).labels[:_FILES]
    except DataError:
        return None
    found = next((name for name in names if _fits(path / name)), None)
    return None if found is None else f"{found} has `shapes` and `imagePath`"


def _fits(file: Path) -> bool:
    """Look at both ends of a file: imageData may stand between shapes and the rest."""
    with file.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
        stream.seek(max(0, file.stat().st_size - _HEAD_BYTES))
        both = head + stream.read(_HEAD_BYTES)
    return _SHAPES.search(both) is not None and _PATH.search(both) is not None


def read(path: Path, options: ReadOptions) -> Dataset:
    """Read a folder of JSON files, or one.

    Raises:
        DataError: no such file, bad shapes, or photos that are not to be had: all at once, by file.
    """
    return Reader(path, options).dataset()


def write(dataset: Dataset, folder: Path, options: WriteOptions) -> Written:
    """Write a JSON beside each photo's place, and `labels.txt`."""
    return labelme_write.write(dataset, folder)


def losses(dataset: Dataset) -> list[Loss]:
    """Return what LabelMe cannot say beyond what `CARRIES` tells: its flags have a name and nothing else."""
    table = dataset.annotations
    label = conserving.shapes(table).label
    said = np.zeros(table.num_rows, dtype=np.bool_)
    for name in ("source_id", "annotator", "score", "attributes"):
        said |= conserving.valid(table, name)
    classes = conserving.numbers(table, "class_id", -1).astype(np.int64)
    pairs = np.stack([dataset.rows_of(table["image_id"]), classes], axis=1)
    again = label.copy()
    rows = np.flatnonzero(label)
    again[rows[np.unique(pairs[rows], axis=0, return_index=True)[1]]] = False
    nameless = label & ~conserving.valid(table, "class_id")
    found = [
        reshaped(dataset),
        Loss("class", "annotation", "the same class of a photo again", again & ~nameless),
        Loss("no-class", "annotation", "no class", nameless),
        Loss("attributes", "detail", "what is said of a photo's class", label & said & ~again & ~nameless),
    ]
    return [loss for loss in found if loss.rows.any()]
