"""The records of a user's own JSON, JSON lines, CSV and TSV files."""

from __future__ import annotations

import csv
import posixpath
from collections.abc import Iterator
from fnmatch import fnmatchcase
from io import StringIO
from pathlib import Path
from typing import Any

from vision_cli.core.containment import Containment
from vision_cli.core.errors import DataError
from vision_cli.core.files import read_limited, utf8
from vision_cli.formats.folder_walk import entries, is_file
from vision_cli.formats.json_values import decoded
from vision_cli.formats.mapping.fields import Field, Item
from vision_cli.formats.mapping.presence import missed

_MAX_BYTES = 1 << 30
_MAX_DEPTH = 12
_TABLES = {".csv": ",", ".tsv": "\t"}
_LINES = (".jsonl", ".ndjson")


def files_of(root: Path, pattern: str) -> list[str]:
    """Return the files of a pattern relative to a folder, in order of their code points.

    Raises:
        DataError: none fits, or a path leads out of the folder.
    """
    fence = Containment(root)
    parts = [part for part in pattern.split("/") if part not in ("", ".")]
    if pattern.startswith("/") or ".." in parts or not parts:
        raise DataError(f"{pattern!r} leads out of {root}.", hint="Files are relative to the source.")
    found = sorted(_matching(root, parts))
    if outside := [name for name in found if not fence.holds(name)]:
        raise DataError(f"{root}: links lead out of the folder.", details=outside[:10], hint="Copy the files here.")
    if not found:
        raise DataError(f"{root}: no file is called {pattern!r}.", hint="Check `files` of the mapping.")
    return found


def _matching(root: Path, parts: list[str]) -> set[str]:
    """Return the files of a pattern; links to folders are not followed."""
    found: set[str] = set()
    waiting = [("", root, 0)]
    while waiting:
        prefix, folder, at = waiting.pop()
        anywhere = parts[at] == "**"
        if anywhere and at + 1 < len(parts):
            waiting.append((prefix, folder, at + 1))
        for entry in entries(folder):
            name, fits = prefix + entry.name, anywhere or fnmatchcase(entry.name, parts[at])
            if entry.is_dir(follow_symlinks=False):
                deeper = at if anywhere else at + 1
                if fits and deeper < len(parts) and name.count("/") < _MAX_DEPTH:
                    waiting.append((f"{name}/", Path(entry.path), deeper))
            elif fits and at == len(parts) - 1 and is_file(entry):
                found.add(name)
    return found


def documents_of(root: Path, name: str) -> Iterator[tuple[str, Item]]:
    """Yield (place for messages, document) of a file: a line or row of it is a document of its own.

    Raises:
        DataError: the file is no JSON or CSV of its kind.
    """
    around = {"@file": posixpath.splitext(name)[0], "@name": posixpath.splitext(name.rpartition("/")[2])[0]}
    for place, value in _documents(root / name, name):
        yield place, Item(value, around)


def items_of(document: Item, place: str, each: Field) -> Iterator[tuple[str, Item]]:
    """Yield (place for messages, record) of a document.

    Raises:
        DataError: there is nothing where the records should be.
    """
    if each.first_list().of(document) is None:
        why = missed(each, [document])
        text = f"nothing is at '{each.text}'{f': {why}' if why else '.'}"
        raise DataError(f"{place}: {text}", hint="Check `each` of the mapping.")
    for number, item in enumerate(each.items(document)):
        yield (f"{place}: record {number}" if each.steps else place), item


def _documents(path: Path, name: str) -> Iterator[tuple[str, Any]]:
    """Yield (place, value): a whole JSON document, a line of JSON, or a row of a table by its header."""
    text = utf8(read_limited(path, max_bytes=_MAX_BYTES, what="the file"), where=str(path))
    suffix = path.suffix.lower()
    if suffix in _TABLES:
        yield from _rows(path, name, StringIO(text, newline=""), _TABLES[suffix])
    elif suffix in _LINES:
        for number, line in enumerate(text.split("\n"), start=1):
            if line.strip():
                yield f"{name}:{number}", _json(line, f"{path}:{number}")
    else:
        yield name, _json(text, str(path))


def _json(text: str, where: str) -> Any:
    try:
        return decoded(text)
    except ValueError as error:
        raise DataError(f"{where}: {error}.", hint="JSON of RFC 8259, in UTF-8.") from error


def _rows(path: Path, name: str, text: StringIO, separator: str) -> Iterator[tuple[str, Any]]:
    reader = csv.reader(text, delimiter=separator, strict=True)
    try:
        header = next(reader, [])
        if len(set(header)) < len(header):
            raise DataError(f"{path}:1: a column stands twice.", hint="Rename one of them.")
        for cells in reader:
            if cells and len(cells) != len(header):
                raise DataError(f"{path}:{reader.line_num}: {len(cells)} cells, and the header has {len(header)}.")
            if cells:
                row = {column: cell if cell != "" else None for column, cell in zip(header, cells, strict=True)}
                yield f"{name}:{reader.line_num}", row
    except csv.Error as error:
        raise DataError(f"{path}:{reader.line_num}: {error}.", hint="Write it as CSV, RFC 4180.") from error
