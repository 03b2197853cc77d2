"""Photos in a folder a class: `class/*.jpg`, or `split/class/*.jpg`; deeper folders belong to their class."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from vision_cli.core.dataset import ClassMap, Dataset
from vision_cli.core.errors import DataError
from vision_cli.core.photo_labels import PhotoColumns, PhotoLabels, build
from vision_cli.formats import ReadOptions, photos
from vision_cli.formats.folder_walk import Listing, entries, is_ignored, is_listed_folder, walk
from vision_cli.formats.imagefolder_write import losses, write
from vision_cli.formats.problems import Problems

__all__ = ["CARRIES", "detect", "losses", "read", "write"]

CARRIES = frozenset({"class", "split"})

# Folders that other formats keep photos and masks in.
_NO_CLASSES = frozenset(
    (
        *("images", "image", "img", "imgs", "photos", "pictures", "frames", "jpegimages", "leftimg8bit", "rgb"),
        *("image_2", "img1", "masks", "mask", "annotations", "labels", "gt", "gtfine"),
    )
)
_LOOKED_AT = 2000
_NAMED = 5
_WORDS = re.compile(r"[^a-z]+")


@dataclass(frozen=True, slots=True)
class _Photo:
    """Where a photo stands: its path, its class and the folder of its split, if any."""

    path: str
    label: str
    split: str | None


def detect(path: Path) -> str | None:
    """Return the evidence that a folder holds a folder a class, from its first entries.

    One folder alone is a class if photos lie in it and its name is none for a heap of photos, such as `img_2020`.
    """
    if not path.is_dir():
        return None
    tops = _folders(path)
    split_layout = bool(tops) and all(photos.split_of(entry.name) for entry in tops)
    folders = [Path(entry.path) for entry in tops]
    if split_layout:
        folders = [Path(entry.path) for folder in folders for entry in _folders(folder)]
    found = list(islice((folder for folder in folders if _has_photo(folder)), _NAMED))
    named = [folder.name for folder in found]
    if all(name.lower() in _NO_CLASSES for name in named) or (len(set(named)) == 1 and not _is_class(found[0])):
        return None
    layout = "split/class" if split_layout else "class"
    return f"photos in {layout} folders such as {', '.join(dict.fromkeys(named))}"


def _is_class(folder: Path) -> bool:
    """Tell whether a folder that stands alone is a class rather than the place of all photos, or one of sets."""
    if _WORDS.split(folder.name.lower())[0] in _NO_CLASSES:
        return False
    return any(photos.is_photo_name(entry.name) for entry in islice(entries(folder), _LOOKED_AT))


def _folders(folder: Path) -> list[os.DirEntry[str]]:
    """Return the folders in a folder that `walk` enters."""
    return [entry for entry in entries(folder) if is_listed_folder(entry, folder)]


def _has_photo(folder: Path) -> bool:
    """Look at a bounded number of entries, the folder's own first."""
    waiting, looked_at = [folder], 0
    while waiting and looked_at < _LOOKED_AT:
        found = entries(waiting.pop(0))
        looked_at += len(found) + 1
        if any(photos.is_photo_name(entry.name) for entry in found):
            return True
        waiting += [Path(entry.path) for entry in found if entry.is_dir(follow_symlinks=False)]
    return False


def read(path: Path, options: ReadOptions) -> Dataset:
    """Read a folder of folders of photos; classes are sorted by their code points.

    Args:
        path: the folder.
        options: the name of the source; `images` has no meaning here.

    Raises:
        DataError: no photo in a class folder, splits and classes mixed, a photo that cannot be read, or a link that
            leads out.
    """
    if not path.is_dir() or options.images is not None:
        problem = "an image folder has no `images` option" if path.is_dir() else "is not a folder"
        raise DataError(f"{path}: {problem}.", hint="Give the folder that holds the class folders as `path` alone.")
    listing = walk(path)
    placed, unplaced = _place(listing, _is_split_layout(path, listing))
    if not placed:
        raise DataError(
            f"{path}: no photo lies in a class folder.",
            details=_notes(path, listing, unplaced),
            hint="Photos are found in class/photo.jpg or split/class/photo.jpg; splits are train, val and test.",
        )
    names = tuple(sorted({photo.label for photo in placed}))
    where = {name: index for index, name in enumerate(names)}
    columns = PhotoColumns(
        [photo.path for photo in placed],
        _sizes(path, placed),
        [None if photo.split is None else photos.split_of(photo.split) for photo in placed],
    )
    labels = PhotoLabels(ClassMap(names), [(row, where[photo.label]) for row, photo in enumerate(placed)])
    return build(options.source, path, columns, labels, _notes(path, listing, unplaced))


