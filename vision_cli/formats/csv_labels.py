"""One row a photo: `path,label`, several labels joined with `|`, or `path,value`.

Format: RFC 4180 in UTF-8, with or without a byte order mark; columns parted by comma, semicolon or tab, as the header
shows. Further columns: `split`, `group`, and any other as metadata.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from vision_cli.core.catalogue import suggestion
from vision_cli.core.containment import Containment
from vision_cli.core.dataset import ClassMap, Dataset
from vision_cli.core.errors import DataError
from vision_cli.core.photo_labels import PhotoColumns, PhotoLabels, build
from vision_cli.formats import ReadOptions, photos
from vision_cli.formats.csv_boxes import CARRIES, read_boxes
from vision_cli.formats.csv_table import Header, Row, column_names, first_line, head_of, header_of, load_text, rows_of
from vision_cli.formats.csv_write import write
from vision_cli.formats.problems import Problems

__all__ = ["CARRIES", "PIXELS", "detect", "is_aside", "read", "write"]

PIXELS = "exclusive"

_SUFFIXES = (".csv", ".tsv")
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_SEPARATOR = "|"
_FIRST_ROWS = 50


@dataclass(slots=True)
class _Columns:
    """What the good rows say, one entry a photo."""

    paths: list[str] = field(default_factory=list)
    labels: list[tuple[str, ...]] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    splits: list[str | None] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    metadata: dict[str, list[str | None]] = field(default_factory=dict)


def detect(path: Path) -> str | None:
    """Return the evidence that a file, or the one such file of a folder, is a label CSV, from its header."""
    found = [(file, evidence) for file in _candidates(path) if (evidence := _evidence(file)) is not None]
    if len(found) > 1:
        return f"{len(found)} CSV files with a path column: {', '.join(file.name for file, _ in found[:5])}"
    return found[0][1] if found else None


def _evidence(file: Path, columns: Mapping[str, str] | None = None) -> str | None:
    """Return what the header says; one that is wrong in itself is for `read` to refuse."""
    try:
        header = header_of(first_line(file), columns)
    except ValueError as error:
        return f"{file.name}, in which {error}"
    return None if header is None else f"{file.name} with the columns {', '.join(header.names)}"


def is_aside(path: Path) -> bool:
    """Return whether none of the first photos that the CSV names is there: then it tells of photos elsewhere."""
    for file in _candidates(path):
        try:
            header = header_of(text := head_of(file))
            rows = [] if header is None else list(islice(rows_of(text, header, Problems(file)), _FIRST_ROWS))
        except (ValueError, DataError):
            return False
        if header is not None and any(_is_there(file.parent, row.cell(header, "path")) for row in rows):
            return False
    return True


def _is_there(folder: Path, name: str) -> bool:
    return "\0" not in name and os.path.isfile(f"{os.fspath(folder)}/{name}")  # noqa: PTH113 - pathlib raises on long names


def _candidates(path: Path) -> list[Path]:
    files = [path] if path.is_file() else sorted(path.iterdir())
    return [file for file in files if file.suffix.lower() in _SUFFIXES and file.name[0] != "." and file.is_file()]


def read(path: Path, options: ReadOptions) -> Dataset:
    """Read a CSV of labels; classes are sorted by their code points.

    Args:
        path: the file, or a folder that holds only one with a fitting header.
        options: `images` is the folder of the photo paths; the CSV's own when None.

    Raises:
        DataError: the header does not fit, or rows are bad: all at once, by line.
    """
    file = _only_file(path, options.columns) if path.is_dir() else path
    text = load_text(file)
    header = _header(file, text, options.columns)
    if header.boxes is not None:
        return read_boxes(file, text, header, options)
    problems, root = Problems(file), options.images or file.parent
    rows = list(rows_of(text, header, problems))
    columns = _parse(rows, header, Containment(root), problems)
    sizes = _sizes(root, columns, problems)
    problems.refuse(f"rows of {len(rows)}")
    if not columns.paths:
        raise DataError(f"{file}: there is no row below the header.", hint="Write one row a photo.")
    photo_columns = PhotoColumns(columns.paths, sizes, columns.splits, columns.metadata)
    return build(options.source, root, photo_columns, _labels(columns), [*header.notes, *_notes(columns)])


def _header(file: Path, text: str, columns: Mapping[str, str]) -> Header:
    _check_columns(file, text, columns)
    try:
        header = header_of(text, columns)
    except ValueError as error:
        raise DataError(f"{file}:1: {error}.", hint="Rename one of them.") from error
    if header is None:
        names = text.splitlines()[0][:200] if text.strip() else ""
        raise DataError(
            f"{file}:1: no column for the path and the label or value; the header is {names!r}.",
            hint="Write a header such as path,label or path,value (comma, semicolon or tab).",
        )
    return header


def _check_columns(file: Path, text: str, columns: Mapping[str, str]) -> None:
    """Refuse columns that a user names and the header does not."""
    names = column_names(text) if columns else []
    missing = [(role, name, suggestion(name, names)) for role, name in columns.items() if name not in names]
    if missing:
        told = [f"{role}: {name}{f' (did you mean {guess!r}?)' if guess else ''}" for role, name, guess in missing]
        raise DataError(
            f"{file}:1: no such columns: {', '.join(told)}.",
            hint=f"`columns` is a map {{role: column}}; the header has {', '.join(names[:20])}.",
        )


def _only_file(folder: Path, columns: Mapping[str, str]) -> Path:
    found = [file for file in _candidates(folder) if _evidence(file, columns) is not None]
    if len(found) != 1:
        names = ", ".join(file.name for file in found[:10]) or "none"
        raise DataError(
            f"{folder}: one CSV with a path column was expected, found {len(found)}: {names}.",
            hint="Give the file itself as the source's path; several files are several sources.",
        )
    return found[0]


def _parse(rows: Sequence[Row], header: Header, fence: Containment, problems: Problems) -> _Columns:
    """Take the columns out of the rows; what is wrong with them goes to `problems`."""
    columns = _Columns(metadata={name: [] for name in header.metadata})
    first_lines: dict[str, int] = {}
    several = "label" in header.roles and any(_SEPARATOR in row.cell(header, "label") for row in rows)
    for row in rows:
        path = _path(row, header, fence, problems)
        if path is not None and first_lines.setdefault(path, row.line) != row.line:
            problems.add(
                "repeated photos",
                f"{path} stands on line {first_lines[path]} already",
                line=row.line,
                hint=f"Write one row a photo and join several labels with '{_SEPARATOR}'.",
            )
            path = None
        columns.lines.append(row.line)
        columns.paths.append(path or "")
        columns.labels.append(_row_labels(row, header, several, problems))
        columns.values += [_value(row, header, problems)] if "value" in header.roles else []
        columns.splits.append(_split(row, header, problems))
        for name, index in header.metadata.items():
            columns.metadata[name].append(row.cells[index].strip() or None)
    return columns


def _path(row: Row, header: Header, fence: Containment, problems: Problems) -> str | None:
    """Return the photo's path without `./`; None when it is refused."""
    text = row.cell(header, "path").strip()
    parts = [part for part in text.split("/") if part not in ("", ".")]
    path = "/".join(parts)
    if not parts:
        problems.add("empty paths", "the path is empty", line=row.line)
    elif text.startswith("/") or ".." in parts or not fence.holds(path):
        problems.add(
            "paths out of the folder",
            f"{text} leads out of {fence.root}",
            line=row.line,
            hint="Paths are relative to the CSV's folder, or to the folder that `images` names, and stay below it.",
        )
    else:
        return path
    return None


