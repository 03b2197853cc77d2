"""Blocks of JSON records as columns: what `photo_records.RecordReader` makes of the same lines one by one.

Only records of the common form are taken, and only if nothing is wrong with any of a block; the rest is the slow way's,
which has the words for what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vision_cli.core.columns import BOX_3D
from vision_cli.formats.gathering import metadata_name
from vision_cli.formats.json_values import decoded
from vision_cli.formats.outline_texts import outlines
from vision_cli.formats.photo_records import (
    CLASS_KEYS,
    MAX_SIDE,
    RecordReader,
    Unfit,
    as_attributes,
    as_id,
    as_keypoints,
    as_whole,
)
from vision_cli.formats.record_lines import Column, LineDecoder, Lines

Columns = dict[str, Any]

_REFUSED = ("label", "labels", "value", "annotations")
_OF_PHOTOS = ("width", "height", "image_id", "group")
_FLOATS = ("area", "rotation_deg", "truncated", "score", "value", *BOX_3D)
_BOX = ("x", "y", "w", "h")
_FLAGS = {0: False, 1: True, None: None}
_NOTHING = (None, msgspec.UNSET)


@dataclass(slots=True)
class Photos:
    """The photos of a block, all of it looked at.

    Attributes:
        names: `file_name` of each; None where it has none.
        values: columns of `images`.
        metadata: further columns, in the order in which the records bring them.
        counts: int64 (N,), objects of each.
        objects: columns of `annotations`; classes as the records have them, under `class`.
    """

    names: Column
    values: Columns
    metadata: dict[str, Column]
    counts: NDArray[np.int64]
    objects: Columns


@dataclass(slots=True)
class ColumnReader:
    """Turns blocks of lines into rows of a reader.

    Attributes:
        reader: takes what this one cannot, and has the classes.
        name_key: field of the photo's file.
    """

    reader: RecordReader
    name_key: str
    _decoder: LineDecoder = field(default_factory=lambda: LineDecoder((*CLASS_KEYS, *_CONVERTED, "bbox"), _REFUSED))

    def photos(self, lines: Sequence[bytes]) -> Photos | None:
        """Return the photos of a block; None where it has to go the slow way."""
        found = self._decoder.decode(lines)
        if found is None or sum(name in CLASS_KEYS for name in found.objects) > 1:
            return None
        try:
            counts = _counts(found)
            values, fields = _of_photos(found), dict(found.fields)
            names = fields.pop(self.name_key, [None] * len(lines))
            metadata = _metadata({name: fields[name] for name in fields if name not in _OF_PHOTOS}, found)
            return Photos(names, values, metadata, counts, _objects(found, counts))
        except (Unfit, ValueError, OverflowError, pa.ArrowException):
            return None

    def add(self, photos: Photos, more: Mapping[str, Column]) -> bool:
        """Add a block; tell whether that was possible, else nothing was added.

        Args:
            photos: of `photos`.
            more: columns that the caller knows: path, split.
        """
        gathering = self.reader.gathering
        try:
            classes = _class_ids(photos.objects.pop("class", None), self.reader)
        except Unfit:
            return False
        first = gathering.photo_columns(len(photos.names), {**more, **photos.values}, photos.metadata)
        missing = photos.values["width"].is_null().to_numpy(zero_copy_only=False)
        self.reader.unsized += (first + np.flatnonzero(missing)).tolist()
        owners = np.repeat(np.arange(first, first + len(photos.names)), photos.counts)
        columns = {"image_id": pa.array(owners), "class_id": classes, **photos.objects}
        gathering.annotation_columns(len(owners), {name: each for name, each in columns.items() if each is not None})
        return True


def _counts(found: Lines) -> NDArray[np.int64]:
    """Return how many objects each record has.

    Raises:
        ValueError: lists of one record differ in length.
    """
    counts = np.zeros(len(found.lines), dtype=np.int64)
    lengths = [
        np.array([-1 if values in _NOTHING else len(values) for values in column], dtype=np.int64)
        for column in found.objects.values()
    ]
    for each in lengths:
        np.maximum(counts, each, out=counts)
    if any(((each >= 0) & (each != counts)).any() for each in lengths):
        raise ValueError("lists that differ in length")
    return counts


def _of_photos(found: Lines) -> Columns:
    """Return the columns of photos that records say."""
    fields = {name: _present(found.fields.get(name, [None] * len(found.lines))) for name in _OF_PHOTOS}
    sides = [pair if None not in pair else (None, None) for pair in zip(fields["width"], fields["height"], strict=True)]
    if not all(type(side) is int and 0 < side < MAX_SIDE for side in chain.from_iterable(sides) if side is not None):
        raise ValueError("sizes")
    return {
        "width": pa.array([width for width, _ in sides], pa.int32()),
        "height": pa.array([height for _, height in sides], pa.int32()),
        "source_id": pa.array(list(map(as_id, fields["image_id"])), pa.string()),
        "group": pa.array([None if each is None else str(each) for each in fields["group"]], pa.string()),
    }


def _present(values: Column) -> Column:
    return [None if value is msgspec.UNSET else value for value in values]


def _metadata(fields: Mapping[str, Column], found: Lines) -> dict[str, Column]:
    """Return the fields that have a value anywhere, in the order in which reading line by line meets the first ones."""
    columns = {name: _present(values) for name, values in fields.items()}
    first = {
        name: next(row for row, value in enumerate(values) if value is not None)
        for name, values in columns.items()
        if values.count(None) < len(values)
    }
    places = {row: found.keys_of(row) for row in set(first.values())}
    if len({metadata_name(name) for name in first}) < len(first):
        raise ValueError("two fields of one column")
    order = sorted(first, key=lambda name: (first[name], places[first[name]].index(name)))
    return {name: columns[name] for name in order}


def _objects(found: Lines, counts: NDArray[np.int64]) -> Columns:
    """Return the columns of objects.

    Raises:
        Unfit, ValueError, OverflowError, pa.ArrowException: a value that does not fit.
    """
    result: Columns = {}
    for name, column in found.objects.items():
        values = _flat(column, counts)
        if name in CLASS_KEYS:
            result["class"] = values
        elif name == "bbox":
            result |= _boxes(values)
        else:
            result |= _CONVERTED[name](values)
    return result


def _flat(column: Column, counts: NDArray[np.int64]) -> Column:
    """Return the values of all objects, None where a record has no list."""
    if any(values in _NOTHING for values in column):
        column = [[None] * n if v in _NOTHING else v for v, n in zip(column, counts.tolist(), strict=True)]
    return list(chain.from_iterable(column))


def _boxes(values: Column) -> Columns:
    missing = np.array([value is None for value in values], dtype=np.bool_)
    if missing.any():
        values = [(0.0, 0.0, 0.0, 0.0) if value is None else value for value in values]
    boxes = np.fromiter(chain.from_iterable(values), np.float64, 4 * len(values)).reshape(-1, 4)
    if not np.isfinite(boxes).all() or (boxes[:, 2:] < 0).any():
        raise Unfit("boxes")
    return {name: pa.array(boxes[:, side].copy(), mask=missing) for side, name in enumerate(_BOX)}


def _class_ids(values: Column | None, reader: RecordReader) -> pa.Array | None:
    """Return class ids, in the order in which classes are met.

    Raises:
        Unfit: no class.
    """
    if values is None:
        return None
    if not {type(value) for value in values} <= {str, int, type(None)}:
        raise Unfit("classes")
    ids = {value: None if value is None else reader.class_id(value) for value in dict.fromkeys(values)}
    return pa.array(map(ids.__getitem__, values), pa.int32(), size=len(values))


def _floats(name: str, values: Column) -> Columns:
    if not {type(value) for value in values} <= {float, int, type(None)}:
        raise Unfit(name)
    column = pa.array([None if value is None else float(value) for value in values], pa.float64())
    if not np.isfinite(column.fill_null(0).to_numpy()).all():
        raise Unfit(name)
    return {name: column}


def _flags(name: str, values: Column) -> Columns:
    if not {type(value) for value in values} <= {bool, int, type(None)} or not set(values) <= {0, 1, None}:
        raise Unfit(name)
    return {name: pa.array(map(_FLAGS.__getitem__, values), pa.bool_(), size=len(values))}


def _wholes(name: str, values: Column) -> Columns:
    limits = (-128, 127) if name == "occluded" else (-(1 << 63), (1 << 63) - 1)
    found = [None if value is None else as_whole(value, *limits) for value in values]
    return {name: pa.array(found, pa.int8() if name == "occluded" else pa.int64())}


def _ids(values: Column) -> Columns:
    if {type(value) for value in values} == {int}:
        return {"source_id": pa.array(map(str, values), pa.string(), size=len(values))}
    return {"source_id": pa.array([as_id(value) for value in values], pa.string())}


def _annotators(values: Column) -> Columns:
    return {"annotator": pa.array([None if value is None else str(value) for value in values], pa.string())}


def _parsed(name: str, convert: Callable[[Any], Columns], values: Column) -> Columns:
    """Return a column of raw JSON that is parsed value by value, null where there is none."""
    found = [None if value is None else decoded(bytes(value)) for value in values]
    kind = pa.string() if name == "attributes" else pa.binary()
    return {name: pa.array([None if value is None else convert(value)[name] for value in found], kind)}


def _column(convert: Callable[[str, Column], Columns], name: str) -> Callable[[Column], Columns]:
    return lambda values: convert(name, values)


_CONVERTED: dict[str, Callable[[Column], Columns]] = {
    "id": _ids,
    "annotator": _annotators,
    "segmentation": outlines,
    "keypoints": lambda values: _parsed("keypoints", as_keypoints, values),
    "attributes": lambda values: _parsed("attributes", as_attributes, values),
    **{name: _column(_floats, name) for name in _FLOATS},
    **{name: _column(_flags, name) for name in ("iscrowd", "difficult")},
    **{name: _column(_wholes, name) for name in ("occluded", "track_id")},
}
