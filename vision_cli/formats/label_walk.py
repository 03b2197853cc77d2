"""List photos and label files below a folder, quickly and without leaving it; read small files with few calls."""

from __future__ import annotations

import os
import posixpath
import stat
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from vision_cli.core.containment import HINT, Containment
from vision_cli.core.errors import DataError
from vision_cli.formats.folder_walk import is_ignored
from vision_cli.formats.photos import PHOTO_SUFFIXES

_SHOWN = 10
_MAX_FILE_BYTES = 64 << 20
_CHUNK_BYTES = 1 << 16


@dataclass(slots=True)
class Tree:
    """Files below a folder, relative to it with `/`, in order of their code points.

    Attributes:
        photos: by their suffix.
        labels: files of the suffix that was asked for.
        others: everything else, only where asked for.
        refused: links that lead out and names that are not UTF-8.
    """

    photos: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def tree(root: Path, suffix: str, *, most: int | None = None) -> Tree:
    """List photos and the files of one suffix; links to folders are only followed with the user's permission.

    Args:
        root: the folder.
        suffix: of label files, lower case with its dot.
        most: entries of each folder to look at; all of them when None.

    Raises:
        DataError: a folder cannot be listed, a link leads out, or a name is not UTF-8.
    """
    found, fence, waiting = Tree(), Containment(root), [""]
    follows = fence.follows
    while waiting:
        prefix = waiting.pop()
        for entry in _scan(root, prefix, most):
            if entry.is_dir(follow_symlinks=False) or (follows and _enters(fence, prefix, entry)):
                waiting.append(f"{prefix}{entry.name}/")
            else:
                _sort_in(found, fence, prefix + entry.name, suffix, entry)
    if found.refused:
        raise DataError(
            f"{root}: {len(found.refused)} entries are refused.",
            details=found.refused[:_SHOWN],
            hint=f"Links stay inside the source's folder, and names are UTF-8. {HINT}",
        )
    for names in (found.photos, found.labels, found.others):
        names.sort()
    return found


def _enters(fence: Containment, prefix: str, entry: os.DirEntry[str]) -> bool:
    return entry.is_symlink() and fence.enters(prefix + entry.name)


def _scan(root: Path, prefix: str, most: int | None) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(f"{os.fspath(root)}/{prefix}") as entries:
            return [entry for entry in islice(entries, most) if not is_ignored(entry.name)]
    except OSError as error:
        raise DataError(f"{root / prefix}: cannot be listed: {error.strerror}.", hint="Check its rights.") from error


def _sort_in(found: Tree, fence: Containment, path: str, suffix: str, entry: os.DirEntry[str]) -> None:
    if not path.isascii() and not _is_utf8(path):
        found.refused.append(f"{os.fsencode(path)!r}: the name is not UTF-8.")
        return
    ending = posixpath.splitext(path)[1].lower()
    if entry.is_symlink():
        if not fence.holds(path):
            found.refused.append(f"{path}: the link leads out of the folder.")
            return
        if os.path.isdir(entry.path):  # noqa: PTH112 - a loop of links is False here and an error in pathlib
            return
    if ending == suffix:
        found.labels.append(path)
    elif ending in PHOTO_SUFFIXES:
        found.photos.append(path)
    else:
        found.others.append(path)


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def read_small(place: str) -> bytes:
    """Read a regular file of bounded size.

    Raises:
        DataError: not a regular file, too large, or it cannot be read.
    """
    try:
        handle = os.open(place, os.O_RDONLY | os.O_NONBLOCK)
        try:
            state = os.fstat(handle)
            if not stat.S_ISREG(state.st_mode):
                raise DataError(f"{place}: is not a regular file.")
            if state.st_size > _MAX_FILE_BYTES:
                raise DataError(f"{place}: is larger than {_MAX_FILE_BYTES >> 20} MB.", hint="Is it a label file?")
            return _all_of(handle, state.st_size)
        finally:
            os.close(handle)
    except OSError as error:
        raise DataError(f"{place}: cannot be read: {error.strerror}.", hint="Check its rights.") from error


def _all_of(handle: int, size: int) -> bytes:
    content = os.read(handle, size + 1)
    while len(content) < size:
        more = os.read(handle, _CHUNK_BYTES)
        if not more:
            break
        content += more
    return content


def parent_of(path: str) -> str:
    """Return the folder of a relative path; the empty string at the top."""
    return path.rpartition("/")[0]


def stem_of(path: str) -> str:
    """Return a relative path without the suffix of its last part."""
    return posixpath.splitext(path)[0]
