"""Rows of `metadata.jsonl`, `metadata.csv` and `metadata.parquet`."""

from __future__ import annotations

import csv
import re
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from vision_cli.core.errors import DataError
from vision_cli.formats.json_values import decoded
from vision_cli.formats.parquet.table import read_batches, read_schema
from vision_cli.formats.problems import Problems

NAMES = ("metadata.jsonl", "metadata.csv", "metadata.parquet")

_MAX_LINE_BYTES = 1 << 26
_BLOCK_BYTES = 1 << 20
_JSON_COLUMNS = ("objects", "annotations", "labels")
_WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,17})")


@dataclass(frozen=True, slots=True)
class Row:
    """One photo's record.

    Attributes:
        number: the line from 1, the header's counted; in Parquet the row from 1.
        fields: by name.
    """

    number: int
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Block:
    """Some rows of a metadata file.

    Attributes:
        lines: of JSON, as they stand; none where the rows are of another kind.
        rows: yields them one by one; what is wrong with single ones goes to the problems.
    """

    lines: list[bytes]
    rows: Callable[[Problems | None], Iterator[Row]]


def fields_of(file: Path) -> list[str]:
    """Return the names of the fields of the first row; none where it cannot be read."""
    try:
        if file.name.endswith(".parquet"):
            return list(read_schema(file).names)
        if file.name.endswith(".csv"):
            first = next(_csv(file, None), None)
        else:
            rows = (row for number, line in _lines(file) for row in _jsonl(file.name, [number], [line], None))
            first = next(rows, None)
    except DataError:
        return []
    return list(first.fields) if first else []


def blocks_of(file: Path) -> Iterator[Block]:
    """Yield the rows of a metadata file in blocks.

    Raises:
        DataError: the file as a whole is no such file; its rows raise it, too.
    """
    if file.name.endswith(".jsonl"):
        for numbers, lines in _batches(file):
            yield Block(lines, partial(_jsonl, file.name, numbers, lines))
    elif file.name.endswith(".csv"):
        yield Block([], partial(_csv, file))
    else:
        yield Block([], lambda problems: _parquet(file))


def _batches(file: Path) -> Iterator[tuple[list[int], list[bytes]]]:
    """Yield the numbers and texts of lines, about a megabyte at a time."""
    numbers: list[int] = []
    lines: list[bytes] = []
    waiting = 0
    for number, line in _lines(file):
        numbers.append(number)
        lines.append(line)
        waiting += len(line)
        if waiting > _BLOCK_BYTES:
            yield numbers, lines
            numbers, lines, waiting = [], [], 0
    if lines:
        yield numbers, lines


def _lines(file: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the lines that are not blank, without a byte order mark.

    Raises:
        DataError: the file cannot be read, or a line is too long.
    """
    number = 0
    try:
        with file.open("rb") as lines:
            while line := lines.readline(_MAX_LINE_BYTES + 1):
                number += 1
                if len(line) > _MAX_LINE_BYTES:
                    raise DataError(f"{file}:{number}: the line is longer than {_MAX_LINE_BYTES >> 20} MB.")
                if number == 1:
                    line = line.removeprefix(BOM_UTF8)
                if line.strip():
                    yield number, line
    except OSError as error:
        raise _unreadable(file, error) from error


def _unreadable(file: Path, error: OSError) -> DataError:
    return DataError(f"{file}: cannot be read: {error.strerror}.", hint="Check its permissions.")


def _jsonl(name: str, numbers: list[int], lines: list[bytes], problems: Problems | None) -> Iterator[Row]:
    for number, line in zip(numbers, lines, strict=True):
        try:
            fields = decoded(line)
            if not isinstance(fields, dict):
                raise ValueError("the row is no JSON object")
        except ValueError as error:
            if problems is not None:
                problems.add("rows", f"{name}:{number}: {error}", hint="One JSON object a line.")
            fields = {}
        if fields:
            yield Row(number, fields)


def _csv(file: Path, problems: Problems | None) -> Iterator[Row]:
    try:
        text = file.open(encoding="utf-8-sig", newline="")
    except OSError as error:
        raise _unreadable(file, error) from error
    with text:
        reader = csv.reader(text, strict=True)
        try:
            header = next(reader, [])
            if len(set(header)) != len(header) or len(header) > 20_000:
                raise DataError(f"{file}:1: a column stands twice.", hint="Rename one of them.")
            for cells in reader:
                if len(cells) != len(header) and cells and problems is not None:
                    what = f"{file.name}:{reader.line_num}: {len(cells)} cells, and the header has {len(header)}"
                    problems.add("rows", what, hint="Put cells with commas in quotes.")
                elif cells:
                    yield Row(reader.line_num, _typed(dict(zip(header, cells, strict=False))))
        except UnicodeDecodeError as error:
            raise DataError(f"{file}: not UTF-8 text: {error.reason}.", hint="Save it as UTF-8.") from error
        except (csv.Error, ValueError) as error:
            raise DataError(f"{file}:{reader.line_num}: {error}.", hint="Write it as CSV, RFC 4180.") from error


def _typed(cells: dict[str, str]) -> dict[str, Any]:
    """Return a CSV row's values: no value where a cell is empty, JSON where a list or record is expected."""
    fields: dict[str, Any] = {}
    for name, text in cells.items():
        if name in _JSON_COLUMNS and text[:1] in ("[", "{"):
            fields[name] = decoded(text)
        elif name in ("width", "height", "label", "image_id") and _WHOLE.fullmatch(text):
            fields[name] = int(text)
        elif text:
            fields[name] = text
    return fields


def _parquet(file: Path) -> Iterator[Row]:
    number = 0
    for batch in read_batches(file):
        for fields in batch.to_pylist():
            number += 1
            yield Row(number, fields)
