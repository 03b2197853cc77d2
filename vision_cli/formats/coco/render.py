"""Columns of annotations to COCO records, a block of some thousand at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from vision_cli.core import outline
from vision_cli.formats.coco import flags
from vision_cli.formats.coco.careful import KNOWN
from vision_cli.formats.coco.records import Records
from vision_cli.formats.coco.template import patched
from vision_cli.formats.json_source import JsonText
from vision_cli.formats.problems import Problems

_BLOCK_ROWS = 8192
_NOTHING = msgspec.Raw(b"[]")
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_KEYPOINTS = msgspec.json.Decoder(list[float])

Mask = NDArray[np.bool_]
Id = int | str


class _Out(msgspec.Struct, omit_defaults=True, gc=False):
    """An annotation in the order of COCO's members."""

    id: Id
    image_id: Id
    category_id: Id
    segmentation: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    area: float | msgspec.UnsetType = msgspec.UNSET
    bbox: tuple[float, ...] | msgspec.UnsetType = msgspec.UNSET
    iscrowd: int | msgspec.UnsetType = msgspec.UNSET
    keypoints: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    num_keypoints: int | msgspec.UnsetType = msgspec.UNSET
    score: float | msgspec.UnsetType = msgspec.UNSET
    track_id: int | msgspec.UnsetType = msgspec.UNSET
    attributes: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


@dataclass(frozen=True, slots=True)
class Ids:
    """The ids that are written.

    Attributes:
        own: of each annotation, in row order.
        images: of each annotation's photo, in row order.
        categories: of each class, by class id.
    """

    own: Sequence[Id]
    images: Sequence[Id]
    categories: Sequence[Id]


@dataclass(frozen=True, slots=True)
class _Values:
    """What records of a block say, an Arrow array a member; null where there is none."""

    id: pa.Array
    image_id: pa.Array
    category_id: pa.Array
    x: pa.Array
    y: pa.Array
    w: pa.Array
    h: pa.Array
    segmentation: pa.Array
    area: pa.Array
    iscrowd: pa.Array
    keypoints: pa.Array
    score: pa.Array
    track_id: pa.Array
    attributes: pa.Array


_KINDS = {
    **dict.fromkeys(("x", "y", "w", "h", "area", "score"), pa.float64()),
    **{"outline": pa.binary(), "keypoints": pa.binary(), "iscrowd": pa.bool_()},
    **{"track_id": pa.int64()},
}
_BOX = ("x", "y", "w", "h")


def blocks(table: pa.Table, ids: Ids) -> Iterator[bytes]:
    """Yield the records of annotations, parted by commas, in row order."""
    for start in range(0, table.num_rows, _BLOCK_ROWS):
        part = table.slice(start, _BLOCK_ROWS)
        own, images = (column[start : start + _BLOCK_ROWS] for column in (ids.own, ids.images))
        categories = [ids.categories[index] for index in part["class_id"].to_pylist()]
        texts = [_key_array(values) for values in (own, images, categories)]
        values = _Values(
            *texts, *(_column(part, name) for name in ("x", "y", "w", "h", "outline", "area")), *_flags(part)
        )
        records = part["record"].combine_chunks() if "record" in part.column_names else None
        same = _same(values, records)
        if records is not None and same.all():
            yield b", ".join(records.to_pylist())
            continue
        found = _fresh(values, own, images, categories)
        yield b", ".join(_mixed(found, values, records, same))


def _flags(part: pa.Table) -> list[pa.Array]:
    crowd = _column(part, "iscrowd").fill_null(False)
    return [crowd, *(_column(part, name) for name in ("keypoints", "score", "track_id")), flags.in_attributes(part)]


def _column(part: pa.Table, name: str) -> pa.Array:
    if name not in part.column_names:
        return pa.nulls(part.num_rows, _KINDS[name])
    found = part[name].cast(_KINDS[name])
    return found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found


def _key_array(values: Sequence[Id]) -> pa.Array:
    """Return ids as JSON texts, so that 1 and "1" differ."""
    if all(type(value) is int for value in values):
        return pc.cast(pa.array(values, type=pa.int64()), pa.string())
    return pa.array([msgspec.json.encode(value).decode() for value in values], type=pa.string())


def _fresh(values: _Values, own: Sequence[Id], images: Sequence[Id], categories: Sequence[Id]) -> list[_Out]:
    found = [_Out(*row) for row in zip(own, images, categories, strict=True)]
    columns = [getattr(values, name).to_pylist() for name in (*_BOX, "segmentation", "area", "iscrowd")]
    for out, x, y, w, h, segmentation, area, crowd in zip(found, *columns, strict=True):
        if x is not None:
            out.bbox = (x, y, w, h)
        if x is not None or segmentation is not None:
            out.segmentation = _NOTHING if segmentation is None else msgspec.Raw(segmentation)
            out.area = area if area is not None else _area(segmentation, w, h)
            out.iscrowd = int(crowd)
    for out, text in _present(found, values.keypoints):
        out.keypoints = msgspec.Raw(text)
        out.num_keypoints = sum(flag > 0 for flag in _KEYPOINTS.decode(text)[2::3])
    for out, score in _present(found, values.score):
        out.score = score
    for out, track in _present(found, values.track_id):
        out.track_id = track
    for out, text in _present(found, values.attributes):
        if text != "{}":
            out.attributes = msgspec.Raw(text.encode())
    return found


