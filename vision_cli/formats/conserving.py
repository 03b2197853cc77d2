"""What of a data set a format cannot hold, from the columns that are there and the names that the format carries.

A flag at its default (`truncated` 0, `difficult` false, no attributes) is no loss: without the flag it means the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vision_cli.core.columns import BOX_3D, IMAGE_COLUMNS, MORE_IMAGE_COLUMNS
from vision_cli.core.conservation import Loss, Mask
from vision_cli.core.dataset import Dataset
from vision_cli.core.origin import Pixels

PLACES = frozenset({"box", "polygon", "polygons", "mask", "keypoints"})
"""Names of what says where on a photo an object is."""
OUTLINES = frozenset({"polygon", "polygons", "mask"})
WHOLE_PHOTO = frozenset({"class", "classes"})

DEFECTS: Mapping[str, str] = {
    "no-image": "photos that are not there",
    "no-area": "boxes without area",
    "out-of-frame": "boxes outside of their photo",
    "no-class": "annotations without a class",
}
"""Losses that are the data's own fault, by name. Their rows are dropped unless the target `CARRIES` the name."""

OTHERS: Mapping[str, str] = {
    "overlaps": "pixels under other objects, where each pixel has one",
    "instances": "single objects, where a class is one area",
    "bounds": "boxes that are not the ones around their outlines",
    "size": "objects on photos of unknown size",
    "holes": "holes in outlines",
    "names": "class names that are spelled another way in files",
}
"""Losses that single formats add, by name."""

ONE_PIXEL = "one pixel wide or high, which is no area between edges"
"""Why a box is lost whose numbers count the last pixel, where they are kept for a format whose numbers are edges."""

_FIRST: dict[Pixels, int] = {"exclusive": 0, "inclusive-0": 0, "inclusive-1": 1}


@dataclass(frozen=True, slots=True)
class Shapes:
    """What each annotation is, bool (N,) each.

    Attributes:
        box: it has a box.
        polygons: its outline is of polygons.
        several: of more than one.
        mask: its outline is a run-length mask.
        keypoints: it has keypoints.
        value: it is a number of the whole photo.
        label: it is a class of the whole photo.
    """

    box: Mask
    polygons: Mask
    several: Mask
    mask: Mask
    keypoints: Mask
    value: Mask
    label: Mask

    @property
    def place(self) -> Mask:
        """Return which are anywhere on the photo."""
        return self.box | self.polygons | self.mask | self.keypoints


def shapes(annotations: pa.Table) -> Shapes:
    """Return what each annotation is."""
    parts = numbers(annotations, "outline_parts", 0)
    if "outline_parts" not in annotations.column_names:
        parts = valid(annotations, "outline").astype(np.float64)
    box, keypoints = valid(annotations, "x"), valid(annotations, "keypoints")
    anywhere = box | keypoints | (parts != 0)
    value = valid(annotations, "value") & ~anywhere
    label = ~anywhere & ~value
    return Shapes(box, parts > 0, parts > 1, parts < 0, keypoints, value, label)


def losses(dataset: Dataset, carries: frozenset[str], pixels: Pixels = "exclusive") -> list[Loss]:
    """Return what a format that carries these names cannot hold, without the losses that are empty.

    A row may stand in several losses; whoever counts gives it to the first. What photos are left without labels in
    the end depends on losses that a format adds: see `unlabelled`.

    Args:
        dataset: any.
        carries: names of what the format holds.
        pixels: what box numbers count in the format.
    """
    kinds = shapes(dataset.annotations)
    found = [
        *_whole_photo(dataset, kinds, carries),
        *_places(dataset, kinds, carries),
        *_defects(dataset, kinds, carries, pixels),
        *_details(dataset.annotations, kinds, carries),
        *_photo_details(dataset.images, carries),
    ]
    found = [loss for loss in found if loss.rows.any()]
    gone = np.zeros(dataset.annotations.num_rows, dtype=np.bool_)
    for loss in found:
        gone |= loss.rows if loss.kind == "annotation" else False
    return [*found, *unlabelled(dataset, gone, carries)]


def unlabelled(dataset: Dataset, gone: Mask, carries: frozenset[str]) -> list[Loss]:
    """Return the photos that stay without any annotation, if a format cannot hold such.

    Args:
        dataset: all photos.
        gone: bool (N,), annotations that are dropped.
        carries: names of what the format holds.
    """
    if "unlabelled" in carries:
        return []
    rows = dataset.rows_of(dataset.annotations["image_id"])
    before, after = np.zeros((2, len(dataset)), dtype=np.bool_)
    before[rows] = True
    after[rows[~gone]] = True
    found = [
        Loss("unlabelled", "image", "no label", ~before),
        Loss("unlabelled", "image", "no label left", before & ~after),
    ]
    return [loss for loss in found if loss.rows.any()]


def pixels_of(dataset: Dataset) -> Pixels:
    """Return the box convention of a data set's one source."""
    return next((origin.pixels for origin in dataset.origins.values()), "exclusive")


