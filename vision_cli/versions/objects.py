"""The content store: every file once, called by the hash of its bytes, read-only.

objects/ab/cdef...   the bytes whose SHA-256 is abcdef...

A file comes in as a copy on write (a reflink: no room, and the file may change later) where the file system can, else
as a copy. As a hard link it takes no room either, but then it is the user's own file: whoever writes into it changes
the version, too. Both names become read-only for that.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import secrets
import shutil
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Literal

from vision_cli.core.errors import DataError, ResourceError
from vision_cli.core.files import disk_errors, free_mb, sync_folder, sync_tree
from vision_cli.core.progress import Progress
from vision_cli.versions.photo_index import Stamp, sha256_of, stamp_of

Keep = Literal["copy", "hardlink"]
Place = Literal["copy", "hardlink", "symlink"]

_FICLONE = 0x40049409  # linux/fs.h
_CHUNK_BYTES = 1 << 20
_READ_ONLY = 0o444
_BATCH = 64
_MARGIN_MB = 50.0
_SHOWN = 10
_INCOMING = ".incoming-"
_NO_LINKS = {errno.EPERM, errno.EXDEV, errno.EMLINK, errno.EOPNOTSUPP, errno.ENOTSUP}


@dataclass(frozen=True, slots=True)
class Incoming:
    """A file that is to be kept: where it is, its hash, and what was known of it when it was hashed."""

    place: str
    sha256: str
    stamp: Stamp


@dataclass(frozen=True, slots=True)
class ObjectStore:
    """The folder of contents.

    Attributes:
        folder: `objects`.
        workers: threads that copy.
    """

    folder: Path
    workers: int = 1

    def path(self, sha256: str) -> str:
        """Return where a content is, or would be."""
        return f"{self.folder}/{sha256[:2]}/{sha256[2:]}"

    def names(self) -> dict[str, int]:
        """Return the bytes of each content that is there, by hash."""
        found: dict[str, int] = {}
        for folder in _folders(self.folder):
            with os.scandir(folder) as entries:
                found.update((f"{folder[-2:]}{each.name}", each.stat().st_size) for each in entries)
        return found

    def add(self, files: Sequence[Incoming], keep: Keep, progress: Progress) -> int:
        """Keep the files that are not there yet, and return how many these were.

        All of them are on the disk before the first gets its name; what a kill leaves is cleaned by `clean`.

        Raises:
            DataError: a file changed since it was hashed.
            ResourceError: the disk is full or refuses.
        """
        there = self.names() if self.folder.is_dir() else {}
        new = list({each.sha256: each for each in files if there.get(each.sha256) != each.stamp[0]}.values())
        if not new:
            return 0
        staging = self.folder / f"{_INCOMING}{secrets.token_hex(4)}"
        with disk_errors(self.folder):
            self._check_space(new, keep)
            staging.mkdir(parents=True)
            try:
                self._take(new, staging, keep, progress)
                sync_tree(staging)
                self._publish(new, staging)
            finally:
                shutil.rmtree(staging, ignore_errors=True)
        return len(new)

    def _check_space(self, new: Sequence[Incoming], keep: Keep) -> None:
        if keep == "hardlink" or _clones(new[0].place, self.folder):
            return
        need_mb, there = sum(each.stamp[0] for each in new) / 1e6 + _MARGIN_MB, free_mb(self.folder)
        if need_mb > there:
            raise ResourceError(
                f"{self.folder}: {need_mb:.0f} MB are needed and {there:.0f} MB are free.",
                hint="Make room, or keep the photos as hard links: --photos hardlink.",
            )

    def _take(self, new: Sequence[Incoming], staging: Path, keep: Keep, progress: Progress) -> None:
        take = _linked if keep == "hardlink" else _copied

        def work(batch: Sequence[Incoming]) -> list[str]:
            return [each.place for each in batch if not take(each, f"{staging}/{each.sha256}")]

        changed = _in_batches(new, work, self.workers, lambda done: progress.step("keeping photos", done, len(new)))
        if changed:
            raise DataError(
                f"{len(changed)} files changed while they were read.",
                details=changed[:_SHOWN],
                hint="Commit again when nobody writes to them.",
            )

    def _publish(self, new: Sequence[Incoming], staging: Path) -> None:
        folders = sorted({each.sha256[:2] for each in new})
        for name in folders:
            (self.folder / name).mkdir(exist_ok=True)
        for each in new:
            os.replace(f"{staging}/{each.sha256}", self.path(each.sha256))
        for name in folders:
            sync_folder(self.folder / name)
        sync_folder(self.folder)

    def place(self, files: Mapping[str, str], folder: Path, how: Place, progress: Progress) -> None:
        """Put contents below a folder, whole or as an error; copies and links are compared with their hash.

        Args:
            files: hash by path relative to the folder, with `/`.
            folder: exists.
            how: a copy, or a link to the store.
            progress: hears how many are done.

        Raises:
            DataError: contents that are missing or damaged, by name.
            ResourceError: the disk refuses.
        """
        put = {"copy": _copy_out, "hardlink": _hardlink_out, "symlink": _symlink_out}[how]
        pairs = list(files.items())
        with disk_errors(folder):
            for parent in sorted({name.rpartition("/")[0] for name in files}):
                (folder / parent).mkdir(parents=True, exist_ok=True)

            def work(batch: Sequence[tuple[str, str]]) -> list[str]:
                told = [self._problem(put, f"{folder}/{name}", name, sha256) for name, sha256 in batch]
                return [each for each in told if each is not None]

            bad = _in_batches(pairs, work, self.workers, lambda done: progress.step("photos", done, len(pairs)))
        if bad:
            raise damaged(bad)

    def _problem(self, put: Callable[[str, str], str], target: str, name: str, sha256: str) -> str | None:
        source = self.path(sha256)
        try:
            same = put(source, target) == sha256
        except FileNotFoundError:
            return f"{source}: is missing; it is the content of {name}"
        return None if same else f"{source}: was changed; it is the content of {name}"

    def problems(self, wanted: Mapping[str, str], progress: Progress) -> list[str]:
        """Return what is missing or damaged of contents, one line each.

        Args:
            wanted: a path that has the content, by hash.
            progress: hears how many are done.
        """
        pairs = list(wanted.items())

        def work(batch: Sequence[tuple[str, str]]) -> list[str]:
            told = [self._problem(lambda source, _: sha256_of(source), "", name, sha256) for sha256, name in batch]
            return [each for each in told if each is not None]

        return _in_batches(pairs, work, self.workers, lambda done: progress.step("verifying", done, len(pairs)))

    def remove(self, names: Sequence[str]) -> None:
        """Delete contents."""
        with disk_errors(self.folder):
            for name in names:
                os.unlink(self.path(name))

    def clean(self) -> int:
        """Delete what killed commits left, and return how many folders that were; nobody else may be writing."""
        left = [each for each in self.folder.glob(f"{_INCOMING}*")] if self.folder.is_dir() else []
        for each in left:
            shutil.rmtree(each, ignore_errors=True)
        return len(left)


def damaged(lines: Sequence[str]) -> DataError:
    """Return the error about contents that are missing or changed."""
    more = [f"and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else []
    return DataError(
        f"{len(lines)} contents of the version are not what was committed.",
        details=[*lines[:_SHOWN], *more],
        hint="Bring the files back from a copy of the store, or delete them and commit the same photos again.",
    )


def _folders(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        return sorted(each.path for each in entries if len(each.name) == 2 and each.is_dir())


def _in_batches(
    items: Sequence[object], work: Callable[..., list[str]], workers: int, tell: Callable[[int], None]
) -> list[str]:
    """Work on items in threads, and return what was said of them, in their order."""
    batches = [items[start : start + _BATCH] for start in range(0, len(items), _BATCH)]
    told: list[str] = []
    with ThreadPoolExecutor(workers) as pool:
        for number, lines in enumerate(pool.map(work, batches), start=1):
            told += lines
            tell(min(number * _BATCH, len(items)))
    return told


def _linked(each: Incoming, target: str) -> bool:
    """Link a file, unless it changed; where links are not possible, copy it."""
    try:
        os.link(os.path.realpath(each.place), target)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        return _copied(each, target)
    same = os.stat(target)
    with suppress(PermissionError):  # somebody else's file
        os.chmod(target, same.st_mode & ~0o222)
    return stamp_of(same)[:3] == each.stamp[:3]


def _copied(each: Incoming, target: str) -> bool:
    """Clone or copy a file, and return whether it is the one that was hashed."""
    digest = hashlib.sha256()
    with FileIO(each.place) as source, FileIO(target, "x") as file:
        before = stamp_of(os.fstat(source.fileno()))
        cloned = before == each.stamp and _clone(source.fileno(), file.fileno())
        if not cloned:
            while chunk := source.read(_CHUNK_BYTES):
                digest.update(chunk)
                _write_all(file.fileno(), chunk)
        os.fchmod(file.fileno(), _READ_ONLY)
        after = stamp_of(os.fstat(source.fileno()))
    return before == after if cloned else digest.hexdigest() == each.sha256


def _write_all(descriptor: int, chunk: bytes) -> None:
    view = memoryview(chunk)
    while view:
        view = view[os.write(descriptor, view) :]


def _clone(source: int, target: int) -> bool:
    try:
        fcntl.ioctl(target, _FICLONE, source)
    except OSError:
        return False
    return True


def _clones(place: str, folder: Path) -> bool:
    """Return whether the file system can clone a file into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    trial = folder / f"{_INCOMING}{secrets.token_hex(4)}"
    try:
        with FileIO(place) as source, FileIO(trial, "x") as target:
            return _clone(source.fileno(), target.fileno())
    finally:
        trial.unlink(missing_ok=True)


def _copy_out(source: str, target: str) -> str:
    """Copy a content and return the hash of what was copied; the copy may be written."""
    digest = hashlib.sha256()
    with FileIO(source) as content, FileIO(target, "x") as file:
        while chunk := content.read(_CHUNK_BYTES):
            digest.update(chunk)
            _write_all(file.fileno(), chunk)
    return digest.hexdigest()


def _hardlink_out(source: str, target: str) -> str:
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        raise ResourceError(
            f"{target}: cannot be a hard link to {source}: {error.strerror}.",
            hint="Hard links stay on one file system; use --images copy.",
        ) from error
    return sha256_of(source)


def _symlink_out(source: str, target: str) -> str:
    Path(target).symlink_to(source)
    return sha256_of(source)