def labelled(path: Path) -> list[tuple[str, str | None]]:
    """Return the photos below a folder as paths relative to it, with their class; no photo is opened.

    Raises:
        DataError: splits and classes mixed, or a link that leads out.
    """
    listing = walk(path)
    placed, unplaced = _place(listing, _is_split_layout(path, listing))
    return [*((photo.path, photo.label) for photo in placed), *((photo, None) for photo in unplaced)]


def _is_split_layout(root: Path, listing: Listing) -> bool:
    """Tell whether the top-level folders that hold photos are splits.

    Raises:
        DataError: some are and some are not.
    """
    tops = dict.fromkeys(path.split("/", 1)[0] for path in listing.photos if "/" in path)
    splits = [name for name in tops if photos.split_of(name)]
    others = [name for name in tops if not photos.split_of(name)]
    if splits and others:
        raise DataError(
            f"{root}: splits and other folders stand side by side: {', '.join(splits[:_NAMED])} "
            f"and {', '.join(others[:_NAMED])}.",
            hint="Put either splits (train, val, test) or classes at the top, and move the others away.",
        )
    return bool(splits)


def _place(listing: Listing, split_layout: bool) -> tuple[list[_Photo], list[str]]:
    """Return the photos that have a class folder, and the paths of those that have none."""
    placed, unplaced = [], []
    for path in listing.photos:
        *folders, _ = path.split("/")
        if len(folders) <= split_layout:
            unplaced.append(path)
        else:
            placed.append(_Photo(path, folders[split_layout], folders[0] if split_layout else None))
    return placed, unplaced


def _sizes(root: Path, placed: Sequence[_Photo]) -> list[photos.Size]:
    problems, sizes = Problems(root), []
    for found in photos.sizes([root / photo.path for photo in placed]):
        if isinstance(found, DataError):
            problems.add("unreadable", found.message, hint="Delete these photos or move them out of the folder.")
        else:
            sizes.append(found)
    problems.refuse(f"photos of {len(placed)}")
    return sizes


def _notes(root: Path, listing: Listing, unplaced: Sequence[str]) -> list[str]:
    notes = []
    if unplaced:
        notes.append(f"{len(unplaced)} photos lie in no class folder and are left out: {_some(unplaced)}.")
    if listing.others:
        kinds = ", ".join(f"{number} {suffix}" for suffix, number in sorted(listing.others.items()))
        notes.append(f"{listing.others.total()} other files are left out: {kinds}.")
    if listing.links:
        notes.append(f"{len(listing.links)} links to folders are not followed: {_some(listing.links)}.")
    if empty := _empty_folders(root, listing):
        notes.append(f"{len(empty)} folders hold no photo: {_some(empty)}.")
    return notes


def _empty_folders(root: Path, listing: Listing) -> list[str]:
    """Return the folders of the class level, and those above it, that hold no photo."""
    split_layout = any(photos.split_of(path.split("/", 1)[0]) for path in listing.photos if "/" in path)
    depth = 2 if split_layout else 1
    full = {"/".join(path.split("/")[:level]) for path in listing.photos for level in range(1, depth + 1)}
    folders = list(listing.folders)
    if split_layout:
        tops = [name for name in listing.folders if name in full]
        folders += [f"{top}/{entry.name}" for top in tops for entry in _folders(root / top)]
    return sorted(name for name in folders if name not in full and not is_ignored(name))


def _some(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - _NAMED} more" if len(paths) > _NAMED else ""
    return ", ".join(paths[:_NAMED]) + more