def _present(found: Sequence[_Out], column: pa.Array) -> Iterator[tuple[_Out, Any]]:
    if column.null_count == len(column):
        return iter(())
    return ((out, value) for out, value in zip(found, column.to_pylist(), strict=True) if value is not None)


def _area(segmentation: bytes | None, w: float, h: float) -> float:
    return w * h if segmentation is None else outline.area(outline.parse(segmentation))


def _said(records: pa.Array) -> _Values:
    """Return what records of the source say."""
    reader = Records(Problems(Path("records")), with_records=False)
    reader.take(JsonText(Path("records"), b"[" + b",".join(records.to_pylist()) + b"]"))
    block, total = reader.blocks[0], len(records)
    boxes = [pa.array(block.boxes[:, side], from_pandas=True) for side in range(4)]
    crowd = pa.array(np.zeros(total, dtype=np.bool_) if block.crowd is None else block.crowd)
    kinds = {"area": pa.float64(), "score": pa.float64(), "keypoints": pa.binary(), "track_ids": pa.int64()}
    area, score, keypoints, tracks = (
        pa.nulls(total, kind)
        if getattr(block, name) is None
        else pa.array(getattr(block, name), kind, from_pandas=True)
        for name, kind in kinds.items()
    )
    attributes = (
        pa.nulls(total, pa.string()) if reader.attributes[0] is None else flags.same_order(reader.attributes[0])
    )
    keys = [_key_array(ids.tolist()) for ids in (block.ids, block.image_ids, block.category_ids)]
    own, images, categories = keys
    x, y, w, h = boxes
    outlines = reader.outlines.column()
    outlines = pa.nulls(total, pa.binary()) if outlines is None else outlines
    return _Values(own, images, categories, x, y, w, h, outlines, area, crowd, keypoints, score, tracks, attributes)


def _same(values: _Values, records: pa.Array | None) -> Mask:
    """Return which records say what the columns say."""
    if records is None or records.null_count:
        return np.zeros(len(values.id), dtype=np.bool_)
    said = _said(records)
    same: Mask = np.logical_and.reduce(
        [_equal(getattr(values, f.name), getattr(said, f.name)) for f in fields(_Values)]
    )
    return same


def _equal(one: pa.Array, other: pa.Array) -> Mask:
    both_null = pc.and_(pc.is_null(one), pc.is_null(other))
    return np.asarray(pc.or_(pc.equal(one, other).fill_null(False), both_null))


def _mixed(found: list[_Out], values: _Values, records: pa.Array | None, same: Mask) -> Iterator[bytes]:
    """Yield the source's own records where they are right, else patched ones, else new ones."""
    if records is None:
        yield msgspec.json.encode(found)[1:-1]
        return
    said = _said(records) if not records.null_count else None
    for row, out in enumerate(found):
        if same[row]:
            yield records[row].as_py()
        elif said is None:
            yield msgspec.json.encode(out)
        else:
            yield patched(records[row].as_py(), _changes(out, values, said, row))


def _changes(out: _Out, values: _Values, said: _Values, row: int) -> dict[str, Any]:
    """Return the members of a record that say something else than the columns."""
    changes: dict[str, Any] = {}
    for member in (
        "id",
        "image_id",
        "category_id",
        "segmentation",
        "area",
        "iscrowd",
        "keypoints",
        "score",
        "track_id",
    ):
        if getattr(values, member)[row] != getattr(said, member)[row]:
            value = getattr(out, member)
            changes[member] = None if value is msgspec.UNSET else value
    if any(getattr(values, side)[row] != getattr(said, side)[row] for side in _BOX):
        changes["bbox"] = None if out.bbox is msgspec.UNSET else out.bbox
    if "area" in changes and not values.area[row].is_valid:
        changes["area"] = None
    if "keypoints" in changes:
        changes["num_keypoints"] = None if out.num_keypoints is msgspec.UNSET else out.num_keypoints
    if values.attributes[row] != said.attributes[row]:
        others = _MEMBERS.decode(said.attributes[row].as_py() or "{}")
        changes |= dict.fromkeys((name for name in others if name not in KNOWN), None)
        changes["attributes"] = None if out.attributes is msgspec.UNSET else out.attributes
    return changes
