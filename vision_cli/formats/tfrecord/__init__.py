"""TFRecord files of TensorFlow's object detection API, read only.

Format: see tfrecord_wire.py and tfrecord_rows.py. Class names come from `class/text`, and from the one `.pbtxt` beside
the file where only `class/label` is there. Photos (`image/encoded`) are unpacked into the user's cache (unpacked.py),
and Examples without them name files of the folder. The split is a word of the file's path, as in
`train.record-00000-of-00010`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vision_cli.core.containment import Containment
from vision_cli.core.dataset import Dataset, Split
from vision_cli.core.errors import DataError
from vision_cli.core.origin import Origin
from vision_cli.formats import ReadOptions, photos
from vision_cli.formats.byte_stream import opened
from vision_cli.formats.folder_walk import entries, is_file
from vision_cli.formats.gathering import Gathering
from vision_cli.formats.label_map import read_label_map
from vision_cli.formats.problems import Problems
from vision_cli.formats.tfrecord.rows import ExampleReader, Unfit, encoded_of, text_of
from vision_cli.formats.tfrecord.wire import Feature, Record, example, records, starts_with_record
from vision_cli.formats.unpacked import Put, key_of, unpack
from vision_cli.imaging.sniff import HEAD_BYTES, photo_format

CARRIES = frozenset(
    {
        *("class", "classes", "box", "crowd", "truncated", "difficult", "attributes", "area", "ids", "unlabelled"),
        *("split", "metadata", "order"),
    }
)
PIXELS = "exclusive"

_NAME = re.compile(
    r"\.(tfrecords?|tfrec|record)s?(-[0-9]+-of-[0-9]+)?(\.gz)?$|tfrecords?-[0-9]+-of-[0-9]+(\.gz)?$", re.I
)
_WORDS = re.compile(r"[^A-Za-z]+")
_MAX_DEPTH = 3
_SUFFIXES = {"jpeg": ".jpg", "tiff": ".tif"}


@dataclass(slots=True)
class _Photos:
    """Where the photos of all files go.

    Attributes:
        names: of each file, the photo's path by the number of its record.
        sizes: bytes by path; empty where no Example holds a photo.
        outside: records that hold none.
        renamed: photos whose own name does not lead into a folder of ours.
    """

    names: dict[str, dict[int, str]] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    outside: int = 0
    renamed: int = 0


def detect(path: Path) -> str | None:
    """Return the evidence that a file, or one in a folder, is a TFRecord: name and checksum of its first record."""
    for name, file in _files(path).items():
        try:
            with opened(file) as stream:
                if starts_with_record(stream.read(12)):
                    return f"{name}, which begins with a record's length and its checksum"
        except DataError:
            continue
    return None


def _files(path: Path) -> dict[str, Path]:
    """Return the files by name relative to the folder, in order of their code points."""
    if path.is_file():
        return {path.name: path} if _NAME.search(path.name) else {}
    found, waiting = {}, [("", path, 0)]
    while waiting:
        prefix, folder, depth = waiting.pop()
        for entry in entries(folder):
            if entry.is_dir(follow_symlinks=False) and depth < _MAX_DEPTH:
                waiting.append((f"{prefix}{entry.name}/", Path(entry.path), depth + 1))
            elif _NAME.search(entry.name) and is_file(entry):
                found[prefix + entry.name] = Path(entry.path)
    return dict(sorted(found.items()))


def read(path: Path, options: ReadOptions) -> Dataset:
    """Read TFRecords; photos are unpacked into the user's cache once all of it was found sound.

    Args:
        path: a file, or a folder of them.
        options: `images` is the folder of photos that the Examples only name.

    Raises:
        DataError: cut, a wrong checksum, no Example, or bad values: with number and offset of the records.
        ResourceError: the photos find no room in the cache.
    """
    files = {path.name: path} if path.is_file() else _files(path)
    folder = path if path.is_dir() else path.parent
    fence = Containment(folder)
    if not files or not all(fence.holds(name) for name in files):
        problem = "links lead out of the folder" if files else "there is no TFRecord file"
        raise DataError(f"{path}: {problem}.", hint="Names end in .tfrecord, .record or .record-00000-of-00010.")
    names, problems, found = _label_map(folder, files), Problems(path), _Photos()
    reader = ExampleReader(Gathering(options.source, tuple(names.values())), problems, names)
    for name, file in files.items():
        found.names[name] = {}
        with opened(file) as stream:
            for record in records(stream):
                _add(reader, name, record, found)
    problems.refuse(f"records of {sum(len(names) for names in found.names.values())}")
    if found.sizes and found.outside:
        raise DataError(f"{path}: {len(found.sizes)} Examples hold a photo and {found.outside} do not.")
    root = _unpack(files, found) if found.sizes else options.images or folder
    if not found.sizes:
        _check_paths(root, found, problems)
    ids = {name: number for number, name in names.items()} | reader.ids
    origin = Origin("tfrecord", options.pixels or "exclusive", ids)
    return reader.gathering.dataset(root, origin, _notes(reader, found))


def _label_map(folder: Path, files: Mapping[str, Path]) -> dict[int, str]:
    """Return the class names of the one label map beside the files, or of equal ones beside each.

    Raises:
        DataError: they differ.
    """
    places = {folder, *(file.parent for file in files.values())}
    maps = {file: read_label_map(file) for place in sorted(places) for file in sorted(place.glob("*.pbtxt"))}
    distinct = {tuple(sorted(names.items())): names for names in maps.values()}
    if len(distinct) > 1:
        raise DataError(
            f"{folder}: {len(distinct)} label maps differ.",
            details=[str(file.relative_to(folder)) for file in maps][:10],
            hint="Keep the one that belongs to these files.",
        )
    return next(iter(distinct.values()), {})


def _add(reader: ExampleReader, name: str, record: Record, found: _Photos) -> None:
    place = f"{name}: record {record.number} at byte {record.offset:,}"
    try:
        features = example(record.data)
    except ValueError as error:
        reader.problems.add("records", f"{place}: no Example: {error}")
        return
    try:
        path = _photo_path(features, name, record, found)
    except Unfit as error:
        reader.problems.add("photos", f"{place}: {error}")
        return
    found.names[name][record.number] = path
    reader.add(features, {"path": path, "split": _split(name)}, place)


def _split(name: str) -> Split | None:
    found = (photos.split_of(word) for word in _WORDS.split(name))
    return next((split for split in found if split is not None), None)


def _photo_path(features: Mapping[str, Feature], name: str, record: Record, found: _Photos) -> str:
    """Return the path of an Example's photo, and note its size if the Example holds it."""
    filename, content = text_of(features, "image/filename"), encoded_of(features)
    if content is None:
        found.outside += 1
        if filename is None:
            raise Unfit("it has neither image/encoded nor image/filename")
        return filename
    kind = photo_format(content[:HEAD_BYTES])
    if kind is None:
        raise Unfit("image/encoded is no photo of a known kind")
    path = f"{name}/{_own_name(filename, record.number, _SUFFIXES.get(kind, f'.{kind}'), found)}"
    if path in found.sizes:
        path = f"{name}/{record.number:06d}/{path.rpartition('/')[2]}"
    found.sizes[path] = len(content)
    return path


