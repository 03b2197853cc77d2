"""Tables that grow row by row: what is gathered turns to Arrow in chunks, so memory is that of the columns."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from vision_cli.core.columns import ANNOTATION_COLUMNS, IMAGE_COLUMNS, MORE_ANNOTATION_COLUMNS, MORE_IMAGE_COLUMNS
from vision_cli.core.dataset import ClassMap, Dataset
from vision_cli.core.origin import Origin

_CHUNK_ROWS = 1 << 14
_KINDS = (
    (frozenset({str}), pa.string()),
    (frozenset({bool}), pa.bool_()),
    (frozenset({int}), pa.int64()),
    (frozenset({int, float}), pa.float64()),
    (frozenset({bytes}), pa.binary()),
)


class _Column:
    """One column: whole chunks, and the values since; `rows` counts both."""

    def __init__(self, kind: pa.DataType) -> None:
        self.values: list[Any] = []
        self.rows = 0
        self._kind = kind
        self._chunks: list[pa.Array] = []

    def extend_to(self, rows: int) -> None:
        """Fill up with nulls."""
        missing, self.rows = rows - self.rows, rows
        if missing > _CHUNK_ROWS:
            self.flush()
            self._chunks.append(pa.nulls(missing, self._kind))
        else:
            self.values += [None] * missing

    def append(self, chunk: pa.Array) -> None:
        """Add a whole chunk of the column's type."""
        if self.values:
            self.flush()
        self._chunks.append(chunk)
        self.rows += len(chunk)

    def flush(self) -> None:
        self._chunks.append(pa.array(self.values, self._kind))
        self.values = []

    def array(self) -> pa.ChunkedArray:
        self.flush()
        return pa.chunked_array(self._chunks, self._kind)


class _Table:
    """Base columns, and further ones as soon as a row has a value for them."""

    def __init__(self, base: pa.Schema, more: pa.Schema) -> None:
        self._known = {field.name: field.type for field in [*base, *more]}
        self._columns = {field.name: _Column(field.type) for field in base}
        self._base = base
        self.rows = 0

    def add(self, values: Mapping[str, Any]) -> int:
        """Add a row and return its number; values of None need no column."""
        for name, value in values.items():
            if value is None:
                continue
            column = self._columns.get(name)
            if column is None:
                column = self._columns[name] = _Column(self._known[name])
            if column.rows < self.rows:
                column.extend_to(self.rows)
            column.values.append(value)
            column.rows += 1
            if len(column.values) >= _CHUNK_ROWS:
                column.flush()
        self.rows += 1
        return self.rows - 1

    def extend(self, rows: int, chunks: Mapping[str, pa.Array]) -> int:
        """Add rows by whole chunks and return the number of the first; chunks of nothing but nulls need no column."""
        for name, chunk in chunks.items():
            if chunk.null_count == len(chunk):
                continue
            column = self._columns.get(name)
            if column is None:
                column = self._columns[name] = _Column(self._known[name])
            if column.rows < self.rows:
                column.extend_to(self.rows)
            column.append(chunk)
        self.rows += rows
        return self.rows - rows

    def table(self) -> pa.Table:
        """Return the columns in the order of the schemas."""
        for column in self._columns.values():
            column.extend_to(self.rows)
        return pa.table({name: self._columns[name].array() for name in self._known if name in self._columns})


