"""Where COCO files and their photos lie.

- `annotations/instances_train2017.json` beside `train2017/`, `images/` or `images/train2017/` (COCO);
- `train/_annotations.coco.json` among its photos (Roboflow);
- one JSON file anywhere, its photos beside it or below `images/`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vision_cli.core.containment import Containment
from vision_cli.core.dataset import Split
from vision_cli.core.errors import DataError
from vision_cli.formats.folder_walk import entries, is_file, is_folder
from vision_cli.formats.photos import split_of

Kind = Literal["coco", "lvis", "panoptic", "captions", "results"]

KINDS_OF_FILES = ("instances", "lvis", "", "person_keypoints", "stuff", "labels", "image_info", "captions")
"""What file names begin with, the most telling first; of a folder's files, those of one kind are read."""

_LOOKED_AT_BYTES = 1 << 16
_LOOKED_AT_FILES = 100
_SEARCHED_BYTES = 1 << 23
_LISTS = tuple(
    (name, re.compile(rb'"%b"\s*:\s*\[' % name.encode())) for name in ("images", "annotations", "categories")
)
_LVIS = re.compile(rb'"(neg|not_exhaustive)_category_ids"\s*:')
_WORDS = re.compile(r"[^A-Za-z]+")
_ROBOFLOW = "_annotations.coco"


@dataclass(frozen=True, slots=True)
class Labels:
    """One label file.

    Attributes:
        path: of the file.
        tag: its name without the kind before it: `train2017`.
        split: that the name, or for Roboflow the folder, means.
    """

    path: Path
    tag: str
    split: Split | None


def sniff(path: Path) -> Kind | None:
    """Return what a JSON file is, from its first and last 64 kB."""
    with path.open("rb") as file:
        text = file.read(_LOOKED_AT_BYTES)
        size = file.seek(0, os.SEEK_END)
        if size > len(text):
            file.seek(max(len(text), size - _LOOKED_AT_BYTES))
            text += b"\n" + file.read()
    begin = text.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if begin == b"[":
        return "results" if all(name in text for name in (b'"image_id"', b'"category_id"', b'"score"')) else None
    lists = {name for name, pattern in _LISTS if pattern.search(text)}
    if begin != b"{" or len(lists) < 2:
        return None
    if b'"segments_info"' in text:
        return "panoptic"
    if _LVIS.search(text) or _kind_and_tag(path.stem)[0] == "lvis":  # a set of another origin has no such members
        return "lvis"
    return "captions" if b'"caption"' in text and b'"bbox"' not in text else "coco"


def has_annotations(path: Path) -> bool:
    """Return whether a file's first megabytes have a list of annotations; a larger file has one for sure."""
    with path.open("rb") as file:
        text = file.read(_SEARCHED_BYTES)
    return len(text) == _SEARCHED_BYTES or b'"annotations"' in text


def find(path: Path, kinds: frozenset[Kind]) -> tuple[list[Labels], list[Path]]:
    """Return the label files of a file or folder, and those beside them that are left out."""
    if path.is_file():
        return ([labels(path)] if sniff(path) in kinds else []), []
    for files in _places(path):
        found = [file for file in files[:_LOOKED_AT_FILES] if sniff(file) in kinds]
        if found:
            best = min(map(_rank, found))
            kept = [file for file in found if _rank(file) == best]
            return [labels(file) for file in kept], [file for file in found if file not in kept]
    return [], []


def json_files(folder: Path) -> list[Path]:
    """Return the JSON files of the first place that has some, of those where label files are looked for."""
    return next((files for files in _places(folder) if files), [])


def _places(folder: Path) -> list[list[Path]]:
    """Return the JSON files of each place where label files are looked for."""
    inner = [Path(entry.path) for entry in entries(folder) if is_folder(entry) and split_of(entry.name)]
    inside = [file for place in inner for file in _json_files(place)]
    roboflow = [file for file in inside if file.stem == _ROBOFLOW]
    return [_json_files(folder / "annotations"), _json_files(folder), roboflow, inside]


def _json_files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return [Path(entry.path) for entry in entries(folder) if entry.name.lower().endswith(".json") and is_file(entry)]


def _kind_and_tag(stem: str) -> tuple[str, str]:
    for kind in filter(None, KINDS_OF_FILES):
        if stem == kind or stem.startswith(f"{kind}_"):
            return kind, stem[len(kind) + 1 :]
    return "", stem


def _rank(file: Path) -> int:
    return KINDS_OF_FILES.index(_kind_and_tag(file.stem)[0])


def labels(path: Path) -> Labels:
    """Return what the name of a label file says."""
    tag = _kind_and_tag(path.stem)[1]
    words = [path.parent.name] if split_of(path.parent.name) else _WORDS.split(tag)
    return Labels(path, tag, next((split for word in words if (split := split_of(word))), None))


def root_of(path: Path) -> Path:
    """Return the folder that photo paths of a source are relative to."""
    if path.is_dir():
        return path
    folder = path.parent
    return folder.parent if folder.name == "annotations" else folder


def prefix(root: Path, file: Labels, names: Sequence[str], *, alone: bool) -> tuple[str, bool]:
    """Return the folder below the root that holds the photos of a file, and whether some were seen there.

    Args:
        root: of the source.
        file: the label file.
        names: some of its photos.
        alone: whether the source has no other label file.

    Raises:
        DataError: the folder leads out of the root through a link.
    """
    folder = os.path.relpath(file.path.parent, root)
    own = "" if folder == "." or folder.startswith("..") or file.path.parent.name == "annotations" else folder
    words = [word for word in _WORDS.split(file.tag) if split_of(word)]
    choices = [
        own,
        "images",
        file.tag,
        f"images/{file.tag}",
        *words,
        *(f"images/{word}" for word in words),
        "train/images",
    ]
    choices = [choice for choice in dict.fromkeys([*choices, ""]) if choice in ("", own) or (root / choice).is_dir()]
    hits = {choice: sum((root / choice / name).is_file() for name in names) for choice in choices}
    best = max(choices, key=hits.__getitem__) if any(hits.values()) else None
    chosen = best if best is not None else own or ("" if alone else file.tag)
    if chosen and not Containment(root).holds(f"{chosen}/x"):
        raise DataError(f"{root / chosen}: leads out of {root}.", hint="Links stay inside the source's folder.")
    return chosen, best is not None
