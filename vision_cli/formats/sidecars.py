"""Files with facts about photos that stand beside a data set: JSON, CSV or TSV.

JSON is an object of objects by key (`{"drive_0001": {"scene": "residential"}}`), or a list of objects, alone or as the
only member of an object, of which one member is the key. In a CSV one column is the key.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa

from vision_cli.core.catalogue import suggestion
from vision_cli.core.errors import DataError
from vision_cli.core.files import read_limited, utf8
from vision_cli.formats import json_source
from vision_cli.formats.problems import Problems

MAX_BYTES = 1 << 29
KEYS = (
    *("path", "file_name", "filename", "file", "image", "photo", "name", "stem"),
    *("drive", "sequence", "video", "folder"),
)
"""Columns that are taken for the key where the project file names none, the first one first."""

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_NUMBER = re.compile(r"-?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,2})?")
_TRUTH = {"true": True, "false": False}
_KINDS = (
    (frozenset({str}), pa.string()),
    (frozenset({bool}), pa.bool_()),
    (frozenset({int}), pa.int64()),
    (frozenset({int, float}), pa.float64()),
)
_EXACT = 1 << 53


@dataclass(frozen=True, slots=True)
class Sidecar:
    """What a file says.

    Attributes:
        keys: (K,), distinct, in the order of the file.
        columns: arrays (K,) by name, without the key.
        key_name: column that the keys stand in; empty where they are the names of an object's members.
        conflicts: how many later rows of a key say something else than its first, which counts.
    """

    keys: Sequence[str]
    columns: Mapping[str, pa.Array]
    key_name: str
    conflicts: int


def read(path: Path, by: str | None) -> Sidecar:
    """Read a file.

    Args:
        path: `.csv` and `.tsv` are tables, anything else is JSON.
        by: column of the key; None takes the first of KEYS that is there.

    Raises:
        DataError: missing, malformed, or without a key.
    """
    if path.suffix.lower() in (".csv", ".tsv", ".tab"):
        names, lines = _csv_rows(path)
        key_name = _key_name(path, names, by)
        return _sidecar(key_name, [(row[key_name], row) for row in lines if row[key_name]], texts=True)
    value = json_source.load(path, max_bytes=MAX_BYTES, what="this file of metadata").value()
    rows = _object_rows(value)
    if rows is None:
        return _of_members(path, value)
    problems = Problems(path)
    for index, row in enumerate(rows):
        if not isinstance(row, dict):
            problems.add("entries that are no objects", f"entry {index + 1}: {_shown(row)}")
    problems.refuse(f"entries of {len(rows)}")
    key_name = _key_name(path, list(dict.fromkeys(name for row in rows for name in row)), by)
    keyed = [(_key(row[key_name]), row) for row in rows if row.get(key_name) is not None]
    return _sidecar(key_name, keyed, texts=False)


def _object_rows(value: Any) -> list[Any] | None:
    """Return the list of objects that a document is or holds as its only member."""
    if isinstance(value, list):
        return value
    if isinstance(value, dict) and len(value) == 1:
        inner = next(iter(value.values()))
        return inner if isinstance(inner, list) else None
    return None


def _of_members(path: Path, value: Any) -> Sidecar:
    if not isinstance(value, dict):
        raise DataError(
            f"{path}: expected an object or a list of objects, got {_shown(value)}.",
            hint='Write {"KEY": {"scene": "residential"}} or [{"path": "KEY", "scene": "residential"}].',
        )
    problems = Problems(path)
    for key, row in value.items():
        if not isinstance(row, dict):
            problems.add(
                "members that are no objects",
                f"{key!r}: {_shown(row)}",
                hint='Name each fact: {"KEY": {"scene": "residential"}}.',
            )
    problems.refuse(f"members of {len(value)}")
    return _sidecar("", list(value.items()), texts=False)


def _csv_rows(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    text = utf8(read_limited(path, max_bytes=MAX_BYTES, what="this file of metadata"), where=str(path))
    head = text.split("\n", 1)[0]
    delimiter = max(("\t", ";", ","), key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    problems, rows, names = Problems(path), [], []
    try:
        names = [name.strip() for name in next(reader, [])]
        line = reader.line_num + 1
        for cells in reader:
            if any(cells) and len(cells) != len(names):
                what = f"{len(cells)} columns where the header has {len(names)}"
                problems.add("rows of another length", what, line=line)
            elif any(cells):
                rows.append(dict(zip(names, cells, strict=True)))
            line = reader.line_num + 1
    except csv.Error as error:
        problems.add("rows that cannot be parsed", str(error), line=reader.line_num)
    repeated = sorted({name for name in names if names.count(name) > 1 or not name})
    for name in repeated:
        problems.add("bad columns", f"the column {name!r} stands there twice or has no name", line=1)
    problems.refuse("rows")
    return names, rows


def _key_name(path: Path, names: Sequence[str], by: str | None) -> str:
    if by in names:
        return str(by)
    folded = {name.lower(): name for name in reversed(names)}
    found = next((folded[name] for name in KEYS if name in folded), None)
    if found is not None and (by is None or by in KEYS):
        return found
    shown = ", ".join(names[:20]) or "none"
    if by is None:
        raise DataError(
            f"{path}: no column says which photo a row is about.",
            hint=f"Columns: {shown}. Name the one in the project file: metadata: {{path: {path.name}, by: COLUMN}}.",
        )
    guess = suggestion(by, list(names))
    meant = f"Did you mean '{guess}'?" if guess else f"Columns: {shown}."
    raise DataError(f"{path}: has no column '{by}'.", hint=meant)


def _key(value: Any) -> str:
    return value if isinstance(value, str) else _json(value)


def _sidecar(key_name: str, rows: Sequence[tuple[str, Mapping[str, Any]]], *, texts: bool) -> Sidecar:
    first: dict[str, Mapping[str, Any]] = {}
    conflicts = 0
    for key, row in rows:
        clean = key.replace("\\", "/").removeprefix("./").rstrip("/")
        conflicts += first.setdefault(clean, row) != row
    names = dict.fromkeys(name for row in first.values() for name in row if name != key_name)
    columns = {name: [row.get(name) for row in first.values()] for name in names}
    typed = {name: _from_texts(values) if texts else column_of(values) for name, values in columns.items()}
    return Sidecar(list(first), typed, key_name, conflicts)


def _from_texts(values: Sequence[Any]) -> pa.Array:
    """Return cells as whole numbers, numbers or truths where all of them are; an empty cell is null."""
    cells = [value or None for value in values]
    filled = [cell for cell in cells if cell is not None]
    if filled and all(_INTEGER.fullmatch(cell) for cell in filled):
        return pa.array([cell if cell is None else int(cell) for cell in cells], pa.int64())
    if filled and all(_NUMBER.fullmatch(cell) for cell in filled):
        return pa.array([cell if cell is None else float(cell) for cell in cells], pa.float64())
    if filled and all(cell.lower() in _TRUTH for cell in filled):
        return pa.array([cell if cell is None else _TRUTH[cell.lower()] for cell in cells], pa.bool_())
    return pa.array(cells, pa.string())


def column_of(values: Sequence[Any]) -> pa.Array:
    """Return a column of the values' one type; of several types, or of lists and objects, it is JSON text."""
    kinds = {type(value) for value in values if value is not None}
    kind = next((kind for fitting, kind in _KINDS if kinds <= fitting), None)
    whole = [abs(value) for value in values if isinstance(value, int)]
    most = max(whole, default=0)
    if most >= 1 << 63 or (kind == pa.float64() and most > _EXACT):
        kind = None
    if kind is not None:
        return pa.array(values, kind)
    return pa.array(
        [value if value is None or isinstance(value, str) else _json(value) for value in values], pa.string()
    )


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _shown(value: Any) -> str:
    return _json(value)[:60]
