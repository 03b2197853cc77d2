"""Hugging Face's folder of photos beside `metadata.jsonl`, `metadata.csv` or `metadata.parquet`.

Format: https://huggingface.co/docs/datasets/image_dataset and /image_load ("ImageFolder"): `file_name` is relative to
the metadata file; `objects` holds parallel lists `bbox` ([x, y, width, height] in pixels) and `categories`; splits are
folders. See photo_records.py for the fields. Class numbers get their names from `class_label` of the README's front
matter, or from a classes.txt. Sounds, videos and documents are refused.
"""

from __future__ import annotations

from pathlib import Path

from vision_cli.core.containment import Containment
from vision_cli.core.dataset import Dataset, Split
from vision_cli.core.errors import DataError
from vision_cli.core.origin import Origin
from vision_cli.formats import CARRIED, ReadOptions, photos
from vision_cli.formats.class_file import read_classes
from vision_cli.formats.conserving import DEFECTS
from vision_cli.formats.folder_walk import entries, is_file
from vision_cli.formats.gathering import Gathering
from vision_cli.formats.huggingface.card import read_card
from vision_cli.formats.huggingface.metadata import NAMES, Row, fields_of, rows_of
from vision_cli.formats.huggingface.writing import write
from vision_cli.formats.photo_records import RecordReader
from vision_cli.formats.photo_sizes import sizes_of
from vision_cli.formats.problems import Problems

__all__ = ["CARRIES", "PIXELS", "detect", "read", "write"]

CARRIES = frozenset({*CARRIED, *DEFECTS})
PIXELS = "exclusive"

_FILE = "file_name"
_MAX_DEPTH = 4
_LISTED = 2000
_OTHER_MEDIA = frozenset(
    {
        *(".wav", ".mp3", ".flac", ".ogg", ".m4a", ".aac", ".opus"),
        *(".mp4", ".mkv", ".avi", ".mov", ".webm", ".mpg", ".mpeg"),
        *(".pdf", ".nii", ".gz", ".glb", ".ply", ".stl"),
    }
)


def detect(path: Path) -> str | None:
    """Return the evidence that a folder, or a metadata file, is of this kind: a `file_name` among its fields."""
    for name, file in _files(path).items():
        fields = fields_of(file)
        if _FILE in fields:
            return f"{name} with the fields {', '.join(fields[:5])}"
    return None


def _files(path: Path) -> dict[str, Path]:
    """Return the metadata files by name relative to the folder, in order of their code points."""
    if path.is_file():
        return {path.name: path} if path.name in NAMES else {}
    found, waiting = {}, [("", path, 0)]
    while waiting:
        prefix, folder, depth = waiting.pop()
        for number, entry in enumerate(entries(folder)):
            if entry.name in NAMES and is_file(entry):
                found[prefix + entry.name] = Path(entry.path)
            elif depth < _MAX_DEPTH and number < _LISTED and entry.is_dir(follow_symlinks=False):
                waiting.append((f"{prefix}{entry.name}/", Path(entry.path), depth + 1))
    return dict(sorted(found.items()))


def read(path: Path, options: ReadOptions) -> Dataset:
    """Read the metadata files of a folder.

    Args:
        path: the folder, or one metadata file.
        options: `images` is the folder that `file_name` of a single metadata file is relative to.

    Raises:
        DataError: no metadata file, two in one folder, no field `file_name`, or rows that are wrong: all at once.
    """
    files, folder = _files(path), path if path.is_dir() else path.parent
    root, prefixes = _places(path, files, options.images)
    card = read_card(folder)
    names = card.names or read_classes(folder)
    problems = Problems(path)
    reader = RecordReader(Gathering(options.source, names), problems, dict(enumerate(names)))
    paths: list[str] = []
    for name, file in files.items():
        for row in rows_of(file, problems):
            photo = _photo(row, prefixes[name], problems, name)
            if photo is not None:
                reader.add(row.fields, {"path": photo, "split": _split(photo)}, f"{name}:{row.number}")
                paths.append(photo)
    _check(root, paths, problems)
    problems.refuse(f"rows of {len(paths)}")
    if not paths:
        raise DataError(f"{path}: the metadata names no photo.", hint="Each row needs a field file_name.")
    unsized = reader.unsized if options.sizes else []
    found = sizes_of(root, [paths[row] for row in unsized], problems)
    problems.refuse(f"photos of {len(paths)}")
    ids = {name: number for number, name in enumerate(names)} if card.names else reader.ids
    origin = Origin("huggingface", options.pixels or "exclusive", ids, header=card.header)
    return reader.gathering.dataset(root, origin, sizes={unsized[row]: size for row, size in found.items()})


def _places(path: Path, files: dict[str, Path], images: Path | None) -> tuple[Path, dict[str, str]]:
    """Return the folder of the photos' paths, and of each metadata file the part before its names.

    Raises:
        DataError: no file, several in one folder, a link that leads out, or `images` for several.
    """
    folders = [name.rpartition("/")[0] for name in files]
    folder = path if path.is_dir() else path.parent
    problem = None
    if not files:
        problem = f"none of {', '.join(NAMES)} is there"
    elif len(set(folders)) < len(folders):
        problem = f"several metadata files lie in one folder: {', '.join(files)}"
    elif images is not None and len(files) > 1:
        problem = f"`images` says one folder, and {len(files)} metadata files name photos beside them"
    elif not all(Containment(folder).holds(name) for name in files):
        problem = "a link leads out of the folder"
    if problem:
        raise DataError(f"{path}: {problem[:500]}.", hint="One metadata file a folder, with a field file_name.")
    if images is not None:
        return images, dict.fromkeys(files, "")
    return folder, {name: f"{place}/" if place else "" for name, place in zip(files, folders, strict=True)}


def _photo(row: Row, prefix: str, problems: Problems, name: str) -> str | None:
    """Take the photo's path out of a row; what is wrong with it goes to the problems."""
    text = row.fields.pop(_FILE, None)
    place = f"{name}:{row.number}"
    if not isinstance(text, str) or not text.strip("/. "):
        hint = "Each row has a field file_name, relative to the metadata file."
        problems.add("rows without file_name", f"{place}: file_name is {text!r}", hint=hint)
        return None
    if Path(text).suffix.lower() in _OTHER_MEDIA:
        problems.add("files that are no photos", f"{place}: {text}", hint="Only photos are read, no sounds or videos.")
        return None
    parts = [part for part in text.split("/") if part not in ("", ".")]
    if text.startswith("/") or ".." in parts:
        problems.add("paths out of the folder", f"{place}: {text!r} leads out of it")
        return None
    return prefix + "/".join(parts)


def _split(photo: str) -> Split | None:
    """Return the split that a folder of a photo's path means."""
    found = (photos.split_of(folder) for folder in photo.split("/")[:-1])
    return next((split for split in found if split is not None), None)


def _check(root: Path, paths: list[str], problems: Problems) -> None:
    fence, seen = Containment(root), set[str]()
    for path in paths:
        if not fence.holds(path):
            problems.add("paths out of the folder", f"{path!r} leads out of {root}")
        if path in seen:
            problems.add("repeated photos", f"{path} has two rows", hint="Write one row a photo.")
        seen.add(path)
