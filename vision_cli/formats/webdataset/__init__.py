"""WebDataset: tar archives ("shards") in which the files of one name, but for the suffix, are one sample.

Format: https://github.com/webdataset/webdataset; the suffix begins at the first dot of the file's name, as there.

    train-000000.tar      0001.jpg 0001.cls     a photo and its class: a name, or a number of classes.txt
                          0002.png 0002.json    a photo and its record, see photo_records.py
                          0003.jpg 0003.txt     a text; it becomes metadata `txt`
    classes.txt           beside the shards: a class name a line, from 0

The split is a word of the shard's path (`train-000000.tar`, `val/000.tar`). Photos are unpacked into the user's cache,
see unpacked.py. Two labels of one sample: the record's are taken, and its `.cls` only if the record has none.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vision_cli.core.containment import Containment
from vision_cli.core.dataset import Dataset, Split
from vision_cli.core.errors import DataError
from vision_cli.core.origin import Origin
from vision_cli.formats import CARRIED, ReadOptions, photos
from vision_cli.formats.byte_stream import Broken, opened
from vision_cli.formats.class_file import read_classes
from vision_cli.formats.conserving import DEFECTS
from vision_cli.formats.folder_walk import entries, is_file
from vision_cli.formats.gathering import Gathering
from vision_cli.formats.json_values import decoded
from vision_cli.formats.photo_records import RecordReader
from vision_cli.formats.photo_sizes import sizes_of
from vision_cli.formats.problems import Problems
from vision_cli.formats.tar_members import members
from vision_cli.formats.unpacked import Put, key_of, unpack
from vision_cli.formats.webdataset.samples import Sample, Shard, read_shard, split_name
from vision_cli.formats.webdataset.writing import losses, write

__all__ = ["CARRIES", "PIXELS", "detect", "losses", "read", "write"]

CARRIES = frozenset(CARRIED) | (DEFECTS.keys() - {"no-image"})
PIXELS = "exclusive"

_SUFFIXES = (".tar", ".tar.gz", ".tgz")
_WORDS = re.compile(r"[^A-Za-z]+")
_LABEL_KEYS = ("label", "labels", "value", "objects", "annotations")
_MAX_DEPTH = 4


def detect(path: Path) -> str | None:
    """Return the evidence that a file is a shard, or a folder holds some: the first members of the first one."""
    shards = _shards(path)
    if not shards:
        return None
    name, file = next(iter(shards.items()))
    try:
        with opened(file) as stream:
            first = next(members(stream), None)
    except DataError:
        return None
    if first is None:
        return None
    key, suffix = split_name(first.name)
    return f"{len(shards)} tar archives such as {name} with samples such as {key} (.{suffix})"


def _shards(path: Path) -> dict[str, Path]:
    """Return the archives by name relative to the folder, in order of their code points."""
    if path.is_file():
        return {path.name: path} if path.name.lower().endswith(_SUFFIXES) else {}
    found, waiting = {}, [("", path, 0)]
    while waiting:
        prefix, folder, depth = waiting.pop()
        for entry in entries(folder):
            if entry.is_dir(follow_symlinks=False) and depth < _MAX_DEPTH:
                waiting.append((f"{prefix}{entry.name}/", Path(entry.path), depth + 1))
            elif entry.name.lower().endswith(_SUFFIXES) and is_file(entry):
                found[prefix + entry.name] = Path(entry.path)
    return dict(sorted(found.items()))


def read(path: Path, options: ReadOptions) -> Dataset:
    """Read shards; photos are unpacked into the user's cache once all of it was found sound.

    Args:
        path: an archive, or a folder of them.
        options: `images` has no meaning here; without `sizes` photos whose records say no size have none.

    Raises:
        DataError: an archive is cut, damaged or dangerous, or samples are wrong: all at once.
        ResourceError: the photos find no room in the cache.
    """
    shards = _shards(path)
    _check_places(path, shards)
    folder = path if path.is_dir() else path.parent
    names, problems = read_classes(folder), Problems(path)
    reader = RecordReader(Gathering(options.source, names), problems, dict(enumerate(names)))
    found, notes = {}, Counter[str]()
    for name, file in shards.items():
        found[name] = read_shard(file, name, problems)
        notes.update({f".{suffix}": count for suffix, count in found[name].others.items()})
        _add_shard(reader, name, found[name], notes)
    problems.refuse(f"samples of {reader.gathering.photos}")
    if not reader.gathering.photos:
        raise DataError(f"{path}: there is no photo in it.", hint="A sample is a photo and labels of the same name.")
    root = _unpack(shards, found)
    unsized, paths = reader.unsized if options.sizes else [], _photo_paths(found)
    sizes = sizes_of(root, [paths[row] for row in unsized], problems)
    problems.refuse(f"photos of {reader.gathering.photos}")
    origin = Origin(
        "webdataset", options.pixels or "exclusive", {name: i for i, name in enumerate(names)} or reader.ids
    )
    texts = tuple(f"{count} members are left out: {what}." for what, count in sorted(notes.items()))
    return reader.gathering.dataset(root, origin, texts, {unsized[row]: size for row, size in sizes.items()})


def _check_places(path: Path, shards: Mapping[str, Path]) -> None:
    if not shards:
        raise DataError(f"{path}: there is no .tar, .tar.gz or .tgz.", hint="Give a shard, or the folder of them.")
    fence = Containment(path if path.is_dir() else path.parent)
    if path.is_dir() and (outside := [name for name in shards if not fence.holds(name)]):
        raise DataError(f"{path}: links lead out of the folder.", details=outside[:10], hint="Copy the archives here.")


def _split(name: str) -> Split | None:
    """Return the split that a word of a shard's path means."""
    found = (photos.split_of(word) for word in _WORDS.split(name))
    return next((split for split in found if split is not None), None)


