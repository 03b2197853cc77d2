"""Tables of several sources put one below the other: chunks side by side, so that no column is copied."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vision_cli.core.columns import ANNOTATION_COLUMNS, IMAGE_COLUMNS
from vision_cli.core.dataset import ClassMap, Dataset

_EXACT = 1 << 53  # whole numbers up to here are exact in a float64
_MANY_CHUNKS = 64
_LARGE_BYTES = 1 << 20
_SHOWN = 5


def joined(parts: Mapping[str, Dataset], class_map: ClassMap) -> Dataset:
    """Return one data set of sources that share a class map.

    Args:
        parts: by name of their source.
        class_map: of all of them.

    Returns:
        Ids are counted anew in the order of the sources; a column with two types is of the one that holds both.
    """
    images, annotations, offset = {}, {}, 0
    mixed = len({_formats(part) for part in parts.values()}) > 1
    for name, part in parts.items():
        images[name], annotations[name] = _counted(part, offset, mixed)
        offset += len(part)
    photos, notes = _concatenated(images, IMAGE_COLUMNS)
    labels, more = _concatenated(annotations, ANNOTATION_COLUMNS)
    return Dataset(
        photos,
        _numbered(labels, 0),
        class_map,
        {name: root for part in parts.values() for name, root in part.roots.items()},
        (*(note for part in parts.values() for note in part.notes), *notes, *more),
        {name: origin for part in parts.values() for name, origin in part.origins.items()},
        frozenset(name for part in parts.values() for name in part.followed),
    )


def _formats(part: Dataset) -> frozenset[str]:
    return frozenset(f"{origin.format} {origin.pixels}" for origin in part.origins.values())


def _bare(table: pa.Table, mixed: bool) -> pa.Table:
    """Leave records out where sources of several formats meet: only the format that wrote them can read them."""
    return table.drop_columns(["record"]) if mixed and "record" in table.column_names else table


def _counted(part: Dataset, offset: int, mixed: bool) -> tuple[pa.Table, pa.Table]:
    """Return a source's tables with the ids of its photos counted from an offset on."""
    images, annotations = _bare(part.images, mixed), _bare(part.annotations, mixed)
    numbered = _numbered(images, offset)
    if numbered is images:
        return images, annotations
    rows = pa.array(part.rows_of(annotations["image_id"]) + offset)
    return numbered, annotations.set_column(annotations.schema.get_field_index("image_id"), "image_id", rows)


def _numbered(table: pa.Table, offset: int) -> pa.Table:
    """Return a table with ids that count from an offset on; the table itself where they do."""
    ids = np.arange(table.num_rows) + offset
    if np.array_equal(table["id"].to_numpy(), ids):
        return table
    return table.set_column(table.schema.get_field_index("id"), "id", pa.array(ids, type=pa.int64()))


def _concatenated(tables: Mapping[str, pa.Table], schema: pa.Schema) -> tuple[pa.Table, list[str]]:
    """Return the tables one below the other, and a note of the columns that became text."""
    kinds: dict[str, dict[str, pa.DataType]] = {}
    for source, table in tables.items():
        for item in table.schema:
            if item.name not in schema.names and not pa.types.is_null(item.type):
                kinds.setdefault(item.name, {})[source] = item.type
    clashing = [name for name, found in kinds.items() if len(set(found.values())) > 1]
    parts, texts = dict(tables), []
    for name in clashing:
        kind = _common(name, list(tables.values()))
        texts += [name] if pa.types.is_string(kind) else []
        parts = {source: _as(table, name, kind) for source, table in parts.items()}
    whole = pa.concat_tables([schema.empty_table(), *parts.values()], promote_options="default")
    notes = [_clash(name, kinds[name]) for name in texts[:_SHOWN]]
    if len(texts) > _SHOWN:
        notes.append(f"{len(texts) - _SHOWN} more columns are text, for their sources give them different types.")
    return _in_few_pieces(whole), notes


def _in_few_pieces(table: pa.Table) -> pa.Table:
    """Return a table none of whose columns is in many small pieces: rows would be taken slowly."""
    for at, name in enumerate(table.column_names):
        column = table[name]
        if column.num_chunks > _MANY_CHUNKS and column.nbytes < column.num_chunks * _LARGE_BYTES:
            table = table.set_column(at, name, table.select([name]).combine_chunks()[name])
    return table


def _clash(name: str, kinds: Mapping[str, pa.DataType]) -> str:
    found = ", ".join(f"{kind} in '{source}'" for source, kind in kinds.items())
    return f"The column '{name}' is {found}; here it is text."


def _common(name: str, tables: Sequence[pa.Table]) -> pa.DataType:
    """Return the type that holds the values of a column of several types: a number, else text."""
    columns = [table[name] for table in tables if name in table.column_names]
    columns = [column for column in columns if not pa.types.is_null(column.type)]
    if all(pa.types.is_integer(column.type) for column in columns):
        return pa.string() if any(column.type == pa.uint64() for column in columns) else pa.int64()
    if all(_is_exact(column) for column in columns):
        return pa.float64()
    return pa.string()


def _is_exact(column: pa.ChunkedArray) -> bool:
    """Return whether a float64 holds each number of a column."""
    if pa.types.is_integer(column.type):
        ends = pc.min_max(column).as_py()
        return all(end is None or abs(end) <= _EXACT for end in ends.values())
    return bool(pa.types.is_floating(column.type))


def _as(table: pa.Table, name: str, kind: pa.DataType) -> pa.Table:
    at = table.schema.get_field_index(name)
    if at < 0:
        return table
    column = table[name]
    return table.set_column(at, name, _texts(column) if pa.types.is_string(kind) else column.cast(kind))


def _texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column as text; lists and structs as JSON."""
    if pa.types.is_nested(column.type):
        texts = [None if value is None else _json(value) for value in column.to_pylist()]
        return pa.chunked_array([pa.array(texts, pa.string())])
    return column.cast(pa.string())


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
