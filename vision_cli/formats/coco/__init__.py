"""COCO: one JSON file of photos, categories and annotations with boxes, outlines and keypoints.

Format: https://cocodataset.org/#format-data . Boxes are [x, y, width, height] in pixels from 0, edges exclusive.
Panoptic files are a format of their own; captions are refused.
"""

from __future__ import annotations

from pathlib import Path

from vision_cli.core.conservation import Loss
from vision_cli.core.dataset import Dataset
from vision_cli.core.origin import Pixels
from vision_cli.formats import ReadOptions, WriteOptions, Written
from vision_cli.formats.coco import layout as coco_layout
from vision_cli.formats.coco import reading as coco_read
from vision_cli.formats.coco.layout import Kind

__all__ = ["CARRIES", "PIXELS", "detect", "is_aside", "losses", "read", "write"]

CARRIES = frozenset(
    (
        *("class", "classes", "box", "polygon", "polygons", "mask", "crowd", "keypoints", "score", "track"),
        *(
            "truncated",
            "occluded",
            "difficult",
            "attributes",
            "area",
            "ids",
            "unlabelled",
            "split",
            "metadata",
            "order",
        ),
        *("no-area", "out-of-frame"),
    )
)
PIXELS: Pixels = "exclusive"

_KINDS: frozenset[Kind] = frozenset({"coco", "captions"})


def detect(path: Path) -> str | None:
    """Return the evidence that a file, or a folder's label files, are COCO, from the ends of the files."""
    if path.is_file() and coco_layout.sniff(path) == "results":
        return f"{path.name}: a list of COCO results with image_id, category_id and score"
    files, _ = coco_layout.find(path, _KINDS)
    if not files:
        return None
    names = ", ".join(str(file.path.relative_to(path)) if path.is_dir() else path.name for file in files[:3])
    return f"{names}: images, annotations and categories of COCO"


def is_aside(path: Path) -> bool:
    """Return whether a file lists photos and categories alone: labels of another kind lie beside it."""
    return path.is_file() and not coco_layout.has_annotations(path)


def read(path: Path, options: ReadOptions) -> Dataset:
    """Read a COCO file, a folder of them, or a list of results beside its ground truth.

    Args:
        path: the file or folder.
        options: `images` is the folder of the photos; outlines and records are left out where `need` names none.

    Raises:
        DataError: nothing fits, or something in a file is wrong: all of it at once.
    """
    return coco_read.read(path, options, "coco", _KINDS)


def losses(dataset: Dataset) -> list[Loss]:
    """Return photos and annotations that get another id, which nobody needs to allow."""
    from vision_cli.formats.coco import renumbered

    return renumbered.losses(dataset)


def write(dataset: Dataset, folder: Path, options: WriteOptions) -> Written:
    """Write `annotations/instances_<split>.json`; photos belong into a folder a split.

    Args:
        dataset: annotations all have a class.
        folder: there and empty.
        options: have no effect.
    """
    from vision_cli.formats.coco import writing as coco_write

    return coco_write.write(dataset, folder, "coco")
