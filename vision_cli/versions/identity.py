"""What a version is called: a hash of what it says, the same on every machine.

Times, messages, places of folders and the bytes of Parquet files are not in it: another release of Arrow compresses
otherwise. Rows, columns and classes are, in their order, with the hash of every photo.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vision_cli.core.dataset import Dataset
from vision_cli.core.origin import Origin
from vision_cli.core.spill import let_go

_HEAD = b"vision version 1\n"


def version_id(dataset: Dataset, files: pa.Table) -> str:
    """Return 64 hex digits of SHA-256.

    Args:
        dataset: notes and roots do not count.
        files: of `contents.FILES`.
    """
    digest = hashlib.sha256(_HEAD)
    _add_json(digest, list(dataset.classes.names))
    _add_json(digest, {name: _origin(origin) for name, origin in dataset.origins.items()})
    for table in (dataset.images, dataset.annotations, files):
        _add_table(digest, table)
    return digest.hexdigest()


def table_id(table: pa.Table) -> str:
    """Return 64 hex digits of SHA-256 of a table: equal where Parquet brings it back as far as an id is concerned."""
    digest = hashlib.sha256(_HEAD)
    _add_table(digest, table)
    return digest.hexdigest()


def _add_table(digest: Any, table: pa.Table) -> None:
    _add_json(digest, [table.num_rows, table.num_columns])
    for name in table.column_names:
        _add_column(digest, name, table[name])


def _add_json(digest: Any, value: Any) -> None:
    digest.update(json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":")).encode() + b"\n")


def _origin(origin: Origin) -> list[Any]:
    records = {name: content.hex() for name, content in origin.class_records.items()}
    header = {name: content.hex() for name, content in origin.header.items()}
    return [origin.format, origin.pixels, dict(origin.class_ids), records, header, list(origin.companions)]


def _add_column(digest: Any, name: str, column: pa.ChunkedArray) -> None:
    """Add a column however it is chunked: name, type, which values are there, the values."""
    kind, plain = _plain(column)
    _add_json(digest, [name, kind])
    for chunk in plain.chunks:
        digest.update(np.asarray(chunk.is_valid().to_numpy(zero_copy_only=False), np.bool_))
    if kind == "text":
        for chunk in plain.chunks:
            digest.update(np.ascontiguousarray(pc.binary_length(chunk).fill_null(0).to_numpy().astype("<i8")))
        for content in _contents(plain):
            digest.update(content)
            let_go()
    elif kind != "null":
        for chunk in plain.chunks:
            values = chunk.fill_null(0).to_numpy(zero_copy_only=False)
            digest.update(np.ascontiguousarray(values.astype(values.dtype.newbyteorder("<"))))


def _plain(column: pa.ChunkedArray) -> tuple[str, pa.ChunkedArray]:
    """Return a column in one of few types, with a name for what it was that Parquet does not change."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _plain(column.cast(kind.value_type))
    if pa.types.is_null(kind):
        return "null", column
    if pa.types.is_boolean(kind):
        return "bool", column.cast(pa.int8())
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return str(kind), column
    if pa.types.is_timestamp(kind):
        unit = "ns" if kind.unit == "ns" else "us"
        return f"time {unit} {kind.tz}", column.cast(pa.timestamp(unit, kind.tz)).cast(pa.int64())
    if pa.types.is_date32(kind):
        return "date", column.cast(pa.int32())
    if pa.types.is_string(kind) or pa.types.is_binary(kind):
        return "text", column.cast(pa.binary())
    if pa.types.is_large_string(kind) or pa.types.is_large_binary(kind):
        return "text", column.cast(pa.large_binary())
    return "text", pa.chunked_array([pa.array(map(_told, column.to_pylist()), pa.large_binary())])


def _told(value: Any) -> bytes | None:
    """Return a list, struct or other rare value as text."""
    return None if value is None else json.dumps(value, ensure_ascii=True, default=repr).encode()


def _contents(column: pa.ChunkedArray) -> Iterator[memoryview]:
    """Yield the bytes of all values one after the other."""
    width = np.dtype("<i8" if pa.types.is_large_binary(column.type) else "<i4")
    for chunk in column.chunks:
        whole = chunk.fill_null(b"") if chunk.null_count else chunk
        _, offsets, values = whole.buffers()
        if len(whole) and values is not None:
            edges = np.frombuffer(offsets, width)[whole.offset : whole.offset + len(whole) + 1]
            yield memoryview(values)[int(edges[0]) : int(edges[-1])]
