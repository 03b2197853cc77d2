"""COCO files of one source to a `Dataset`: one table of photos, one of annotations, one class map."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from vision_cli.core.columns import (
    ANNOTATION_COLUMNS,
    IMAGE_COLUMNS,
    MORE_ANNOTATION_COLUMNS,
    MORE_IMAGE_COLUMNS,
    from_numpy,
)
from vision_cli.core.dataset import ClassMap, Dataset
from vision_cli.core.origin import Origin
from vision_cli.formats.coco import ids as coco_ids
from vision_cli.formats.coco.classes import Classes
from vision_cli.formats.coco.columns import Block
from vision_cli.formats.coco.file import CocoFile

_KNOWN_IMAGE = pa.schema([*IMAGE_COLUMNS, *MORE_IMAGE_COLUMNS])
_KNOWN_ANNOTATION = pa.schema([*ANNOTATION_COLUMNS, *MORE_ANNOTATION_COLUMNS])


@dataclass(frozen=True, slots=True)
class Part:
    """One file with its place in the source.

    Attributes:
        file: what was read.
        split: of its photos.
        prefix: folder of its photos, relative to the root.
    """

    file: CocoFile
    split: str | None
    prefix: str


@dataclass(frozen=True, slots=True)
class Source:
    """Name, root and format of a source."""

    name: str
    root: Path
    format: str


def dataset(source: Source, parts: Sequence[Part], notes: Sequence[str]) -> Dataset:
    """Return the data set of one or several files."""
    names, class_rows = _merged([part.file.classes for part in parts])
    image_tables, annotation_tables, first = [], [], 0
    for part, rows in zip(parts, class_rows, strict=True):
        image_tables.append(_images(source, part))
        annotation_tables.append(_annotations(part.file, rows, first))
        first += len(part.file.photos.ids)
    images = _numbered(pa.concat_tables(image_tables, promote_options="permissive"), _KNOWN_IMAGE)
    annotations = _numbered(pa.concat_tables(annotation_tables, promote_options="default"), _KNOWN_ANNOTATION)
    origin = _origin(source, parts, names)
    return Dataset(
        images, annotations, ClassMap(names), {source.name: source.root}, tuple(notes), {source.name: origin}
    )


def _numbered(table: pa.Table, known: pa.Schema) -> pa.Table:
    """Put the columns in the order of the schema and number the rows."""
    index = table.schema.get_field_index("id")
    table = table.set_column(index, "id", from_numpy(np.arange(table.num_rows)))
    others = [name for name in table.column_names if name not in known.names]
    return table.select([name for name in known.names if name in table.column_names] + others)


def _images(source: Source, part: Part) -> pa.Table:
    photos = part.file.photos
    total = len(photos.ids)
    sizes = photos.sizes
    unknown = np.asarray((sizes < 1).any(axis=1))
    mask = unknown if unknown.any() else None
    paths = photos.names
    if part.prefix:
        paths = pc.binary_join_element_wise(pa.scalar(part.prefix), paths, "/")
    columns: dict[str, Any] = {
        "id": pa.nulls(total, pa.int64()),
        "source": pa.repeat(pa.scalar(source.name), total),
        "path": paths,
        "width": from_numpy(sizes[:, 0].astype(np.int32), mask),
        "height": from_numpy(sizes[:, 1].astype(np.int32), mask),
        "split": pa.nulls(total, pa.string()) if part.split is None else pa.repeat(pa.scalar(part.split), total),
        "group": pa.nulls(total, pa.string()),
        "source_id": coco_ids.texts(photos.ids),
    }
    if photos.records is not None:
        columns["record"] = photos.records
    return pa.table({**columns, **photos.metadata})


def _annotations(file: CocoFile, class_rows: NDArray[np.int32], first: int) -> pa.Table:
    total, blocks, records = len(file.ids), file.records.blocks, file.records
    columns: dict[str, Any] = {
        "id": pa.nulls(total, pa.int64()),
        "image_id": from_numpy(file.image_rows + first),
        "class_id": from_numpy(class_rows[file.class_rows] if len(class_rows) else np.zeros(total, dtype=np.int32)),
        "value": pa.nulls(total, pa.float64()),
        "source_id": coco_ids.texts(file.ids),
        "record": records.records.column(),
        **_boxes(blocks),
        "area": _floats([block.area for block in blocks], blocks),
        "outline": records.outlines.column(),
        "outline_parts": _parts(blocks),
        "keypoints": _chunks([block.keypoints for block in blocks], blocks, pa.binary()),
        "iscrowd": _flags(blocks),
        "track_id": _chunks([block.track_ids for block in blocks], blocks, pa.int64()),
        "attributes": _chunks(records.attributes, blocks, pa.string()),
        "score": _floats([block.score for block in blocks], blocks),
    }
    columns["outline"] = None if columns["outline_parts"] is None else columns["outline"]
    columns["source_id"] = None if total and columns["source_id"].null_count == total else columns["source_id"]
    return pa.table({name: column for name, column in columns.items() if column is not None})


def _boxes(blocks: Sequence[Block]) -> dict[str, pa.Array]:
    columns = [np.concatenate([block.boxes[:, side] for block in blocks] or [np.empty(0)]) for side in range(4)]
    missing = np.isnan(columns[0])
    if missing.all():
        return {}
    mask = missing if missing.any() else None
    return {name: from_numpy(column, mask) for name, column in zip("xywh", columns, strict=True)}


def _floats(found: Sequence[NDArray[np.float64] | None], blocks: Sequence[Block]) -> pa.Array | None:
    if all(column is None for column in found):
        return None
    values = [
        np.full(len(block.ids), np.nan) if column is None else column
        for column, block in zip(found, blocks, strict=True)
    ]
    numbers = np.concatenate(values)
    missing = np.isnan(numbers)
    return from_numpy(numbers, missing if missing.any() else None)


def _parts(blocks: Sequence[Block]) -> pa.Array | None:
    parts = np.concatenate([block.parts for block in blocks] or [np.empty(0, dtype=np.int16)])
    return from_numpy(parts) if parts.any() else None


def _flags(blocks: Sequence[Block]) -> pa.Array | None:
    if all(block.crowd is None for block in blocks):
        return None
    flags = [np.zeros(len(block.ids), dtype=np.bool_) if block.crowd is None else block.crowd for block in blocks]
    return from_numpy(np.concatenate(flags))


def _chunks(found: Iterable[pa.Array | None], blocks: Sequence[Block], kind: pa.DataType) -> pa.ChunkedArray | None:
    columns = list(found)
    if all(column is None for column in columns):
        return None
    chunks = [
        pa.nulls(len(block.ids), kind) if column is None else column
        for column, block in zip(columns, blocks, strict=True)
    ]
    return pa.chunked_array(chunks, kind)


def _merged(files: Sequence[Classes]) -> tuple[tuple[str, ...], list[NDArray[np.int32]]]:
    """Return the names of all files in order, and for each file the class id of each of its categories."""
    where: dict[str, int] = {}
    rows = [
        np.array([where.setdefault(name, len(where)) for name in classes.names], dtype=np.int32) for classes in files
    ]
    return tuple(where), rows


def _origin(source: Source, parts: Sequence[Part], names: Sequence[str]) -> Origin:
    """Return ids and records of the classes, those of the first file that has them, and the files' other members."""
    records: dict[str, bytes] = {}
    ids: dict[str, int] = {}
    for part in parts:
        classes = part.file.classes
        for name, value, record in zip(classes.names, classes.ids.tolist(), classes.records, strict=True):
            if name not in records:
                records[name] = record
                if isinstance(value, int) and value not in ids.values():
                    ids[name] = value
    header: dict[str, bytes] = {}
    for part in parts:
        for name, value in part.file.header.items():
            header[name if len(parts) == 1 else f"{part.split or part.file.path.stem}/{name}"] = value
    return Origin(source.format, "exclusive", {n: ids[n] for n in names if n in ids}, records, header)
