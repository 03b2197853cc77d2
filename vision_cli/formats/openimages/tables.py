"""The CSV files of Open Images: which is which, and their columns as text."""

from __future__ import annotations

import csv
from pathlib import Path

import pyarrow as pa
from pyarrow import csv as arrow_csv

from vision_cli.core.errors import DataError
from vision_cli.core.files import read_limited, utf8
from vision_cli.formats.folder_walk import entries

_HEAD_BYTES = 1 << 12
_MAX_BYTES = 4 << 30
_KINDS: tuple[tuple[str, frozenset[str]], ...] = (
    ("masks", frozenset({"MaskPath", "ImageID"})),
    ("boxes", frozenset({"ImageID", "LabelName", "XMin", "XMax", "YMin", "YMax"})),
    ("labels", frozenset({"ImageID", "LabelName", "Confidence"})),
    ("classes", frozenset({"LabelName", "DisplayName"})),
    ("images", frozenset({"ImageID", "Subset"})),
)


def tables_below(path: Path) -> list[Path]:
    """Return the CSV files of a folder and of its `annotations`, in order of their names."""
    folders = [path, path / "annotations"] if (path / "annotations").is_dir() else [path]
    names = [Path(entry.path) for folder in folders for entry in entries(folder)]
    return [file for file in names if file.suffix.lower() == ".csv" and file.is_file()]


def header_kind(file: Path) -> str | None:
    """Return `boxes`, `labels`, `masks`, `classes` or `images` by a file's columns; None for any other file."""
    try:
        with file.open("rb") as stream:
            line = stream.read(_HEAD_BYTES).removeprefix(b"\xef\xbb\xbf").split(b"\n", 1)[0].decode("utf-8", "replace")
    except OSError:
        return None
    names = {name.strip() for name in line.split(",")}
    found = next((kind for kind, needed in _KINDS if needed <= names), None)
    if found is None and "class-descriptions" in file.name and line.startswith("/m/"):
        return "classes"
    return found


def load(file: Path) -> pa.Table:
    """Read a CSV with every column as text.

    Raises:
        DataError: not UTF-8, or rows of another length; with the row.
    """
    if file.stat().st_size > _MAX_BYTES:
        raise DataError(f"{file}: larger than {_MAX_BYTES >> 30} GB.")
    try:
        with file.open("rb") as stream:
            head = stream.read(1 << 16).removeprefix(b"\xef\xbb\xbf").split(b"\n", 1)[0]
        names = [name.strip() for name in next(csv.reader([head.decode()]), [])]
        convert = arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False, quoted_strings_can_be_null=False
        )
        # One thread, so that an error names its row.
        options = arrow_csv.ReadOptions(use_threads=False, column_names=names, skip_rows=1)
        return arrow_csv.read_csv(file, read_options=options, convert_options=convert)
    except (pa.ArrowInvalid, UnicodeDecodeError, OSError) as error:
        raise DataError(f"{file}: not a table: {str(error)[:200].rstrip('.')}.", hint="Compare its header.") from error


def subsets(file: Path) -> dict[str, str]:
    """Return the subset of each image; only these two columns are looked at, for published files lack some others.

    Raises:
        DataError: a row has neither.
    """
    text = utf8(read_limited(file, max_bytes=_MAX_BYTES, what="the list of images"), where=str(file))
    rows = csv.reader(text.splitlines())
    names = [name.strip() for name in next(rows)]
    image, subset = names.index("ImageID"), names.index("Subset")
    found: dict[str, str] = {}
    for number, row in enumerate(rows, start=2):
        if row and (len(row) <= max(image, subset) or not row[image]):
            raise DataError(
                f"{file}:{number}: {len(row)} columns, without ImageID and Subset.", hint="Complete the row."
            )
        if row:
            found[row[image]] = row[subset]
    return found


def class_names(file: Path) -> dict[str, str]:
    """Return display names by label name; one that stands twice is told apart by its label name."""
    text = utf8(read_limited(file, max_bytes=1 << 26, what="the class descriptions"), where=str(file))
    names: dict[str, str] = {}
    seen: set[str] = set()
    for number, row in enumerate(csv.reader(text.splitlines()), start=1):
        if not row or row[:2] == ["LabelName", "DisplayName"]:
            continue
        if len(row) != 2 or not row[0] or row[0] in names:
            raise DataError(f"{file}:{number}: a label name and a display name were expected, each label once.")
        name = row[1] or row[0]
        names[row[0]] = name if name not in seen else f"{name} ({row[0]})"
        seen.add(names[row[0]])
    return names
