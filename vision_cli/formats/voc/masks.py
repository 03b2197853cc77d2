"""VOC's masks: a picture of classes and one of objects a photo, with 0 for background and 255 for border or void.

Object k of a picture is the k-th object of the photo's annotation (VOC2012 development kit, section 'Segmentation').
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vision_cli.core import outline, rle
from vision_cli.core.errors import DataError
from vision_cli.formats.label_walk import parent_of, stem_of
from vision_cli.formats.voc.layout import CLASS_MASKS, OBJECT_MASKS, base_of
from vision_cli.formats.voc.splits import BACKGROUND
from vision_cli.imaging.masks import Mask, ids_of_colours, read_mask, voc_palette

VOID = 255
CLASSES = (
    *("aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "diningtable", "dog"),
    *("horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor"),
)
"""VOC's own classes, in the order of their indices from 1."""

Picture = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True, slots=True)
class Region:
    """Pixels of one object, or of one class where a photo has no picture of objects.

    Attributes:
        name: of the class.
        place: place of the object in the annotation, from 0; -1 for a whole class.
        outline: a run-length mask, as the column holds it.
        box: left, top, width, height in pixels, right and bottom exclusive.
    """

    name: str
    place: int
    outline: bytes
    box: tuple[int, int, int, int]


def class_table(label_map: Sequence[str] | None) -> dict[int, str]:
    """Return the class of each index; VOC's own classes without a label map."""
    names = [BACKGROUND, *CLASSES] if label_map is None else list(label_map)
    return {index: name for index, name in enumerate(names) if index < VOID and name != BACKGROUND}


def mask_path(photo: str, folder: str = CLASS_MASKS) -> str:
    """Return where the mask of a photo is."""
    return f"{base_of(parent_of(photo))}/{folder}/{stem_of(photo.rpartition('/')[2])}.png".lstrip("/")


def regions(root: Path, photo: str, table: dict[int, str], size: tuple[int, int]) -> list[Region]:
    """Return what the masks of one photo show, objects in order of their numbers.

    Args:
        root: of the set.
        photo: its path.
        table: class of each index.
        size: (width, height) of the photo.

    Raises:
        DataError: a mask that cannot be read, of another size, or with indices or colours of no class, counted.
    """
    classes = _picture(root, mask_path(photo), size)
    _check_classes(classes, table, mask_path(photo))
    objects_path = mask_path(photo, OBJECT_MASKS)
    has_objects = (root / objects_path).is_file()
    objects = _picture(root, objects_path, size) if has_objects else classes
    found = []
    for number, counts in zip(*rle.encode_labels(objects), strict=True):
        if number in (0, VOID):
            continue
        inside = classes[objects == number]
        inside = inside[(inside != 0) & (inside != VOID)]
        if not inside.size:
            text = f"object {number} has {int((objects == number).sum())} pixels, none of them of a class"
            raise DataError(f"{objects_path}: {text}.")
        name = table[int(np.bincount(inside).argmax())]
        data, box = outline.of_counts(counts, *objects.shape), rle.box(counts, objects.shape[0])
        found.append(Region(name, int(number) - 1 if has_objects else -1, data, box))
    return found


def _picture(root: Path, path: str, size: tuple[int, int]) -> Picture:
    """Return indices int64 (H, W); colours are looked up among VOC's."""
    mask = read_mask(root / path)
    if mask.size != size:
        raise DataError(f"{path}: has {mask.size[0]} x {mask.size[1]} pixels, its photo {size[0]} x {size[1]}.")
    if not mask.coloured:
        return mask.values.astype(np.int64)
    return _indices(mask, path)


def _indices(mask: Mask, path: str) -> Picture:
    palette = ids_of_colours(voc_palette()[None])[0]
    order = np.argsort(palette)
    codes = ids_of_colours(mask.values)
    at = np.minimum(np.searchsorted(palette[order], codes), VOID)
    wrong = palette[order][at] != codes
    if wrong.any():
        colours = len(np.unique(codes[wrong]))
        raise DataError(f"{path}: {int(wrong.sum())} pixels have {colours} colours that are none of VOC's.")
    return order[at].astype(np.int64)


def _check_classes(classes: Picture, table: dict[int, str], path: str) -> None:
    values, counts = np.unique(classes, return_counts=True)
    wrong = [
        f"{value} ({count} pixels)"
        for value, count in zip(values.tolist(), counts.tolist(), strict=True)
        if value not in table and value not in (0, VOID)
    ]
    if wrong:
        raise DataError(
            f"{path}: indices of no class: {', '.join(wrong[:10])}.",
            hint="Classes other than VOC's twenty need a labelmap.txt: a line 'name:::' an index, background first.",
        )
