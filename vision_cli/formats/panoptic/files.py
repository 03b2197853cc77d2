"""Where the parts of a panoptic data set lie: JSONs, folders of PNGs, photos."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from vision_cli.core.errors import DataError
from vision_cli.formats.folder_walk import entries, is_file, is_folder
from vision_cli.formats.photos import split_of

_MARK = b'"segments_info"'
_HEAD_BYTES, _TAIL_BYTES = 1 << 23, 1 << 20
_MOST_FOLDERS, _MOST_ENTRIES, _DEPTH = 500, 5000, 4
_FEW = 5
_MOST_BELOW, _MOST_BESIDE, _MOST_JSONS = 60, 200, 8
"""Folders below that are looked at, entries of each, and JSONs: of many JSONs each is of one photo, as in labelme."""


@dataclass(frozen=True, slots=True)
class Part:
    """One JSON and its folder of PNGs.

    Attributes:
        json: the file.
        pictures: the folder.
        split: what the file's name says, or None.
        two_channels: the JSON has no segments; a PNG's red is the category, its green the number of the object.
    """

    json: Path
    pictures: Path
    split: str | None
    two_channels: bool = False


def evidence(path: Path) -> str | None:
    """Return which JSONs look like a panoptic one."""
    found = list(islice(_panoptic_files(path), _FEW))
    if found:
        return f"{', '.join(file.name for file in found)} with segments_info"
    bare = _two_channels(path)
    return f"{bare.json.name} beside two-channel PNGs in {bare.pictures.name}" if bare is not None else None


def parts(path: Path) -> list[Part]:
    """Return the JSONs of a file or folder.

    Raises:
        DataError: there is none.
    """
    files = list(_panoptic_files(path))
    bare = None if files else _two_channels(path)
    if bare is not None:
        return [bare]
    files = [path] if path.is_file() else files
    if not files:
        raise DataError(
            f"{path}: no JSON with segments_info is in it.",
            hint="Give the panoptic JSON, or the folder that has it in itself or in annotations/; further below it is "
            "found beside its PNGs if no other JSON is there.",
        )
    return [Part(file, _pictures(file), _split(file.stem)) for file in files]


def _panoptic_files(path: Path) -> Iterator[Path]:
    if path.is_file():
        return (file for file in [path] if path.suffix.lower() == ".json" and _is_panoptic(file))
    folders = [path, path / "annotations", path / "panoptic"]
    candidates = [Path(entry.path) for folder in folders if folder.is_dir() for entry in _jsons(folder)]
    return iter([file for file in candidates if _is_panoptic(file)] or _deeper(path))


def _deeper(path: Path) -> list[Path]:
    """Return the panoptic JSONs of the one folder below that has some; none where other JSONs lie there, too.

    They count only beside their PNGs. Among other JSONs the folder may be of another format, or a heap of data sets.
    """
    found: dict[Path, list[Path]] = {}
    for folder in islice(_folders(path), _MOST_BELOW):
        files = [Path(entry.path) for entry in _some_entries(folder, _MOST_BESIDE) if _is_json(entry)]
        if len(files) > _MOST_JSONS or (files and found):
            return []
        if files and all(_is_panoptic(file) and _has_pictures(file) for file in files):
            found[folder] = files
        elif files:
            return []
    return next(iter(found.values()), [])


def _has_pictures(file: Path) -> bool:
    return any(entry.name.lower().endswith(".png") for entry in _some_entries(_pictures(file), _MOST_ENTRIES))


def _some_entries(folder: Path, most: int) -> list[os.DirEntry[str]]:
    """Return entries of a folder, by name; none where it may not be read."""
    try:
        with os.scandir(folder) as found:
            return sorted(islice(found, most), key=lambda entry: entry.name)
    except OSError:
        return []


def _jsons(folder: Path) -> list[os.DirEntry[str]]:
    return [entry for entry in entries(folder) if _is_json(entry)]


def _is_json(entry: os.DirEntry[str]) -> bool:
    return entry.name.lower().endswith(".json") and is_file(entry)


def _is_panoptic(file: Path) -> bool:
    """Look at the beginning and the end: photos, segments and categories come in any order."""
    with file.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
        size = stream.seek(0, os.SEEK_END)
        stream.seek(max(size - _TAIL_BYTES, 0))
        tail = stream.read(_TAIL_BYTES)
    return _MARK in head or _MARK in tail


def _two_channels(path: Path) -> Part | None:
    """Return the one JSON without segments that lies beside a folder of two-channel PNGs, as panopticapi has them."""
    folder = path.parent if path.is_file() else path
    pictures = [Path(entry.path) for entry in entries(folder) if is_folder(entry) and "2ch" in entry.name.lower()]
    files = [path] if path.is_file() else [Path(entry.path) for entry in _jsons(folder)]
    files = [file for file in files if _has_photos_alone(file)]
    if len(pictures) != 1 or len(files) != 1:
        return None
    return Part(files[0], pictures[0], _split(files[0].stem), two_channels=True)


def _has_photos_alone(file: Path) -> bool:
    with file.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
    return b'"images"' in head and b'"categories"' in head and b'"annotations"' not in head


def _pictures(file: Path) -> Path:
    beside = file.with_suffix("")
    return beside if beside.is_dir() else file.parent


def _split(stem: str) -> str | None:
    words = [split_of(word) for word in re.split(r"[^a-zA-Z]+", stem)]
    return next((word for word in words if word), None)


def photo_folder(root: Path, names: Sequence[str], pictures: Path) -> str | None:
    """Return the folder below a root, as a prefix with `/`, that holds photos of these names; None without."""
    wanted = [name for name in names[:_FEW] if name]
    if not wanted:
        return None
    for folder in islice(_folders(root), _MOST_FOLDERS):
        if folder != pictures and any(_is_file(folder / name) for name in wanted):
            relative = os.path.relpath(folder, root)
            return "" if relative == "." else f"{relative}/"
    return None


def _folders(root: Path) -> Iterator[Path]:
    """Yield a folder and those in it, the nearest first; links are not followed."""
    waiting = [(root, 0)]
    while waiting:
        folder, depth = waiting.pop(0)
        yield folder
        if depth < _DEPTH:
            below = [entry.name for entry in _some_entries(folder, _MOST_ENTRIES) if _is_folder(entry)]
            waiting += [(folder / name, depth + 1) for name in below]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    return entry.is_dir(follow_symlinks=False) and not entry.name.startswith(".")


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name too long, or with a NUL
        return False
