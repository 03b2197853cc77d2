"""A hash of what a data set says: the same for the same photos and labels in any order."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vision_cli.core.columns import ANNOTATION_COLUMNS, MORE_ANNOTATION_COLUMNS

if TYPE_CHECKING:
    from vision_cli.core.dataset import Dataset

# Ids and records are names for what the other columns say.
_NOT_SAID = frozenset({"id", "image_id", "source_id", "record", "outline_parts"})
_SORTED_BY = ("h", "w", "y", "x", "value", "class_id")
_DIGITS = 16

Ints = np.ndarray[Any, np.dtype[np.int64]]


def data_digest(dataset: Dataset) -> str:
    """Return 16 hex digits of SHA-256 over paths, splits, labels and classes; photos' bytes are not in it."""
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
            _update(digest, name, dataset.annotations[name].take(pa.array(rows)))
    return digest.hexdigest()[:_DIGITS]


def _order(annotations: pa.Table, of_photo: Ints) -> Ints:
    """Return the rows by photo, then by class and place."""
    names = [name for name in _SORTED_BY if name in annotations.schema.names]
    keys = [annotations[name].cast(pa.float64()).fill_null(-np.inf).to_numpy() for name in names]
    return np.asarray(np.lexsort([*keys, of_photo]), dtype=np.int64)


def _update(digest: Any, name: str, column: pa.ChunkedArray) -> None:
    """Add a column: its name, which values are missing, the values; a column without any adds nothing."""
    if column.null_count == len(column):
        return
    digest.update(name.encode())
    digest.update(column.is_valid().to_numpy().tobytes())
    if pa.types.is_string(column.type) or pa.types.is_binary(column.type):
        texts = column.cast(pa.binary()).fill_null(b"")
        digest.update(pc.binary_length(texts).to_numpy().astype(np.int64).tobytes())
        for chunk in texts.chunks:
            edges = np.frombuffer(chunk.buffers()[1], np.int32)[chunk.offset : chunk.offset + len(chunk) + 1]
            digest.update(memoryview(chunk.buffers()[2] or b"")[int(edges[0]) : int(edges[-1])])
        return
    values = column.cast(pa.int8()) if pa.types.is_boolean(column.type) else column
    digest.update(values.fill_null(0).to_numpy().tobytes())
