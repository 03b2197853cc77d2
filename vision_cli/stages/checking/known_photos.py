"""Which photos and label files are there: folders are listed, no file is opened."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import numpy as np

from vision_cli.checks.request import FileFacts
from vision_cli.core.dataset import Dataset
from vision_cli.formats.photos import is_photo_name
from vision_cli.stages.checking.checked_source import Source

_LABEL_SUFFIXES = {"yolo": ".txt", "kitti": ".txt", "voc": ".xml", "voc-segmentation": ".xml", "labelme": ".json"}
"""Of the formats with one label file a photo, of the photo's name."""
_INSIDE = frozenset({"tfrecord", "webdataset", "vision"})
"""Formats that may hold photos in their own files."""
_MOST_FOLDERS = 20_000

Listed = dict[str, frozenset[str]]


def file_facts(source: Source) -> FileFacts:
    """Hold the tables against what stands on the disk."""
    dataset = source.dataset
    listed: Listed = {}
    missing = np.zeros(len(dataset), dtype=np.bool_)
    known: dict[str, set[str]] = {}
    for row, place in enumerate(_places(dataset)):
        folder, _, name = place.rpartition("/")
        if folder not in listed:
            listed[folder], known[folder] = _names(folder), set()
        missing[row] = name not in listed[folder]
        known[folder].add(name)
    if source.format in _INSIDE and missing.all():
        return FileFacts(np.zeros(len(dataset), dtype=np.bool_))
    if source.path is None or source.refusal or missing.all():
        return FileFacts(missing)
    root = os.fspath((source.path if source.path.is_dir() else source.path.parent).absolute())
    lone = [f"{folder}/{name}" for folder in known for name in listed[folder] - known[folder] if is_photo_name(name)]
    stems = {name.rpartition(".")[0] for names in known.values() for name in names}
    return FileFacts(missing, _relative(lone, root), _relative(_lone_labels(source, root, stems), root))


def _places(dataset: Dataset) -> list[str]:
    roots = {source: os.fspath(root.absolute()) for source, root in dataset.roots.items()}
    columns = (dataset.images["source"].to_pylist(), dataset.images["path"].to_pylist())
    return [f"{roots[source]}/{path}" for source, path in zip(*columns, strict=True)]


def _names(folder: str) -> frozenset[str]:
    with suppress(OSError), os.scandir(folder or "/") as entries:
        return frozenset(entry.name for entry in entries if entry.is_file())
    return frozenset()


def _lone_labels(source: Source, root: str, stems: set[str]) -> list[str]:
    """Return label files whose photo is not there, in the folders where most label files have one."""
    suffix = _LABEL_SUFFIXES.get(source.format)
    if suffix is None or not Path(root).is_dir():
        return []
    found: list[str] = []
    for number, (folder, _, names) in enumerate(os.walk(root)):
        labels = [name for name in names if name.endswith(suffix)]
        lone = [name for name in labels if name.removesuffix(suffix) not in stems]
        if 2 * len(lone) < len(labels):
            found += [f"{folder}/{name}" for name in lone]
        if number > _MOST_FOLDERS:
            break
    return found


def _relative(places: list[str], root: str) -> tuple[str, ...]:
    return tuple(sorted(place.removeprefix(f"{root}/") for place in places))
