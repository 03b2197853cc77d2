"""The table inside a label CSV: its text, its header, its rows with their line numbers."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from vision_cli.core.columns import IMAGE_COLUMNS
from vision_cli.core.errors import DataError
from vision_cli.core.files import read_limited
from vision_cli.formats.problems import Problems

MAX_BYTES = 1 << 28
_HEADER_BYTES = 1 << 16
_DELIMITERS = (",", ";", "\t")
_BOM = b"\xef\xbb\xbf"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")

_ROLES: dict[str, str] = {
    "path": "path",
    "file": "path",
    "filename": "path",
    "image": "path",
    "label": "label",
    "labels": "label",
    "class": "label",
    "value": "value",
    "split": "split",
}
_BOXES: dict[str, tuple[tuple[str, ...], ...]] = {
    "corners": (("xmin", "ymin", "xmax", "ymax"), ("x1", "y1", "x2", "y2"), ("left", "top", "right", "bottom")),
    "extent": (("x", "y", "w", "h"), ("x", "y", "width", "height"), ("bbox_x", "bbox_y", "bbox_w", "bbox_h")),
    "centre": (("cx", "cy", "w", "h"), ("cx", "cy", "width", "height"), ("x_center", "y_center", "width", "height")),
}
EDGES = ("xmin", "ymin", "xmax", "ymax")
SIDES = ("width", "height")


@dataclass(frozen=True, slots=True)
class Header:
    """The first row.

    Attributes:
        delimiter: comma, semicolon or tab.
        names: of the columns, as they stand.
        roles: index of the column by role: `path`, `label`, `value`, `split`.
        metadata: index of every further column by name.
        notes: columns that are left out and why.
        boxes: `corners`, `extent` or `centre`, whose four roles are those of EDGES; None without boxes.
    """

    delimiter: str
    names: tuple[str, ...]
    roles: Mapping[str, int]
    metadata: Mapping[str, int]
    notes: tuple[str, ...]
    boxes: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One record with the 1-based line that it starts on."""

    line: int
    cells: Sequence[str]

    def cell(self, header: Header, role: str) -> str:
        """Return the cell of a role."""
        return self.cells[header.roles[role]]


def load_text(file: Path) -> str:
    """Read a CSV's text.

    Raises:
        DataError: missing, larger than 256 MB, or not UTF-8; then with the offset of the first bad byte.
    """
    data = read_limited(file, max_bytes=MAX_BYTES, what="the CSV")
    skipped = len(_BOM) if data.startswith(_BOM) else 0
    try:
        return data[skipped:].decode()
    except UnicodeDecodeError as error:
        offset = error.start + skipped
        what = "is UTF-16" if data.startswith(_UTF16) else f"byte {data[offset]:#04x} at offset {offset} is not UTF-8"
        line = data[:offset].count(b"\n") + 1
        raise DataError(f"{file}:{line}: {what}.", hint="Save the file as 'CSV UTF-8'.") from error


def head_of(file: Path) -> str:
    """Return the whole lines that a file begins with, as far as one look goes."""
    with file.open("rb") as stream:
        data = stream.read(_HEADER_BYTES)
    lines = data[: data.rfind(b"\n") + 1] if len(data) == _HEADER_BYTES else data
    return lines.removeprefix(_BOM).decode("utf-8", "replace")


def first_line(file: Path) -> str:
    """Return the beginning of a file for `header_of`; empty when it is not UTF-8 text."""
    with file.open("rb") as stream:
        data = stream.read(_HEADER_BYTES)
    with suppress(UnicodeDecodeError):
        return data.removeprefix(_BOM).split(b"\n", 1)[0].decode() + "\n"
    return ""


def column_names(text: str) -> list[str]:
    """Return the names in a CSV's first row under the delimiter that finds most columns."""
    return max((_names(text, delimiter) or [] for delimiter in _DELIMITERS), key=len)


