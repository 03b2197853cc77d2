"""Write what `photo_records` reads: one JSON record a photo."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
import numpy as np
import pyarrow as pa

from vision_cli.core.columns import ANNOTATION_COLUMNS, BOX_3D, IMAGE_COLUMNS, MORE_IMAGE_COLUMNS
from vision_cli.core.dataset import Dataset
from vision_cli.formats.by_photo import by_photo
from vision_cli.formats.conserving import valid

Layout = Literal["label", "labels", "value", "objects"]

_BLOCK_ROWS = 4096
_TAKEN = {"file_name", "label", "labels", "value", "objects", "annotations", "image_id"}
_PLAIN = (
    *("area", "rotation_deg", "truncated", "occluded", "difficult", "iscrowd", "score", "track_id", "annotator"),
    *BOX_3D,
)

_SPACES = bytes.maketrans(b"\r\n", b"  ")

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Names:
    """How columns are called in records.

    Attributes:
        classes: name or id of each class.
        metadata: key of each metadata column.
        layout: where labels stand.
        keys: of the columns of objects.
    """

    classes: list[str | int]
    metadata: Mapping[str, str]
    layout: Layout
    keys: list[str]


def layout_of(dataset: Dataset) -> Layout:
    """Return where all labels of a data set find place: `objects`, unless they are bare labels or values of photos."""
    table, offsets = dataset.annotations, by_photo(dataset)[1]
    more = any(_has_values(table[name]) for name in table.column_names[len(ANNOTATION_COLUMNS) :])
    labels, values = valid(table, "class_id"), valid(table, "value")
    several = bool(offsets.size > 1 and np.diff(offsets).max() > 1)
    if more or (labels == values).any():
        return "objects"
    if not values.any():
        return "labels" if several else "label"
    return "objects" if labels.any() or several else "value"


def records(dataset: Dataset, ids: Mapping[str, int] | None = None) -> Iterator[Record]:
    """Yield the record of each photo, in row order, without its file name.

    A metadata column that is called like a field of ours gets an underscore after its name.

    Args:
        dataset: any; `record` columns are left out.
        ids: number of each class in the records; without, classes are written by name.
    """
    known = {*IMAGE_COLUMNS.names, *MORE_IMAGE_COLUMNS.names}
    metadata = [name for name in dataset.images.column_names if name not in known]
    classes: list[str | int] = [ids[name] if ids else name for name in dataset.classes.names]
    annotations, offsets = by_photo(dataset)
    annotations = annotations.select([name for name in annotations.column_names if name != "record"])
    keys = [name for name in _PLAIN if name in annotations.column_names]
    names = _Names(classes, {n: f"{n}_" if n in _TAKEN else n for n in metadata}, layout_of(dataset), keys)
    images_table = dataset.images.select([name for name in dataset.images.column_names if name != "record"])
    for start in range(0, len(dataset), _BLOCK_ROWS):
        images = images_table.slice(start, _BLOCK_ROWS).to_pylist()
        first, last = offsets[start], offsets[start + len(images)]
        rows = annotations.slice(first, last - first).to_pylist()
        for number, image in enumerate(images, start=start):
            found = rows[offsets[number] - first : offsets[number + 1] - first]
            yield _record(image, found, names)


def _record(image: Record, rows: list[Record], names: _Names) -> Record:
    record: Record = {}
    if image.get("source_id") is not None:
        record["image_id"] = id_value(image["source_id"])
    if image["width"] is not None and image["height"] is not None:
        record |= {"width": image["width"], "height": image["height"]}
    if image["group"] is not None:
        record["group"] = image["group"]
    record |= _labels(rows, names)
    record |= {key: image[name] for name, key in names.metadata.items() if image[name] is not None}
    return record


def _labels(rows: list[Record], names: _Names) -> Record:
    classes = [None if row["class_id"] is None else names.classes[row["class_id"]] for row in rows]
    match names.layout:
        case "label":
            return {"label": classes[0]} if classes else {}
        case "labels":
            return {"labels": classes}
        case "value":
            return {"value": rows[0]["value"]} if rows else {}
        case "objects":
            return {"objects": _objects(rows, classes, names)}


def _objects(rows: list[Record], classes: list[str | int | None], names: _Names) -> Record:
    """Return parallel lists; what no object of the data set has is left out."""
    columns: Record = {}
    if any(row.get("source_id") is not None for row in rows):
        columns["id"] = [id_value(row["source_id"]) for row in rows]
    columns["bbox"] = [box_of(row) for row in rows]
    columns["categories"] = classes
    if any(row["value"] is not None for row in rows):
        columns["value"] = [row["value"] for row in rows]
    for name, key in (("outline", "segmentation"), ("keypoints", "keypoints")):
        if any(row.get(name) is not None for row in rows):
            columns[key] = [None if row[name] is None else msgspec.Raw(_one_line(row[name])) for row in rows]
    for name in [*names.keys, "attributes"]:
        if any(row.get(name) is not None for row in rows):
            columns[name] = [row[name] for row in rows]
    return columns


def _one_line(json: bytes) -> bytes:
    """Return JSON without line breaks, which only stand between its values."""
    return json.translate(_SPACES) if b"\n" in json or b"\r" in json else json


def box_of(row: Mapping[str, Any]) -> list[float] | None:
    """Return [x, y, w, h], or None without a box."""
    return None if row.get("x") is None else [row["x"], row["y"], row["w"], row["h"]]


def id_value(text: str | None) -> str | int | None:
    """Return an id as a number where its text is one in its shortest form."""
    if text is None or not text.isascii() or not text.removeprefix("-").isdigit() or len(text) > 18:
        return text
    return int(text) if str(int(text)) == text else text


def encode(record: Mapping[str, Any]) -> bytes:
    """Return a record's JSON; whole numbers of float columns keep their point."""
    return msgspec.json.encode(record)


def is_bare(dataset: Dataset) -> bool:
    """Return whether records would say nothing but a photo's one class and size."""
    base = {*IMAGE_COLUMNS.names, "record", "mask"} - {"group"}
    used = [name for name in dataset.images.column_names if name not in base and _has_values(dataset.images[name])]
    return layout_of(dataset) == "label" and not used


def _has_values(column: pa.ChunkedArray) -> bool:
    return bool(column.null_count < len(column))
