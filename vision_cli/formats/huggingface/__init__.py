"""Hugging Face's folder of photos beside `metadata.jsonl`, `metadata.csv` or `metadata.parquet`.

Format: https://huggingface.co/docs/datasets/image_dataset and /image_load ("ImageFolder"): `file_name` is relative to
the metadata file; `objects` holds parallel lists `bbox` ([x, y, width, height] in pixels) and `categories`; splits are
folders. See photo_records.py for the fields. Class numbers get their names from `class_label` of the README's front
matter, or from a classes.txt. Sounds, videos and documents are refused.
"""

from __future__ import annotations

from pathlib import Path

from vision_cli.core.containment import Containment
from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError
from vision_cli.core.origin import Origin
from vision_cli.formats import CARRIED, ReadOptions
from vision_cli.formats.class_file import read_classes
from vision_cli.formats.conserving import DEFECTS
from vision_cli.formats.folder_walk import entries, is_file
from vision_cli.formats.gathering import Gathering
from vision_cli.formats.huggingface.card import read_card
from vision_cli.formats.huggingface.metadata import NAMES, fields_of
from vision_cli.formats.huggingface.rows import FILE, Place, take
from vision_cli.formats.huggingface.writing import write
from vision_cli.formats.photo_records import RecordReader
from vision_cli.formats.photo_sizes import sizes_of
from vision_cli.formats.problems import Problems

__all__ = ["CARRIES", "PIXELS", "detect", "read", "write"]

CARRIES = frozenset({*CARRIED, *DEFECTS})
PIXELS = "exclusive"

_MAX_DEPTH = 4
_LISTED = 2000


def detect(path: Path) -> str | None:
    """Return the evidence that a folder, or a metadata file, is of this kind: a `file_name` among its fields."""
    for name, file in _files(path).items():
        fields = fields_of(file)
        if FILE in fields:
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
    paths = [path for name, file in files.items() for path in take(file, Place(name, prefixes[name]), reader)]
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


def _check(root: Path, paths: list[str], problems: Problems) -> None:
    fence, seen = Containment(root), set[str]()
    for path in paths:
        if not fence.holds(path):
            problems.add("paths out of the folder", f"{path!r} leads out of {root}")
        if path in seen:
            problems.add("repeated photos", f"{path} has two rows", hint="Write one row a photo.")
        seen.add(path)
