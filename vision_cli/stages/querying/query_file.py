"""The rows of a query as CSV, Parquet or JSON, exact to the last digit."""

from __future__ import annotations

import base64
import datetime as dt
import math
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from vision_cli.core import files
from vision_cli.core.errors import UsageError

FORMATS = ("table", "csv", "parquet", "json")
_BY_SUFFIX = {".csv": "csv", ".parquet": "parquet", ".json": "json"}


def format_of(name: str | None, output: Path | None) -> str:
    """Return the format of an output.

    Raises:
        UsageError: nothing says it, or it cannot be shown or written.
    """
    if name is None and output is None:
        return "table"
    found = name or _BY_SUFFIX.get(output.suffix.lower() if output else "")
    if found is None or (found == "table" and output is not None):
        raise UsageError(f"{output}: which format?", hint="End it in .csv, .parquet or .json, or give --format.")
    if found == "parquet" and output is None:
        raise UsageError("Parquet is not for a terminal.", hint="Name a file: --out rows.parquet.")
    return found


def columns(table: pa.Table) -> list[tuple[str, str]]:
    """Return name and type of each column."""
    return [(field.name, str(field.type)) for field in table.schema]


def write(table: pa.Table, kind: str, path: Path) -> None:
    """Write a file whole.

    Raises:
        ResourceError: the disk is full or refuses.
    """
    files.write_bytes(path, content(table, kind))


def content(table: pa.Table, kind: str) -> bytes:
    """Return the bytes of a file.

    CSV is RFC 4180 in UTF-8: texts in quotes, null an empty cell without, numbers in the shortest form that reads back
    as the same, lists and objects as JSON. A text that begins with `=` stays one: it is data, not a formula.
    """
    sink = pa.BufferOutputStream()
    if kind == "parquet":
        pq.write_table(plain(table), sink, compression="zstd")
    elif kind == "csv":
        pa_csv.write_csv(_flat(table), sink, pa_csv.WriteOptions(quoting_style="needed"))
    else:
        names = table.column_names
        rows = [dict(zip(names, row, strict=True)) for row in json_rows(table)]
        sink.write((files.json_text(rows, indent=None) + "\n").encode())
    found: bytes = sink.getvalue().to_pybytes()
    return found


def json_rows(table: pa.Table) -> list[list[Any]]:
    """Return the rows as JSON values; times are ISO 8601, bytes base64, NaN and infinities null."""
    names = [str(index) for index in range(table.num_columns)]
    renamed = table.rename_columns(names)
    return [[_json_value(row[name]) for name in names] for row in renamed.to_pylist()]


def _json_value(value: Any) -> Any:
    match value:
        case float() if not math.isfinite(value):
            return None
        case Decimal():
            return int(value) if value == value.to_integral_value() else str(value)
        case dt.datetime() | dt.date() | dt.time():
            return value.isoformat()
        case bytes():
            return base64.b64encode(value).decode()
        case list() | tuple():
            return [_json_value(item) for item in value]
        case dict():
            return {str(key): _json_value(item) for key, item in value.items()}
        case None | bool() | int() | float() | str():
            return value
        case _:
            return str(value)


def plain(table: pa.Table) -> pa.Table:
    """Return a table whose names are distinct and whose dictionaries are what they stand for."""
    seen: dict[str, int] = {}
    names = []
    for name in table.column_names:
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    table = table.rename_columns(names)
    for at, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            table = table.set_column(at, field.name, table[field.name].cast(field.type.value_type))
    return table


def _flat(table: pa.Table) -> pa.Table:
    """Return a table of numbers, texts and times only."""
    table = plain(table)
    for at, field in enumerate(table.schema):
        if pa.types.is_decimal(field.type) and field.type.scale == 0 and _fits(table[field.name]):
            table = table.set_column(at, field.name, table[field.name].cast(pa.int64()))
        elif pa.types.is_nested(field.type) or pa.types.is_binary(field.type) or pa.types.is_decimal(field.type):
            texts = [None if value is None else _text(value) for value in table[field.name].to_pylist()]
            table = table.set_column(at, field.name, pa.array(texts, pa.string()))
    return table


def _fits(column: pa.ChunkedArray) -> bool:
    """Return whether whole numbers fit into 64 bits; DuckDB's sums of whole numbers have 128."""
    ends = pc.min_max(column).as_py()
    return all(end is None or -(1 << 63) <= end < 1 << 63 for end in ends.values())


def _text(value: Any) -> str:
    found = _json_value(value)
    return found if isinstance(found, str) else files.json_text(found, indent=None)
