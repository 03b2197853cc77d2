"""A hash of what a data set says: the same for the same photos and labels in any order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vision_cli.core import spill
from vision_cli.core.columns import ANNOTATION_COLUMNS, MORE_ANNOTATION_COLUMNS

if TYPE_CHECKING:
    from vision_cli.core.dataset import Dataset

# Ids and records are names for what the other columns say.
_NOT_SAID = frozenset({"id", "image_id", "source_id", "record", "outline_parts"})
_SORTED_BY = ("h", "w", "y", "x", "value", "class_id")
_DIGITS = 16
_PART_BYTES = 1 << 24

Ints = np.ndarray[Any, np.dtype[np.int64]]


def data_digest(dataset: Dataset) -> str:
    """Return 16 hex digits of SHA-256 over paths, splits, labels and classes; photos' bytes are not in it."""
    import hashlib

    digest = hashlib.sha256(dataset.classes.digest.encode())
    order = np.argsort(np.array(dataset.images["path"].to_pylist(), dtype=object), kind="stable")
    for name in ("source", "path", "split"):
        _update(digest, name, dataset.images[name].take(pa.array(order)))
    rank = np.empty(len(dataset), dtype=np.int64)
    rank[order] = np.arange(len(dataset))
    of_photo = rank[dataset.rows_of(dataset.annotations["image_id"])]
    rows = _order(dataset.annotations, of_photo)
    digest.update(of_photo[rows].tobytes())
    for name in (*ANNOTATION_COLUMNS.names, *MORE_ANNOTATION_COLUMNS.names):
        if name in dataset.annotations.schema.names and name not in _NOT_SAID:
            _update_in_order(digest, name, dataset.annotations[name], rows)
    return digest.hexdigest()[:_DIGITS]


def _order(annotations: pa.Table, of_photo: Ints) -> Ints:
    """Return the rows by photo, then by class and place."""
    names = [name for name in _SORTED_BY if name in annotations.schema.names]
    keys = [annotations[name].cast(pa.float64()).fill_null(-np.inf).to_numpy() for name in names]
    return np.asarray(np.lexsort([*keys, of_photo]), dtype=np.int64)


def _update_in_order(digest: Any, name: str, column: pa.ChunkedArray, rows: Ints) -> None:
    """Add a column whose rows are in another order: long texts part by part, each read from front to back."""
    if not _is_text(column) or column.nbytes <= _PART_BYTES:
        _update(digest, name, column.take(pa.array(rows)))
        return
    if column.null_count == len(column):
        return
    lengths = pc.binary_length(column).fill_null(0).to_numpy().astype(np.int64)[rows]
    digest.update(name.encode())
    digest.update(column.is_valid().to_numpy()[rows].tobytes())
    digest.update(lengths.tobytes())
    part = np.cumsum(lengths) // _PART_BYTES
    for some in np.split(rows, np.flatnonzero(np.diff(part)) + 1):
        for content in _contents(pa.chunked_array([_taken(column, some)])):
            digest.update(content)


def _taken(column: pa.ChunkedArray, rows: Ints) -> pa.Array:
    """Return rows in any order; each chunk is looked at once."""
    order = np.argsort(rows, kind="stable")
    ends = np.cumsum([0, *map(len, column.chunks)])
    edges = np.searchsorted(rows[order], ends)
    found = []
    for chunk, first, start, stop in zip(column.chunks, ends, edges, edges[1:], strict=False):
        found.append(chunk.take(pa.array(rows[order[start:stop]] - first)))
        spill.let_go()
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    return pa.concat_arrays(found).take(pa.array(back))


def _is_text(column: pa.ChunkedArray) -> bool:
    return bool(pa.types.is_string(column.type) or pa.types.is_binary(column.type))


def _contents(texts: pa.ChunkedArray) -> Iterator[memoryview]:
    """Yield the bytes of all texts one after the other."""
    for chunk in texts.cast(pa.binary()).fill_null(b"").chunks:
        edges = np.frombuffer(chunk.buffers()[1], np.int32)[chunk.offset : chunk.offset + len(chunk) + 1]
        yield memoryview(chunk.buffers()[2] or b"")[int(edges[0]) : int(edges[-1])]


def _update(digest: Any, name: str, column: pa.ChunkedArray) -> None:
    """Add a column: its name, which values are missing, the values; a column without any adds nothing."""
    if column.null_count == len(column):
        return
    digest.update(name.encode())
    digest.update(column.is_valid().to_numpy().tobytes())
    if _is_text(column):
        digest.update(pc.binary_length(column).fill_null(0).to_numpy().astype(np.int64).tobytes())
        for content in _contents(column):
            digest.update(content)
        return
    values = column.cast(pa.int8()) if pa.types.is_boolean(column.type) else column
    digest.update(values.fill_null(0).to_numpy().tobytes())
