"""YOLO: one text file a photo, one row an object, shares of the photo's sides.

Reads the layouts of Ultralytics, Roboflow and darknet (`yolo_layout`); writes `data.yaml`, `images/<split>/` and
`labels/<split>/`. Format: https://docs.ultralytics.com/datasets/.
"""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from vision_cli.core.errors import DataError
from vision_cli.formats.folder_walk import entries
from vision_cli.formats.photos import is_photo_name, split_of
from vision_cli.formats.yolo.layout import NAME_FILES, data_file, yaml_file
from vision_cli.formats.yolo.lost import losses
from vision_cli.formats.yolo.reading import read
from vision_cli.formats.yolo.rows import is_number
from vision_cli.formats.yolo.text import READ_BACK_PX
from vision_cli.formats.yolo.writing import write
from vision_cli.formats.yolo.yaml import looks_like

__all__ = ["CARRIES", "PIXELS", "READ_BACK_PX", "detect", "losses", "read", "write"]

CARRIES = frozenset({"box", "polygon", "keypoints", "score", "unlabelled", "split", "order"})
PIXELS = "exclusive"

_LOOKED_AT = 200
_HEAD_BYTES = 1 << 16


def detect(path: Path) -> str | None:
    """Return the evidence that a file is a `data.yaml` or `obj.data`, or that a folder holds label files."""
    if path.is_file():
        return _of_file(path)
    try:
        file = yaml_file(path)
    except DataError as error:
        return error.message
    if file is not None:
        return f"{file.name} with names and places of photos"
    file = data_file(path)
    if file is not None and _of_file(file):
        return _of_file(file)
    return _of_labels(path)


def _of_file(file: Path) -> str | None:
    if file.suffix.lower() not in (".yaml", ".yml", ".data"):
        return None
    with file.open("rb") as stream:
        text = stream.read(_HEAD_BYTES).decode("utf-8", "replace")
    if file.suffix.lower() != ".data":
        return f"{file.name} with names and places of photos" if looks_like(text) else None
    keys = {line.partition("=")[0].strip() for line in text.splitlines() if "=" in line}
    return f"{file.name} of darknet" if "names" in keys and keys & {"train", "valid"} else None


def _of_labels(root: Path) -> str | None:
    """Look for rows of shares in `labels`, `<split>/labels`, or beside the photos where a file names classes."""
    tops = [entry.name for entry in entries(root) if entry.is_dir(follow_symlinks=False)]
    folders = [root / "labels"] if {"labels", "images"} <= set(tops) else []
    folders += [root / top / "labels" for top in tops if split_of(top) and (root / top / "labels").is_dir()]
    if any((root / name).is_file() for name in NAME_FILES):
        folders += [root / "labels"] if "labels" in tops else [root]
    for folder in folders:
        for file in islice(_texts(folder), _LOOKED_AT):
            if _has_row(file):
                return f"rows of class and shares in {file.relative_to(root)}"
    return _of_empty_labels(root, [folder for folder in folders if folder.name == "labels"])


def _of_empty_labels(root: Path, folders: list[Path]) -> str | None:
    """Look for label files of which every one is empty, each beside a photo: nothing is on these photos."""
    for folder in folders:
        texts = list(islice(_texts(folder), _LOOKED_AT))
        below = [text.relative_to(folder).parent for text in texts]
        photos = {part: _photo_stems(folder.parent / "images" / part) for part in set(below)}
        pairs = zip(texts, below, strict=True)
        if texts and all(text.stat().st_size == 0 and text.stem in photos[part] for text, part in pairs):
            return f"empty label files in {folder.relative_to(root)}"
    return None


def _photo_stems(folder: Path) -> set[str]:
    found = entries(folder) if folder.is_dir() else []
    return {Path(entry.name).stem for entry in found if is_photo_name(entry.name)}


def _texts(folder: Path) -> list[Path]:
    """Return .txt files of a folder and of the folders in it."""
    found = entries(folder)
    folders = [entry.path for entry in found if entry.is_dir(follow_symlinks=False)]
    names = [entry.path for entry in found] + [
        entry.path for below in folders[:_LOOKED_AT] for entry in entries(Path(below))
    ]
    return [Path(name) for name in names if name.endswith(".txt") and Path(name).name not in NAME_FILES]


def _has_row(file: Path) -> bool:
    try:
        with file.open("rb") as stream:
            tokens = stream.read(_HEAD_BYTES).partition(b"\n")[0].split()
    except OSError:
        return False
    return len(tokens) >= 5 and all(map(is_number, tokens)) and tokens[0].isdigit()