def _own_name(filename: str | None, number: int, suffix: str, found: _Photos) -> str:
    """Return the name that an Example gives its photo, without what leads out of a folder."""
    text = filename or f"{number:06d}{suffix}"
    parts = [part for part in text.split("/") if part not in ("", ".")]
    if text.startswith("/") or ".." in parts:
        found.renamed += 1
        parts = parts[-1:]
    if not parts or ".." in parts or "\0" in text or any(len(part.encode()) > 240 for part in parts):
        parts = [f"{number:06d}"]
    return "/".join(parts) if photos.is_photo_name(parts[-1]) else "/".join(parts) + suffix


def _unpack(files: Mapping[str, Path], found: _Photos) -> Path:
    def fill(put: Put) -> None:
        for name, file in files.items():
            with opened(file) as stream:
                for record in records(stream, check=False):
                    put(found.names[name][record.number], encoded_of(example(record.data)) or b"")

    return unpack(key_of(files), found.sizes, fill)


def _check_paths(root: Path, found: _Photos, problems: Problems) -> None:
    fence = Containment(root)
    for name, paths in found.names.items():
        for number, path in paths.items():
            if not fence.holds(path):
                problems.add("paths out of the folder", f"{name}: record {number}: {path!r} leads out of {root}")
    problems.refuse("paths of photos")


def _notes(reader: ExampleReader, found: _Photos) -> tuple[str, ...]:
    notes = []
    if reader.masks:
        notes.append(f"{reader.masks} masks (image/object/mask) are left out; the boxes are read.")
    if found.renamed:
        notes.append(f"{found.renamed} photos have names that lead out of a folder; only the last part is kept.")
    return tuple(notes)
