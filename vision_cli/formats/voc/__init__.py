"""Pascal VOC: one XML of boxes a photo, lists of splits. Masks are in `voc_segmentation`; here their files come along.

Layouts: `Annotations`, `JPEGImages` and `ImageSets` at the top or in folders below it; `annotations` beside `images` in
any case; XML beside photos, as LabelImg writes it, in folders of splits or not. Boxes count pixels from 1, right and
bottom are the last pixel; sets that begin at 0 are found out and said in the notes.

Source: the VOC2012 development kit, http://host.robots.ox.ac.uk/pascal/VOC/voc2012/htmldoc/.

What XML cannot hold in a name (control characters, white space at its ends) is written as `_x0007_` and read back.
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
from vision_cli.formats.conserving import numbers, pixels_of
from vision_cli.formats.label_walk import read_small, tree
from vision_cli.formats.voc.layout import ANNOTATIONS, PHOTOS
from vision_cli.formats.voc.text import spelled

CARRIES = frozenset(
    (
        *("box", "truncated", "occluded", "difficult", "attributes", "unlabelled", "split", "metadata", "order"),
        *("no-area", "out-of-frame"),
    )
)
PIXELS: Pixels = "inclusive-1"

_LOOKED_AT = 50
_ENTRIES = 2000


def detect(path: Path) -> str | None:
    """Return the evidence that a folder, or one XML file, holds VOC annotations, from the first of them."""
    if path.is_file():
        return _evidence(path.parent, path.name) if path.suffix.lower() == ".xml" else None
    try:
        listing = tree(path, ".xml", most=_ENTRIES)
    except DataError:
        return None
    found = (evidence for name in islice(listing.labels, _LOOKED_AT) if (evidence := _evidence(path, name)))
    return next(found, None) or _folders(listing.labels, {part for name in listing.photos for part in name.split("/")})


def _evidence(root: Path, name: str) -> str | None:
    from vision_cli.formats.voc.xml import XmlError, photo_of

    try:
        document = photo_of(read_small(f"{root}/{name}"))
    except (XmlError, DataError):
        return None
    if not any(item.box is not None for item in document.objects):
        return None
    return f"{name} with {len(document.objects)} objects and their <bndbox>"


def _folders(annotations: list[str], photo_folders: set[str]) -> str | None:
    """Return VOC's own folders as evidence where no annotation has an object."""
    tops = {part for name in annotations for part in name.split("/")[:-1]}
    return f"folders {ANNOTATIONS} and {PHOTOS}" if ANNOTATIONS in tops and PHOTOS in photo_folders else None


def read(path: Path, options: ReadOptions) -> Dataset:
    """Read a folder of VOC annotations, or one file; classes are in a label map's order, else by code points.

    A photo is that with the annotation's own stem, else the one it names; its real size counts. Photos that are not
    there are noted where their size is stated. Pose `Unspecified` is none.

    Raises:
        DataError: XML that is not well-formed, not VOC's or dangerous, bad boxes, photos that cannot be read; all at
            once.
    """
    from vision_cli.formats.voc import reading as voc_read

    return voc_read.read(path, options)


def write(dataset: Dataset, folder: Path, options: WriteOptions) -> Written:
    """Write an annotation a photo: the source's own bytes with what has changed since, else a new document.

    Raises:
        ResourceError: the disk is full or refuses.
    """
    from vision_cli.formats.voc import writing as voc_write

    return voc_write.write(dataset, folder)


def losses(dataset: Dataset) -> list[Loss]:
    """Return boxes that VOC cannot say (right before left; without area where numbers are edges), and odd names."""
    table, found = dataset.annotations, []
    if "w" in table.column_names:
        least = np.minimum(numbers(table, "w", 1), numbers(table, "h", 1))
        flat = least <= 0 if pixels_of(dataset) == "exclusive" else least < 0
        found.append(Loss("no-area", "annotation", "no area", flat))
    odd = np.array([spelled(name) != name for name in dataset.classes.names] + [False], dtype=np.bool_)
    rows = odd[table["class_id"].fill_null(len(dataset.classes)).to_numpy()]
    found.append(
        Loss("names", "detail", "class name with _x0007_ and the like, read back as it was", rows, allowed=True)
    )
    return [loss for loss in found if loss.rows.any()]