class Gathering:
    """Photos, annotations and class names of one source, as a reader meets them.

    Args:
        source: name of the source.
        classes: names that come first, in order; others follow as they are met.
    """

    def __init__(self, source: str, classes: tuple[str, ...] = ()) -> None:
        self._source = source
        self._images = _Table(IMAGE_COLUMNS, MORE_IMAGE_COLUMNS)
        self._annotations = _Table(ANNOTATION_COLUMNS, MORE_ANNOTATION_COLUMNS)
        self._metadata: dict[str, list[Any]] = {}
        self._classes = {name: index for index, name in enumerate(classes)}

    @property
    def photos(self) -> int:
        """Return how many photos there are."""
        return self._images.rows

    def class_id(self, name: str) -> int:
        """Return the id of a class, a new one for a new name."""
        return self._classes.setdefault(name, len(self._classes))

    def photo(self, values: Mapping[str, Any], metadata: Mapping[str, Any] | None = None) -> int:
        """Add a photo and return its id.

        Args:
            values: by columns of `images`; `width` and `height` may be filled in later.
            metadata: scalars, lists or dicts by name.
        """
        row = self._images.add({"id": self._images.rows, "source": self._source, **values})
        for name, value in (metadata or {}).items():
            if value is None:
                continue
            column = self._metadata.setdefault(metadata_name(name), [])
            column += [None] * (row - len(column))
            if len(column) == row:
                column.append(value)
        return row

    def photo_columns(self, rows: int, chunks: Mapping[str, pa.Array], metadata: Mapping[str, list[Any]]) -> int:
        """Add photos and return the id of the first.

        Args:
            rows: how many.
            chunks: by columns of `images`.
            metadata: values by name, one a photo; two names may not mean one column.
        """
        start = self._images.rows
        base = {"id": pa.array(np.arange(start, start + rows)), "source": pa.repeat(pa.scalar(self._source), rows)}
        self._images.extend(rows, {**base, **chunks})
        for name, values in metadata.items():
            column = self._metadata.setdefault(metadata_name(name), [])
            column += [None] * (start - len(column))
            column += values
        return start

    def annotation_columns(self, rows: int, chunks: Mapping[str, pa.Array]) -> None:
        """Add annotations by chunks of columns of `annotations`."""
        start = self._annotations.rows
        self._annotations.extend(rows, {"id": pa.array(np.arange(start, start + rows)), **chunks})

    def annotation(self, values: Mapping[str, Any]) -> None:
        """Add an annotation by columns of `annotations`."""
        self._annotations.add({"id": self._annotations.rows, **values})

    def dataset(
        self,
        root: Path,
        origin: Origin,
        notes: tuple[str, ...] = (),
        sizes: Mapping[int, tuple[int, int]] | None = None,
    ) -> Dataset:
        """Return the data set.

        Args:
            root: folder of the photos' paths.
            origin: of the source.
            notes: what was left out and why.
            sizes: (width, height) by the photo's id, where they were not known when it was added.
        """
        images = _with_sizes(self._images.table(), sizes or {})
        for name, values in self._metadata.items():
            images = images.append_column(name, _metadata_column(values + [None] * (len(images) - len(values))))
        classes = ClassMap(tuple(self._classes))
        roots, origins = {self._source: root}, {self._source: origin}
        return Dataset(images, self._annotations.table(), classes, roots, notes, origins)


def _with_sizes(images: pa.Table, sizes: Mapping[int, tuple[int, int]]) -> pa.Table:
    if not sizes:
        return images
    for side, name in enumerate(("width", "height")):
        values = images[name].to_pylist()
        for row, size in sizes.items():
            values[row] = size[side]
        images = images.set_column(images.schema.get_field_index(name), name, pa.array(values, pa.int32()))
    return images


def metadata_name(name: str) -> str:
    """Return a name that is no column of ours."""
    return f"{name}_" if name in IMAGE_COLUMNS.names or name in MORE_IMAGE_COLUMNS.names else name


def _metadata_column(values: list[Any]) -> pa.Array:
    """Return a column of the values' one type; of several types, or of lists and dicts, it is JSON text."""
    kinds = {type(value) for value in values if value is not None}
    kind = next((kind for fitting, kind in _KINDS if kinds <= fitting), None)
    if kind is not None:
        try:
            return pa.array(values, kind)
        except (pa.ArrowException, OverflowError):  # a whole number beyond 64 bits, or beyond a float's 53
            pass
    return pa.array(
        [value if value is None or isinstance(value, str) else _json(value) for value in values], pa.string()
    )


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
