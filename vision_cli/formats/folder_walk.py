"""List a folder of photos in a fixed order, without leaving it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from vision_cli.core.containment import Containment
from vision_cli.core.errors import DataError
from vision_cli.formats.photos import is_photo_name

_IGNORED = frozenset({"__macosx", "thumbs.db", "desktop.ini"})
_SHOWN = 10


@dataclass(slots=True)
class Listing:
    """What lies below a folder.

    Attributes:
        photos: paths relative to it with `/`, in order of their code points, whatever the locale.
        folders: top-level folders by name.
        others: number of files that are no photos, by suffix.
        links: links to folders, which are not followed.
        refused: entries that lead out of the folder or whose name is not UTF-8.
    """

    photos: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)
    links: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def is_ignored(name: str) -> bool:
    """Return whether an entry is hidden or left behind by an operating system."""
    return name.startswith(".") or name.lower() in _IGNORED


def entries(folder: Path) -> list[os.DirEntry[str]]:
    """Return the visible entries of a folder, sorted by code points."""
    with os.scandir(folder) as found:
        return sorted((entry for entry in found if not is_ignored(entry.name)), key=lambda entry: entry.name)


def walk(root: Path) -> Listing:
    """List everything below a folder.

    Raises:
        DataError: a folder cannot be listed, an entry leads out of the root, or a name is not UTF-8.
    """
    listing = Listing()
    fence = Containment(root)
    for path, entry in _visit(root):
        _sort_in(listing, fence, path, entry)
    listing.photos.sort()
    if listing.refused:
        raise DataError(
            f"{root}: {len(listing.refused)} entries are refused.",
            details=listing.refused[:_SHOWN],
            hint="Links stay inside the source's folder, and names are UTF-8: copy, rename or remove them.",
        )
    return listing


def _visit(root: Path) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Yield every entry below a folder; links to folders are yielded and not entered, so loops end."""
    waiting = [PurePosixPath()]
    while waiting:
        at = waiting.pop()
        for entry in _entries_at(root / at):
            yield str(at / entry.name), entry
            if entry.is_dir(follow_symlinks=False):
                waiting.append(at / entry.name)


def _entries_at(folder: Path) -> list[os.DirEntry[str]]:
    try:
        return entries(folder)
    except OSError as error:
        raise DataError(f"{folder}: cannot be listed: {error.strerror}.", hint="Check its permissions.") from error


def _sort_in(listing: Listing, fence: Containment, path: str, entry: os.DirEntry[str]) -> None:
    if not _is_utf8(path):
        listing.refused.append(f"{os.fsencode(path)!r}: the name is not UTF-8.")
    elif entry.is_symlink() and not fence.holds(path):
        listing.refused.append(f"{path}: the link leads out of the folder.")
    elif entry.is_dir(follow_symlinks=False):
        listing.folders += [] if "/" in path else [path]
    elif entry.is_symlink() and Path(entry.path).is_dir():
        listing.links.append(path)
    elif is_photo_name(entry.name):
        listing.photos.append(path)
    else:
        listing.others[Path(entry.name).suffix.lower() or "without suffix"] += 1


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
