"""The label sets in and right below a folder, and those of them that a survey did not take."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vision_cli import formats
from vision_cli.core.dataset import SPLITS, Dataset
from vision_cli.core.errors import DataError, UsageError
from vision_cli.formats import mask_folders

SPLIT_FOLDERS = {*SPLITS, "valid", "validation", "training", "testing"}
_MOST_FOLDERS = 40
_LOOKED_AT = 500
_MOST_FILES = 20
_PHOTOS_ALONE = "imagefolder"
_MASKS = ("masks", "voc-segmentation", "cityscapes")
"""Formats of masks of classes."""
_LISTED = 8


@dataclass(frozen=True, slots=True)
class LabelSet:
    """A place that holds labels.

    Attributes:
        path: folder.
        format: name in the formats table.
        evidence: what speaks for it.
        lonely: whether its photos lie elsewhere and have to be named.
    """

    path: Path
    format: str
    evidence: str
    lonely: bool = False


def at(place: Path) -> list[LabelSet]:
    """Return what a place may be, a line a format."""
    try:
        return [LabelSet(place, name, evidence) for name, evidence in formats.detect(place)]
    except (DataError, UsageError):
        return []


def below(folder: Path) -> list[Path]:
    """Return the folders right below one that may hold data of their own, sorted: none that is hidden or a split."""
    found = (path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    return sorted(path for path in found if path.name not in SPLIT_FOLDERS)


def not_taken(data: Path, taken: str, dataset: Dataset) -> tuple[LabelSet, ...]:
    """Return the label sets below a folder that are no part of the one that was read there.

    Labels of the format that was read are a part of it, and so are folders with its photos.

    Args:
        data: what was read.
        taken: its format.
        dataset: what came of it.
    """
    if not data.is_dir():
        return ()
    holds_photos = _above_photos(dataset)
    sets = [found for place in _places(data) for found in (at(place) or _masks_alone(place))]
    return tuple(
        found
        for found in sets
        if found.format not in (taken, *(_MASKS if taken in _MASKS else ()))
        and not (found.format == _PHOTOS_ALONE and (found.path.resolve() in holds_photos or _is_one_class(found.path)))
    )


def notes(sets: Sequence[LabelSet], *, again: str = "") -> list[str]:
    """Return a sentence a label set that was not taken, with the command that takes it.

    Args:
        sets: that were not taken.
        again: option that replaces what was written.
    """
    told = [
        f"labels of {each.path} ({each.format}) are not taken; to take them: {_command(each, sets)}{again}"
        for each in sets
    ]
    more = f"{len(sets) - _LISTED} more folders with labels are not taken: vision data detect FOLDER"
    return told if len(told) <= _LISTED else [*told[:_LISTED], more]


def _command(one: LabelSet, sets: Sequence[LabelSet]) -> str:
    alone = sum(each.path == one.path for each in sets) == 1 and not one.lonely
    options = "" if alone else f" --format {one.format}"
    return f"vision init --data {shlex.quote(str(one.path))}{options}{' --images-root FOLDER' if one.lonely else ''}"


def candidates(folder: Path) -> list[Path]:
    """Return the folders right below one that are data sets, without photos of no class where others have labels."""
    found = [path for path in below(folder) if at(path)]
    return [path for path in found if not _is_photos_alone(path)] or found


def _is_photos_alone(place: Path) -> bool:
    return [each.format for each in at(place)] == [_PHOTOS_ALONE] and _is_one_class(place)


def _is_one_class(place: Path) -> bool:
    """Tell whether a folder of photos has one folder alone in it, such as `train2017`."""
    return sum(path.is_dir() for path in place.iterdir()) < 2


def _masks_alone(place: Path) -> list[LabelSet]:
    """Return semantic masks whose photos lie elsewhere."""
    lonely = [path for path in mask_folders.pairs(place, most=_MOST_FILES).lonely if "/" in path]
    return [LabelSet(place, "masks", f"masks without photos beside them, such as {lonely[0]}", True)] if lonely else []


def _places(data: Path) -> Iterator[Path]:
    """Yield the folders below one, and those below them where they are no data themselves."""
    left = _MOST_FOLDERS
    for place in below(data)[:left]:
        yield place
        if not at(place) and not _masks_alone(place):
            deeper = below(place)[: max(left, 0)]
            left -= len(deeper)
            yield from deeper


def _above_photos(dataset: Dataset) -> frozenset[Path]:
    """Return the folders that some of the photos lie in or below; of very many photos some are looked at."""
    paths = dataset.paths()
    picked = np.unique(np.linspace(0, len(paths) - 1, min(len(paths), _LOOKED_AT)).astype(np.int64)).tolist()
    return frozenset(
        above for folder in {paths[row].resolve().parent for row in picked} for above in (folder, *folder.parents)
    )
