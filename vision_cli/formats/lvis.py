"""LVIS: COCO files whose photos say which categories are known to be absent, or not labelled throughout.

Format: https://www.lvisdataset.org/dataset . Categories carry `synset`, `frequency` and `def`; photos carry
`neg_category_ids` and `not_exhaustive_category_ids`, and since version 1 an address instead of a file name: its last
folder and name are the path (`train2017/000000391895.jpg`).
"""

from __future__ import annotations

from pathlib import Path

from vision_cli.core.dataset import Dataset
from vision_cli.core.origin import Pixels
from vision_cli.formats import ReadOptions, WriteOptions, Written, coco
from vision_cli.formats.coco import layout as coco_layout
from vision_cli.formats.coco import reading as coco_read
from vision_cli.formats.coco import writing as coco_write
from vision_cli.formats.coco.layout import Kind

CARRIES = coco.CARRIES
losses = coco.losses
PIXELS: Pixels = "exclusive"

_KINDS: frozenset[Kind] = frozenset({"lvis"})


def detect(path: Path) -> str | None:
    """Return the evidence that a file, or a folder's label files, are LVIS, from the ends of the files."""
    files, _ = coco_layout.find(path, _KINDS)
    if not files:
        return None
    names = ", ".join(str(file.path.relative_to(path)) if path.is_dir() else path.name for file in files[:3])
    return f"{names}: neg_category_ids and not_exhaustive_category_ids of LVIS"


def read(path: Path, options: ReadOptions) -> Dataset:
    """Read an LVIS file or a folder of them.

    Args:
        path: the file or folder.
        options: `images` is the folder of the photos; outlines and records are left out where `need` names none.

    Raises:
        DataError: nothing fits, or something in a file is wrong: all of it at once.
    """
    return coco_read.read(path, options, "lvis", _KINDS)


def write(dataset: Dataset, folder: Path, options: WriteOptions) -> Written:
    """Write `annotations/lvis_<split>.json`; photos belong into a folder a split.

    Args:
        dataset: annotations all have a class.
        folder: there and empty.
        options: have no effect.
    """
    return coco_write.write(dataset, folder, "lvis")
