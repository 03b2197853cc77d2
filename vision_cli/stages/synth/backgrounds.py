"""The backgrounds of a run: a folder of photos, or those of a view."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError
from vision_cli.formats import photos
from vision_cli.stages.synth.photo_sources import View, Views

SHOWS = "show an object of these classes, by their labels"
"""Why a photo is no background."""

_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Backgrounds:
    """Photos to put something into.

    Attributes:
        folder: that all of them are below.
        names: their paths below it, in order.
        notes: which were left out and why, a sentence each.
    """

    folder: Path
    names: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def without(self, photos: Iterable[str], why: str) -> Backgrounds:
        """Return those that are none of these photos.

        Args:
            photos: their real paths.
            why: what they do, for the note.

        Raises:
            DataError: none is left.
        """
        known = frozenset(photos)
        kept = tuple(name for name in self.names if os.path.realpath(self.folder / name) not in known)
        if len(kept) == len(self.names):
            return self
        left_out = f"{len(self.names) - len(kept)} of {len(self.names)} backgrounds {why}"
        if not kept:
            raise DataError(f"{left_out}: none is left.", hint="Give other photos as backgrounds.")
        return Backgrounds(self.folder, kept, (*self.notes, f"{left_out}; they are left out."))


def read(where: Path | View, views: Views, classes: Sequence[str]) -> Backgrounds:
    """Return the backgrounds of a folder, or of a view; headers are read.

    Photos of a view that have a label of one of the objects' classes are left out.

    Raises:
        DataError: there is none, or one cannot be read.
    """
    if isinstance(where, Path):
        return Backgrounds(where, find_backgrounds(where))
    dataset = views.photos(where.name)
    paths = [os.fspath(path.absolute()) for path in dataset.paths()]
    folder = Path(os.path.commonpath([os.fspath(root.absolute()) for root in dataset.roots.values()]))
    _check(paths, f"the view '{where.name}'")
    names = tuple(sorted({os.path.relpath(path, folder).replace(os.sep, "/") for path in paths}))
    return Backgrounds(folder, names).without(showing(dataset, classes), SHOWS)


def on_other_sides(dataset: Dataset, side: str) -> list[str]:
    """Return the real paths of photos that come with another side of the split than this one."""
    splits = dataset.splits()
    others = np.flatnonzero((splits != side) & (splits != ""))
    paths = dataset.paths()
    return [os.path.realpath(paths[row]) for row in others.tolist()]


def showing(dataset: Dataset, classes: Sequence[str]) -> list[str]:
    """Return the real paths of photos that have a label of one of these classes."""
    wanted = [name in classes for name in dataset.classes.names]
    rows = np.flatnonzero(dataset.class_matrix()[:, wanted].any(axis=1))
    paths = dataset.paths()
    return [os.path.realpath(paths[row]) for row in rows.tolist()]


def find_backgrounds(folder: Path) -> tuple[str, ...]:
    """Return the photos of a folder by their paths below it; their headers are read.

    Raises:
        DataError: there is no such folder, none in it, or one that cannot be read.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: there is no such folder.", hint="Name the folder that holds the backgrounds.")
    found = [path for path in sorted(folder.rglob("*")) if photos.is_photo_name(path.name) and path.is_file()]
    names = [path.relative_to(folder).as_posix() for path in found]
    shown = sorted(name for name in names if not any(part.startswith(".") for part in name.split("/")))
    if not shown:
        raise DataError(f"{folder}: holds no photo.", hint="Put photos there that show none of the objects.")
    _check([os.fspath(folder / name) for name in shown], os.fspath(folder))
    return tuple(shown)


def _check(paths: Sequence[str], title: str) -> None:
    refused = [each.message for each in photos.sizes([Path(path) for path in paths]) if isinstance(each, DataError)]
    if refused:
        raise DataError(
            f"{title}: {len(refused)} of {len(paths)} backgrounds cannot be read.",
            details=refused[:_SHOWN],
            hint="Replace or delete them.",
        )