def _names(text: str, delimiter: str) -> list[str] | None:
    try:
        names = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True), [])
    except csv.Error:
        return None
    return [name.strip() for name in names]


def header_of(text: str, columns: Mapping[str, str] | None = None) -> Header | None:
    """Return the header of a CSV's text under the delimiter that finds most columns; None when none fits.

    Args:
        text: of the CSV, or its beginning.
        columns: name of a column by its role, where the user says it.

    Raises:
        ValueError: a column stands there twice, or two columns claim the same role.
    """
    found = [header for delimiter in _DELIMITERS if (header := _header(text, delimiter, columns or {})) is not None]
    return max(found, key=lambda header: len(header.names), default=None)


def _header(text: str, delimiter: str, columns: Mapping[str, str]) -> Header | None:
    names = _names(text, delimiter)
    if names is None:
        return None
    roles = {role: names.index(name) for role, name in columns.items() if name in names}
    boxes = _box_roles(names, roles)
    for index, name in enumerate(names):
        role = None if index in roles.values() else _ROLES.get(name.lower())
        if role is not None and role in columns:
            continue
        if role is not None and roles.setdefault(role, index) != index:
            raise ValueError(f"the columns '{names[roles[role]]}' and '{name}' both mean the {role}")
    if "path" not in roles or not roles.keys() & {"label", "value", "xmin"}:
        return None
    return Header(delimiter, tuple(names), roles, *_metadata(names, roles), boxes)


def _box_roles(names: Sequence[str], roles: dict[str, int]) -> str | None:
    """Give the columns of boxes, and of photo sizes beside them, their roles; return what kind of box it is."""
    if set(EDGES) <= roles.keys():
        return "corners"
    where = {name.lower(): index for index, name in enumerate(names) if index not in roles.values()}
    for kind, choices in _BOXES.items():
        for choice in choices:
            if all(name in where for name in choice):
                roles |= {edge: where[name] for edge, name in zip(EDGES, choice, strict=True)}
                roles |= {side: where[side] for side in SIDES if side in where and side not in choice}
                return kind
    return None


def is_role(name: str) -> bool:
    """Return whether a column of this name is more than metadata."""
    sets = [choice for choices in _BOXES.values() for choice in choices]
    known = {"group", *_ROLES, *IMAGE_COLUMNS.names, *(item for choice in sets for item in choice)}
    return not name or name != name.strip() or name.lower() in known


def _metadata(names: Sequence[str], roles: Mapping[str, int]) -> tuple[dict[str, int], tuple[str, ...]]:
    """Return the further columns by name, and notes of those that are left out."""
    metadata: dict[str, int] = {}
    notes = []
    for index, name in enumerate(names):
        if index in roles.values():
            continue
        name = "group" if name.lower() == "group" else name
        if name in metadata:
            raise ValueError(f"the column '{name}' stands there twice")
        if name and (name == "group" or name not in IMAGE_COLUMNS.names):
            metadata[name] = index
        else:
            why = "is a column of ours" if name else "has no name"
            notes.append(f"Column {index + 1} of the CSV is left out: '{name}' {why}.")
    return metadata, tuple(notes)


def rows_of(text: str, header: Header, problems: Problems) -> Iterator[Row]:
    """Yield the rows below the header; those with another number of columns go to `problems`.

    Raises:
        DataError: a quote is never closed or wrongly placed; nothing behind it can be trusted.
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=header.delimiter, strict=True)
    line = 1
    try:
        for cells in reader:
            start, line = line, reader.line_num + 1
            if start == 1 or not any(cells):
                continue
            if len(cells) == len(header.names):
                yield Row(start, cells)
                continue
            what = f"{len(cells)} columns where the header has {len(header.names)}"
            problems.add("rows of another length", what, line=start, hint="Put cells that hold a delimiter in quotes.")
    except csv.Error as error:
        problems.add(
            "rows that cannot be parsed", str(error), line=line, hint='A quote inside a quoted cell is written "".'
        )
        problems.refuse("rows")