def _row_labels(row: Row, header: Header, several: bool, problems: Problems) -> tuple[str, ...]:
    """Return the labels of a row, each once. In a file of several labels a photo, none at all is an answer too."""
    if "label" not in header.roles:
        return ()
    text = row.cell(header, "label").strip()
    if not text and several:
        return ()
    labels = tuple(dict.fromkeys(part.strip() for part in text.split(_SEPARATOR)))
    if "" in labels:
        problems.add("empty labels", f"the label is empty: {text!r}", line=row.line)
    return labels


def _value(row: Row, header: Header, problems: Problems) -> float:
    text = row.cell(header, "value").strip()
    value = float(text) if _NUMBER.fullmatch(text) else math.nan
    if not math.isfinite(value):
        problems.add(
            "bad values", f"{text!r} is not a finite number", line=row.line, hint="Write values as 12.5, with a point."
        )
    return value


def _split(row: Row, header: Header, problems: Problems) -> str | None:
    text = row.cell(header, "split").strip() if "split" in header.roles else ""
    split = photos.split_of(text)
    if text and split is None:
        problems.add("unknown splits", f"{text!r} is no split", line=row.line, hint="Splits are train, val and test.")
    return split


def _sizes(root: Path, columns: _Columns, problems: Problems) -> list[photos.Size]:
    """Return the size of each photo, (0, 0) where its path was refused before."""
    rows = [row for row, path in enumerate(columns.paths) if path]
    sizes: list[photos.Size] = [(0, 0)] * len(columns.paths)
    for row, found in zip(rows, photos.sizes([root / columns.paths[row] for row in rows]), strict=True):
        if not isinstance(found, DataError):
            sizes[row] = found
            continue
        missing = not os.path.exists(root / columns.paths[row])  # noqa: PTH110 - Path.exists raises on names too long
        kind = "missing photos" if missing else "unreadable photos"
        text = f"{columns.paths[row]} is not in {root}" if missing else found.message
        hint = "Check the folder: set `images` if the paths start elsewhere." if missing else None
        problems.add(kind, text, line=columns.lines[row], hint=hint)
    return sizes


def _labels(columns: _Columns) -> PhotoLabels:
    names = tuple(sorted({label for labels in columns.labels for label in labels}))
    where = {name: index for index, name in enumerate(names)}
    class_rows = [(row, where[label]) for row, labels in enumerate(columns.labels) for label in labels]
    return PhotoLabels(ClassMap(names), class_rows, list(enumerate(columns.values)))


def _notes(columns: _Columns) -> list[str]:
    without = 0 if columns.values else sum(not labels for labels in columns.labels)
    return [f"{without} photos have no label: none of the classes is on them."] if without else []
