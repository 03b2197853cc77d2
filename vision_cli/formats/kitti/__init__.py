"""KITTI object labels: one text file a photo, one line an object, with truncation, occlusion and three dimensions.

Layouts: `training/label_2` beside `training/image_2` (and `testing`), with folders of splits below either or lists in
`ImageSets`; `labels` beside `images`; text files beside their photos. Boxes count pixels from 0, right and bottom are
the last pixel ("0-based index" in the development kit's readme). Source: readme.txt and writeLabels.m of the object
development kit, https://www.cvlibs.net/datasets/kitti/eval_object.php.

A class name is one word there: white space, control characters and `%` in names are written as `%20` and the like, and
read back as they were.
"""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np

from vision_cli.core.conservation import Loss
from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError
from vision_cli.core.origin import Pixels
from vision_cli.formats import ReadOptions, WriteOptions, Written
from vision_cli.formats.kitti import reading as kitti_read
from vision_cli.formats.kitti import writing as kitti_write
from vision_cli.formats.kitti.layout import find_layout
from vision_cli.formats.kitti.lines import check, parse, split_lines, type_of
from vision_cli.formats.label_walk import read_small, tree

CARRIES = frozenset({"box", "3d", "truncated", "occluded", "score", "unlabelled", "split"})
PIXELS: Pixels = "inclusive-0"

_LOOKED_AT = 20
_ENTRIES = 2000


def detect(path: Path) -> str | None:
    """Return the evidence that a folder holds KITTI labels: the first label file with a line says."""
    if not path.is_dir():
        return None
    try:
        layout = find_layout(tree(path, ".txt", most=_ENTRIES))
        for label in islice(layout.label_files(), _LOOKED_AT):
            records = split_lines(read_small(f"{path}/{label}"))
            if records:
                return f"{label} with {len(records[0].split())} columns" if _is_kitti(records[0]) else None
    except DataError:
        return None
    return None


def _is_kitti(record: bytes) -> bool:
    """Tell whether a line is one of KITTI's: a word, then numbers. YOLO's begin with a number and are shorter."""
    wrong: list[int] = []
    check(parse([record], lambda row, *_: wrong.append(row)), lambda row, *_: wrong.append(row))
    return not wrong


def read(path: Path, options: ReadOptions) -> Dataset:
    """Read a folder of KITTI labels; classes are sorted by their code points, `DontCare` is one of them.

    Unknown values (-1, -10, -1000) are null. Photos without a label file stay, without labels.

    Raises:
        DataError: bad lines, labels without photo where others have one, or photos that cannot be read; all at once.
    """
    return kitti_read.read(path, options)


def write(dataset: Dataset, folder: Path, options: WriteOptions) -> Written:
    """Write a label file a photo: the source's own bytes where they still say the same, else new lines.

    Raises:
        ResourceError: the disk is full or refuses.
    """
    return kitti_write.write(dataset, folder)


def losses(dataset: Dataset) -> list[Loss]:
    """Return what is told but costs nothing: class names that are written with `%20` for a space."""
    changed = np.array([type_of(name) != name for name in dataset.classes.names] + [False], dtype=np.bool_)
    rows = changed[dataset.annotations["class_id"].fill_null(len(dataset.classes)).to_numpy()]
    if not rows.any():
        return []
    return [Loss("names", "detail", "class name with %20 for a space, read back as it was", rows, allowed=True)]