def _add_shard(reader: RecordReader, name: str, shard: Shard, notes: Counter[str]) -> None:
    split = _split(name)
    for sample in shard.samples.values():
        if sample.photo is None:
            notes["labels of samples without a photo"] += len(sample.labels)
            continue
        place = f"{name}: {sample.key}"
        record = _record(reader, sample, place, notes)
        reader.add(record, {"path": f"{name}/{sample.photo.name}", "split": split}, place)
    for sample in shard.samples.values():
        sample.labels.clear()


def _record(reader: RecordReader, sample: Sample, place: str, notes: Counter[str]) -> dict[str, Any]:
    """Return the record of a sample, its other labels in it."""
    record: dict[str, Any] = {}
    try:
        found = decoded(sample.labels["json"]) if "json" in sample.labels else {}
        if not isinstance(found, dict):
            raise ValueError("the record is no JSON object")
        record = {key: value for key, value in found.items() if not key.startswith("__")}
        texts = {suffix: content.decode() for suffix, content in sample.labels.items() if suffix != "json"}
    except ValueError as error:
        reader.problems.add("records", f"{place}: {error}")
        return {}
    if "txt" in texts:
        record.setdefault("txt", texts["txt"])
    if "cls" in texts and any(record.get(key) is not None for key in _LABEL_KEYS):
        notes[".cls beside the labels of a .json"] += 1
    elif "cls" in texts:
        record["label"] = _class(texts["cls"].strip())
    return record


def _class(text: str) -> str | int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else text


def _unpack(shards: Mapping[str, Path], found: Mapping[str, Shard]) -> Path:
    """Bring the photos of all shards into the cache and return its folder."""
    wanted = {
        name: {sample.photo.name: sample.photo.size for sample in shard.samples.values() if sample.photo is not None}
        for name, shard in found.items()
    }

    def fill(put: Put) -> None:
        for name, file in shards.items():
            with opened(file) as stream:
                for member in members(stream):
                    if member.name in wanted[name]:
                        content = stream.read(member.size)
                        if len(content) != wanted[name][member.name]:
                            raise Broken(f"it changed while it was read: member {member.number}, {member.name!r}")
                        put(f"{name}/{member.name}", content)

    sizes = {f"{name}/{photo}": size for name, files in wanted.items() for photo, size in files.items()}
    return unpack(key_of(shards), sizes, fill)


def _photo_paths(found: Mapping[str, Shard]) -> list[str]:
    """Return the paths of the photos in row order."""
    return [
        f"{name}/{sample.photo.name}"
        for name, shard in found.items()
        for sample in shard.samples.values()
        if sample.photo is not None
    ]
