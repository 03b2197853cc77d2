"""The backgrounds of a run: a folder of photos, or those of a view."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError
from vision_cli.core.files import file_sha256
from vision_cli.formats import photos
from vision_cli.imaging.ending import is_cut_off
from vision_cli.stages.synth.asking.photo_sources import View, Views
from vision_cli.synth.analysis import LEAST_SIDE_PX, working_size

SHOWS = "show an object of these classes, by their labels"
"""Why a photo is no background."""

COPIES = "are copies of others: a photo under two names could stand on two sides of a split"

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

    def without_copies(self) -> Backgrounds:
        """Return them without those that are, to the byte, another one of a name that comes before."""
        sizes = {name: (self.folder / name).stat().st_size for name in self.names}
        often = Counter(sizes.values())
        seen: dict[str, str] = {}
        copies = []
        for name in self.names:
            if often[sizes[name]] > 1 and seen.setdefault(file_sha256(self.folder / name), name) != name:
                copies.append(os.path.realpath(self.folder / name))
        return self.without(copies, COPIES) if copies else self


def read(where: Path | View, views: Views, classes: Sequence[str], longest_px: int) -> Backgrounds:
    """Return the backgrounds of a folder, or of a view; of each photo head and end are read.

    Photos of a view that have a label of one of the objects' classes are left out, and so are copies.

    Args:
        where: folder or view.
        views: of the project.
        classes: of the objects.
        longest_px: longer side of photos at working size.

    Raises:
        DataError: there is none, or one cannot be used.
    """
    if isinstance(where, Path):
        return Backgrounds(where, find_backgrounds(where, longest_px)).without_copies()
    dataset = views.photos(where.name)
    paths = [os.fspath(path.absolute()) for path in dataset.paths()]
    folder = Path(os.path.commonpath([os.fspath(root.absolute()) for root in dataset.roots.values()]))
    _check(paths, f"the view '{where.name}'", longest_px)
    names = tuple(sorted({os.path.relpath(path, folder).replace(os.sep, "/") for path in paths}))
    return Backgrounds(folder, names).without(showing(dataset, classes), SHOWS).without_copies()


def of_names(folder: Path, names: Sequence[str], title: str, longest_px: int) -> Backgrounds:
    """Return photos of a folder as backgrounds; of each, head and end are read.

    Raises:
        DataError: one cannot be used.
    """
    _check([os.fspath(folder / name) for name in names], title, longest_px)
    return Backgrounds(folder, tuple(names)).without_copies()


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


def find_backgrounds(folder: Path, longest_px: int) -> tuple[str, ...]:
    """Return the photos of a folder by their paths below it; of each, head and end are read.

    Raises:
        DataError: there is no such folder, none in it, or one that cannot be used.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: there is no such folder.", hint="Name the folder that holds the backgrounds.")
    found = [path for path in sorted(folder.rglob("*")) if photos.is_photo_name(path.name) and path.is_file()]
    names = [path.relative_to(folder).as_posix() for path in found]
    shown = sorted(name for name in names if not any(part.startswith(".") for part in name.split("/")))
    if not shown:
        raise DataError(f"{folder}: holds no photo.", hint="Put photos there that show none of the objects.")
    _check([os.fspath(folder / name) for name in shown], os.fspath(folder), longest_px)
    return tuple(shown)


def _check(paths: Sequence[str], title: str, longest_px: int) -> None:
    """Refuse photos that would end a run when their turn comes, hours later.

    Raises:
        DataError: naming them.
    """
    found = zip(paths, photos.sizes([Path(path) for path in paths]), strict=True)
    refused = [fault for path, size in found if (fault := _fault(Path(path), size, longest_px)) is not None]
    if refused:
        raise DataError(
            f"{title}: {len(refused)} of {len(paths)} backgrounds cannot be used.",
            details=refused[:_SHOWN],
            hint="Replace or delete them.",
        )


def _fault(path: Path, size: photos.Size | DataError, longest_px: int) -> str | None:
    """Return what is wrong with a photo as a background, if anything is."""
    if isinstance(size, DataError):
        return size.message
    width, height = working_size(*size, longest_px)
    if min(width, height) < LEAST_SIDE_PX:
        return f"{path}: {width} x {height} pixels at working size; both sides need {LEAST_SIDE_PX}."
    return f"{path}: is cut off." if is_cut_off(path) else None
