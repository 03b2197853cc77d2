"""Rows of metadata files turned to photos: blocks of plain lines by columns, everything else row by row."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pyarrow as pa

from vision_cli.core.dataset import Split
from vision_cli.formats import photos
from vision_cli.formats.huggingface.metadata import Block, Row, blocks_of
from vision_cli.formats.photo_records import RecordReader
from vision_cli.formats.problems import Problems
from vision_cli.formats.record_columns import ColumnReader

FILE = "file_name"

_OTHER_MEDIA = frozenset(
    {
        *(".wav", ".mp3", ".flac", ".ogg", ".m4a", ".aac", ".opus"),
        *(".mp4", ".mkv", ".avi", ".mov", ".webm", ".mpg", ".mpeg"),
        *(".pdf", ".nii", ".gz", ".glb", ".ply", ".stl"),
    }
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where rows stand.

    Attributes:
        name: of the metadata file, relative to the folder.
        prefix: what comes before the names of photos in it.
    """

    name: str
    prefix: str


def take(file: Path, place: Place, reader: RecordReader) -> Iterator[str]:
    """Add the photos of a metadata file to a reader, and yield their paths in order."""
    columns = ColumnReader(reader, FILE)
    for block in blocks_of(file):
        paths = _by_columns(block, place, columns)
        yield from _row_by_row(block, place, reader) if paths is None else paths


def _by_columns(block: Block, place: Place, columns: ColumnReader) -> list[str] | None:
    """Return the paths of a block's photos; None where it has to be read row by row."""
    found = columns.photos(block.lines) if block.lines else None
    if found is None:
        return None
    paths = [_path(text, place.prefix) for text in found.names]
    good = [path for path in paths if path is not None]
    if len(good) < len(paths):
        return None
    splits = pa.array(map(_split, good), pa.string(), size=len(good))
    return good if columns.add(found, {"path": pa.array(good, pa.string()), "split": splits}) else None


def _row_by_row(block: Block, place: Place, reader: RecordReader) -> Iterator[str]:
    for row in block.rows(reader.problems):
        photo = _photo(row, place, reader.problems)
        if photo is not None:
            reader.add(row.fields, {"path": photo, "split": _split(photo)}, f"{place.name}:{row.number}")
            yield photo


def _photo(row: Row, place: Place, problems: Problems) -> str | None:
    """Take the photo's path out of a row; what is wrong with it goes to the problems."""
    text = row.fields.pop(FILE, None)
    path = _path(text, place.prefix)
    where = f"{place.name}:{row.number}"
    if path is not None:
        return path
    if not isinstance(text, str) or not text.strip("/. "):
        hint = "Each row has a field file_name, relative to the metadata file."
        problems.add("rows without file_name", f"{where}: file_name is {text!r}", hint=hint)
    elif _is_other_media(text):
        problems.add("files that are no photos", f"{where}: {text}", hint="Only photos are read, no sounds or videos.")
    else:
        problems.add("paths out of the folder", f"{where}: {text!r} leads out of it")
    return None


def _path(text: object, prefix: str) -> str | None:
    """Return a photo's path relative to the folder; None where the text is none."""
    if not isinstance(text, str) or not text.strip("/. ") or _is_other_media(text) or text.startswith("/"):
        return None
    parts = [part for part in text.split("/") if part not in ("", ".")]
    return None if ".." in parts else prefix + "/".join(parts)


def _is_other_media(text: str) -> bool:
    return posixpath.splitext(text.rstrip("/"))[1].lower() in _OTHER_MEDIA


def _split(photo: str) -> Split | None:
    return _split_of(photo.rpartition("/")[0])


@lru_cache(maxsize=256)
def _split_of(folder: str) -> Split | None:
    """Return the split that a part of a folder's path means."""
    found = (photos.split_of(part) for part in folder.split("/"))
    return next((split for split in found if split is not None), None)