def valid(table: pa.Table, name: str) -> Mask:
    """Return which rows of a column are not null; none without the column."""
    if name not in table.column_names:
        return np.zeros(table.num_rows, dtype=np.bool_)
    return np.asarray(pc.is_valid(table[name]).to_numpy(), dtype=np.bool_)


def numbers(table: pa.Table, name: str, default: float) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return a column as float64 (N,); the default where it is null, or absent."""
    if name not in table.column_names:
        return np.full(table.num_rows, default)
    column = table[name]
    column = column if pa.types.is_floating(column.type) else column.cast(pa.float64())
    return np.asarray((column.fill_null(default) if column.null_count else column).to_numpy(), dtype=np.float64)


def _whole_photo(dataset: Dataset, kinds: Shapes, carries: frozenset[str]) -> list[Loss]:
    found = []
    if "value" not in carries:
        found.append(Loss("value", "annotation", "a number of the whole photo", kinds.value))
    if not carries & WHOLE_PHOTO:
        found.append(Loss("class", "annotation", "a class without a box", kinds.label))
    elif "classes" not in carries:
        found.append(Loss("classes", "image", "several classes", _several(dataset, kinds, carries)))
    return found


def _several(dataset: Dataset, kinds: Shapes, carries: frozenset[str]) -> Mask:
    """Return which photos have several classes, where the target holds one."""
    counted = kinds.label if carries & PLACES else kinds.label | kinds.place
    pairs = np.unique(_photo_and_class(dataset)[counted & valid(dataset.annotations, "class_id")], axis=0)
    return np.asarray(np.bincount(pairs[:, 0], minlength=len(dataset)) > 1)


def _photo_and_class(dataset: Dataset) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return int64 (N, 2): the row of the photo and the class id, -1 without."""
    rows = dataset.rows_of(dataset.annotations["image_id"])
    return np.stack([rows, numbers(dataset.annotations, "class_id", -1).astype(np.int64)], axis=1)


def _places(dataset: Dataset, kinds: Shapes, carries: frozenset[str]) -> list[Loss]:
    """Return the objects that a format has no place for."""
    if not carries & PLACES:
        return _collapsed(dataset, kinds, carries)
    found = []
    if "keypoints" not in carries:
        alone = kinds.keypoints & ~(kinds.box | kinds.polygons | kinds.mask)
        found.append(Loss("keypoints", "annotation", "keypoints without a box", alone))
    if "box" in carries:
        return found
    if carries & OUTLINES:
        bare = kinds.place & ~kinds.polygons & ~kinds.mask & ~(kinds.keypoints & ("keypoints" in carries))
        found.append(Loss("box", "annotation", "a box without an outline", bare))
    if "mask" not in carries:
        found.append(Loss("mask", "annotation", "a mask without polygons", kinds.mask))
    return found


def _collapsed(dataset: Dataset, kinds: Shapes, carries: frozenset[str]) -> list[Loss]:
    """Return the losses of objects that become classes of their photos, each class once a photo."""
    if not carries & WHOLE_PHOTO:
        return [Loss("box", "annotation", "an object, not a number", kinds.place)]
    pairs = _photo_and_class(dataset)
    labelled = np.flatnonzero(kinds.label | kinds.place)
    order = labelled[np.argsort(kinds.place[labelled], kind="stable")]  # a class that stands by itself comes first
    _, first = np.unique(pairs[order], axis=0, return_index=True)
    again = kinds.place.copy()
    again[order[first]] = False
    return [
        Loss("box", "annotation", "the class again", again),
        Loss("box", "detail", "box -> class of the photo", kinds.place & ~again),
    ]


def _defects(dataset: Dataset, kinds: Shapes, carries: frozenset[str], pixels: Pixels) -> list[Loss]:
    """Return the objects that would be wrong in a format that cannot say what is odd about them."""
    table, found = dataset.annotations, []
    if "crowd" not in carries and carries & PLACES:
        found.append(Loss("crowd", "annotation", "crowd", _flag(table, "iscrowd")))
    if "no-class" not in carries:
        found.append(Loss("no-class", "annotation", "no class", ~kinds.value & ~valid(table, "class_id")))
    if not carries & PLACES or "x" not in table.column_names:
        return found
    if "no-area" not in carries:
        found += _flat(dataset, kinds, pixels)
    if "out-of-frame" not in carries:
        found.append(Loss("out-of-frame", "annotation", "out of frame", kinds.box & _outside(dataset)))
    return found


def _flat(dataset: Dataset, kinds: Shapes, pixels: Pixels) -> list[Loss]:
    """Return boxes without area; where numbers count the last pixel, too, a width of 0 is one pixel.

    That pixel is lost in a format of edges, unless the numbers are shifted to its convention.
    """
    least = np.minimum(numbers(dataset.annotations, "w", 1), numbers(dataset.annotations, "h", 1))
    if pixels_of(dataset) == "exclusive":
        return [Loss("no-area", "annotation", "no area", kinds.box & (least <= 0))]
    found = [Loss("no-area", "annotation", "no area", kinds.box & (least < 0))]
    if pixels == "exclusive":
        found.append(Loss("no-area", "annotation", ONE_PIXEL, kinds.box & (least == 0)))
    return found


