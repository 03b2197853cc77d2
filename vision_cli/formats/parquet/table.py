"""Arrow tables in Parquet files that may come from anybody.

Format: https://parquet.apache.org/docs/file-format/. What a file announces about itself is checked before anything is
decoded: kilobytes that unfold to gigabytes are refused, and text that is no UTF-8 is found before somebody reads it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from vision_cli.core.errors import DataError, ResourceError
from vision_cli.core.files import disk_errors
from vision_cli.core.spill import let_go
from vision_cli.formats.parquet.footer import Footer, read_footer, text_columns

MAX_BYTES = 8 << 30
"""Of one table in memory, and what a file may announce."""

_MAGIC = b"PAR1"
_MAX_ROWS = 200_000_000
_MAX_COLUMNS = 20_000
_GROUP_ROWS = 1 << 16
_LONG = frozenset({"outline", "keypoints", "record"})
_BATCH_ROWS = 1 << 12
_MAX_RATIO = 500
_SMALL_BYTES = 64 << 20
_MAX_STRING_BYTES = 1 << 27
_MAX_BATCH_BYTES = 1 << 30


@contextmanager
def _refusing(path: Path) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError, ValueError, TypeError, KeyError, OverflowError) as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise DataError(f"{path}: the Parquet file is refused: {reason}.", hint="Fetch or export it again.") from error
    except MemoryError as error:
        raise DataError(f"{path}: the Parquet file asks for more memory than there is.") from error


def read_table(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """Read a Parquet file whole.

    Args:
        path: the file.
        columns: top-level columns that are wanted, of those that are there; None is all.

    Raises:
        DataError: not Parquet, cut, damaged, larger than MAX_BYTES, or with text that is not UTF-8.
    """
    schema = read_schema(path)
    names = [name for name in schema.names if columns is None or name in columns]
    batches = list(read_batches(path, names))
    with _refusing(path):
        if len(set(schema.names)) != len(schema.names):
            raise ValueError("two columns have the same name")
        wanted = pa.schema([schema.field(name) for name in names])
        return pa.Table.from_batches(batches, schema=wanted)


def read_schema(path: Path) -> pa.Schema:
    """Return a file's columns and their types; only its end is read.

    Raises:
        DataError: see `read_table`.
    """
    with _refusing(path), _opened(path) as file:
        return file.schema


def read_batches(path: Path, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a Parquet file in batches of some thousand.

    Raises:
        DataError: see `read_table`.
    """
    with _refusing(path), _opened(path) as file:
        schema, total = file.schema, 0
        for batch in file.file.iter_batches(_BATCH_ROWS, columns=columns, use_threads=False):
            unfolded = [_unfolded(column, schema.field(name).type) for name, column in _columns(batch)]
            total += sum(column.nbytes for column in unfolded)
            if total > MAX_BYTES:
                raise ValueError(f"it unfolds to more than {MAX_BYTES >> 30} GiB")
            whole = pa.RecordBatch.from_arrays(
                unfolded, schema=pa.schema([schema.field(n) for n in batch.schema.names])
            )
            whole.validate(full=True)
            yield whole


def _columns(batch: pa.RecordBatch) -> Iterator[tuple[str, pa.Array]]:
    return zip(batch.schema.names, batch.columns, strict=True)


def _unfolded(column: pa.Array, wanted: pa.DataType) -> pa.Array:
    """Turn indices into the texts that they point to, once it is known how long these are together.

    Raises:
        ValueError: more than _MAX_BATCH_BYTES.
    """
    if column.type == wanted:
        return column
    column.validate(full=True)
    lengths = pc.binary_length(column.dictionary).take(column.indices)
    size = pc.sum(lengths.cast(pa.int64())).as_py() or 0
    if size > _MAX_BATCH_BYTES:
        raise ValueError(f"{len(column):,} of its rows unfold to {size:,} bytes")
    return column.cast(wanted)


@dataclass(frozen=True, slots=True)
class _Opened:
    """An open file, and its columns without the dictionaries that we asked for."""

    file: pq.ParquetFile
    schema: pa.Schema


@contextmanager
def _opened(path: Path) -> Iterator[_Opened]:
    with path.open("rb") as file:
        footer = _checked_footer(file)
        limits = {"thrift_string_size_limit": _MAX_STRING_BYTES, "thrift_container_size_limit": 1_000_000}
        with pq.ParquetFile(path, **limits) as found:
            schema = found.schema_arrow.remove_metadata()
        stored = {field.name for field in schema if pa.types.is_dictionary(field.type)}
        texts = sorted(set(text_columns(footer)) - stored)
        # One row group after the other: what is read ahead of it would be all of the file.
        with pq.ParquetFile(file, read_dictionary=texts, pre_buffer=False, **limits) as found:
            yield _Opened(found, schema)


def _checked_footer(file: BinaryIO) -> Footer:
    """Return what a file announces, unless it is too much.

    Raises:
        ValueError: no Parquet file, or saying what is too much.
    """
    size = file.seek(0, 2)
    file.seek(max(size - 8, 0))
    length, end = int.from_bytes(file.read(4), "little"), file.read(4)
    file.seek(0)
    if size < 12 or file.read(4) != _MAGIC or end != _MAGIC or length > size - 12:
        raise ValueError("it does not begin and end as a Parquet file does")
    file.seek(size - 8 - length)
    footer = read_footer(file.read(length))
    file.seek(0)
    _check(footer, size)
    return footer


def _check(footer: Footer, size: int) -> None:
    if footer.rows > _MAX_ROWS or len({chunk.path for chunk in footer.chunks}) > _MAX_COLUMNS:
        raise ValueError(f"it announces {footer.rows:,} rows of {len({c.path for c in footer.chunks}):,} columns")
    unfolded = sum(chunk.unfolded for chunk in footer.chunks)
    if unfolded > MAX_BYTES or unfolded > _SMALL_BYTES + _MAX_RATIO * size:
        raise ValueError(f"its {size:,} bytes announce {unfolded:,}")
    for chunk in footer.chunks:
        # Texts inside of lists are not read as indices, so a dictionary could repeat a long one without end.
        longest = min(chunk.unfolded, _MAX_STRING_BYTES)
        repeated = chunk.is_text and chunk.has_dictionary and len(chunk.path) > 1
        if repeated and longest * chunk.values > _MAX_BATCH_BYTES << 8:
            raise ValueError(f"texts of up to {longest:,} bytes may repeat {chunk.values:,} times")


def write_table(path: Path, table: pa.Table) -> None:
    """Write a table; the same rows give the same bytes, however they are chunked.

    Raises:
        ResourceError: the disk is full or refuses.
    """
    schema = table.schema.remove_metadata()
    short = [name for name in schema.names if name not in _LONG]
    with disk_errors(path):
        try:
            with pq.ParquetWriter(path, schema, compression="zstd", use_dictionary=short) as writer:
                for start in range(0, table.num_rows, _GROUP_ROWS):
                    part = table.slice(start, _GROUP_ROWS).combine_chunks()
                    let_go()  # what was mapped is copied now
                    writer.write_table(part.replace_schema_metadata(None), row_group_size=_GROUP_ROWS)
        except pa.ArrowNotImplementedError as error:
            raise ResourceError(f"{path}: a column's type has no place in Parquet: {error}.") from error
