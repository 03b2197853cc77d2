"""List a folder of photos in a fixed order, without leaving it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from vision_cli.core.containment import HINT, Containment
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
    for path, entry, is_entered in _visit(root, fence):
        _sort_in(listing, fence, (path, is_entered), entry)
    listing.photos.sort()
    if listing.refused:
        raise DataError(
            f"{root}: {len(listing.refused)} entries are refused.",
            details=listing.refused[:_SHOWN],
            hint=f"Links stay inside the source's folder, and names are UTF-8. {HINT}",
        )
    return listing


def is_folder(entry: os.DirEntry[str]) -> bool:
    """Return whether an entry is a folder or a link to one; a loop of links is none."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def is_file(entry: os.DirEntry[str]) -> bool:
    """Return whether an entry is a file or a link to one; a loop of links is none."""
    try:
        return entry.is_file()
    except OSError:
        return False


def is_listed_folder(entry: os.DirEntry[str], root: Path) -> bool:
    """Return whether `walk` enters an entry of a folder: a folder, or with the user's permission a link to one."""
    return entry.is_dir(follow_symlinks=False) or (entry.is_symlink() and Containment(root).enters(entry.name))


def _visit(root: Path, fence: Containment) -> Iterator[tuple[str, os.DirEntry[str], bool]]:
    """Yield every entry below a folder, and whether it is a folder that is entered, as links to folders seldom are."""
    waiting = [PurePosixPath()]
    while waiting:
        at = waiting.pop()
        for entry in _entries_at(root / at):
            path = str(at / entry.name)
            is_entered = entry.is_dir(follow_symlinks=False) or (entry.is_symlink() and fence.enters(path))
            yield path, entry, is_entered
            if is_entered:
                waiting.append(at / entry.name)


def _entries_at(folder: Path) -> list[os.DirEntry[str]]:
    try:
        return entries(folder)
    except OSError as error:
        raise DataError(f"{folder}: cannot be listed: {error.strerror}.", hint="Check its permissions.") from error


def _sort_in(listing: Listing, fence: Containment, found: tuple[str, bool], entry: os.DirEntry[str]) -> None:
    path, is_entered = found
    if not _is_utf8(path):
        listing.refused.append(f"{os.fsencode(path)!r}: the name is not UTF-8.")
    elif entry.is_symlink() and not fence.holds(path):
        listing.refused.append(f"{path}: the link leads out of the folder.")
    elif is_entered:
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