def _outside(dataset: Dataset) -> Mask:
    """Return which upright boxes have no pixel on their photo; photos of unknown size have everything."""
    table, pixels = dataset.annotations, pixels_of(dataset)
    rows, first, inclusive = dataset.rows_of(table["image_id"]), _FIRST[pixels], pixels != "exclusive"
    outside = np.zeros(table.num_rows, dtype=np.bool_)
    for edge, side, photo_side in (("x", "w", "width"), ("y", "h", "height")):
        size = numbers(dataset.images, photo_side, 0)[rows]
        low = numbers(table, edge, 0) - first
        high = low + numbers(table, side, 0) + inclusive
        outside |= (size > 0) & ((low >= size) | (high <= 0))
    upright: Mask = numbers(table, "rotation_deg", 0) == 0
    return outside & upright


def _details(table: pa.Table, kinds: Shapes, carries: frozenset[str]) -> list[Loss]:
    found = [*_outline_details(kinds, carries), *_flag_details(table, carries)]
    if "keypoints" not in carries:
        found.append(Loss("keypoints", "detail", "keypoints left out", kinds.keypoints))
    if "rotation" not in carries:
        turned = numbers(table, "rotation_deg", 0) != 0
        found.append(Loss("rotation", "detail", "rotated box -> upright box", turned))
    if "3d" not in carries:
        solid = np.any([valid(table, name) for name in BOX_3D], axis=0)
        found.append(Loss("3d", "detail", "box in 3D left out", solid))
    if "ids" not in carries:
        found.append(Loss("ids", "detail", "ids left out", valid(table, "source_id"), allowed=True))
    if "area" not in carries:
        found.append(Loss("area", "detail", "area left out", valid(table, "area"), allowed=True))
    return found


def _outline_details(kinds: Shapes, carries: frozenset[str]) -> list[Loss]:
    """Return what becomes of outlines: the next simpler shape that the format holds."""
    if not carries & PLACES:
        return []
    simpler = "box" if "box" in carries else "polygon"
    found = []
    if not carries & {"polygon", "polygons"}:
        to = "mask" if "mask" in carries else "box"
        found.append(Loss("polygons", "detail", f"polygon -> {to}", kinds.polygons))
    elif "polygons" not in carries:
        found.append(Loss("polygons", "detail", "several polygons -> box", kinds.several))
    if "mask" not in carries:
        found.append(Loss("mask", "detail", f"mask -> {simpler}", kinds.mask))
    return found


def _flag_details(table: pa.Table, carries: frozenset[str]) -> list[Loss]:
    """Return what is said of objects beside class and place."""
    flags = {
        "truncated": ("truncated", numbers(table, "truncated", 0) != 0),
        "occluded": ("occluded", numbers(table, "occluded", 0) != 0),
        "difficult": ("difficult", _flag(table, "difficult")),
        "score": ("score", valid(table, "score")),
        "annotator": ("annotator", valid(table, "annotator")),
        "track": ("track", valid(table, "track_id")),
        "attributes": ("attributes", _has_attributes(table)),
    }
    return [
        Loss(name, "detail", f"{what} left out", rows) for name, (what, rows) in flags.items() if name not in carries
    ]


def _flag(table: pa.Table, name: str) -> Mask:
    if name not in table.column_names:
        return np.zeros(table.num_rows, dtype=np.bool_)
    return np.asarray(table[name].fill_null(False).to_numpy(), dtype=np.bool_)


def _has_attributes(table: pa.Table) -> Mask:
    if "attributes" not in table.column_names:
        return np.zeros(table.num_rows, dtype=np.bool_)
    text = table["attributes"].cast(pa.string())
    return np.asarray(pc.not_equal(text, "{}").fill_null(False).to_numpy(), dtype=np.bool_)


def _photo_details(images: pa.Table, carries: frozenset[str]) -> list[Loss]:
    found = []
    if "split" not in carries:
        found.append(Loss("split", "image-detail", "split left out", valid(images, "split")))
    if "group" not in carries:
        found.append(Loss("group", "image-detail", "group left out", valid(images, "group"), allowed=True))
    if "ids" not in carries:
        found.append(Loss("ids", "image-detail", "ids left out", valid(images, "source_id"), allowed=True))
    if "metadata" not in carries:
        found.append(metadata_left_out(images))
    return found


def metadata_left_out(images: pa.Table, kept: frozenset[str] = frozenset()) -> Loss:
    """Return the photos that have metadata in other columns than those that are kept."""
    known = {*IMAGE_COLUMNS.names, *MORE_IMAGE_COLUMNS.names, *kept}
    rows = np.zeros(images.num_rows, dtype=np.bool_)
    for name in images.column_names:
        rows |= valid(images, name) if name not in known else False
    return Loss("metadata", "image-detail", "metadata left out", rows, allowed=True)
