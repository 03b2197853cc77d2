"""Hashes of files, remembered by what the file system says of them, as git's index does.

A file is believed unchanged while its size, its inode and its times of change (of content and of anything) are the
same. One that changed less than two seconds before it was hashed is not remembered: it may have changed again in the
same tick of a coarse clock.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

import msgspec

from vision_cli.core.errors import DataError, ResourceError
from vision_cli.core.files import read_limited, write_bytes
from vision_cli.core.progress import Progress

Stamp = tuple[int, int, int, int]
"""Bytes, inode, times of change of content and of anything in nanoseconds."""

_RACY_NS = 2_000_000_000
_CHUNK_BYTES = 1 << 18
_BATCH = 32
_MAX_BYTES = 1 << 30
_SHOWN = 10
_STEP = "hashing photos"


class _Known(msgspec.Struct, forbid_unknown_fields=True):
    """The file: version of its layout, then stamp and hash by place."""

    layout: int
    files: dict[str, tuple[int, int, int, int, str]]


@dataclass(frozen=True, slots=True)
class Hashes:
    """Of some files, in their order.

    Attributes:
        sha256: in hex; None where there is no file.
        stamps: of each file when it was hashed.
        read: how many had to be read.
    """

    sha256: Sequence[str | None]
    stamps: Sequence[Stamp | None]
    read: int

    @property
    def sizes(self) -> list[int | None]:
        """Return the bytes of each."""
        return [None if each is None else each[0] for each in self.stamps]


@dataclass(frozen=True, slots=True)
class PhotoIndex:
    """The remembered hashes of a project's photos.

    Attributes:
        path: of the index; it is only a memory and may be deleted.
        workers: threads that read.
    """

    path: Path
    workers: int = 1

    def hashes(self, places: Sequence[str], progress: Progress) -> Hashes:
        """Return the hashes of files; what had to be read is remembered, where the disk allows it.

        Raises:
            DataError: files that are there and cannot be read, or are no files.
        """
        known, stamps = self._load(), [_stamp(place) for place in places]
        found: list[str | None] = [None] * len(places)
        new = []
        for row, (place, stamp) in enumerate(zip(places, stamps, strict=True)):
            entry = known.get(place) if stamp is not None else None
            if entry is not None and entry[:4] == stamp:
                found[row] = entry[4]
            elif stamp is not None:
                new.append(row)
        started = time.time_ns()
        for row, text in zip(new, self._read([places[row] for row in new], progress), strict=True):
            found[row] = text
        if new:
            fresh = {places[row]: _entry(stamps[row], found[row]) for row in new if _is_calm(stamps[row], started)}
            self._save({**known, **{place: entry for place, entry in fresh.items() if entry is not None}})
        return Hashes(found, stamps, len(new))

    def _read(self, places: Sequence[str], progress: Progress) -> list[str]:
        batches = [places[start : start + _BATCH] for start in range(0, len(places), _BATCH)]
        found: list[str | OSError] = []
        with ThreadPoolExecutor(self.workers) as pool:
            for batch in pool.map(lambda batch: [_try(place) for place in batch], batches):
                found += batch
                progress.step(_STEP, len(found), len(places))
        bad = [(p, each) for p, each in zip(places, found, strict=True) if isinstance(each, OSError)]
        if bad:
            more = [f"and {len(bad) - _SHOWN} more"] if len(bad) > _SHOWN else []
            details = [f"{place}: {error.strerror}" for place, error in bad[:_SHOWN]]
            raise DataError(f"{len(bad)} files cannot be read.", details=[*details, *more], hint="Check their rights.")
        return [each for each in found if isinstance(each, str)]

    def _load(self) -> dict[str, tuple[int, int, int, int, str]]:
        """Return what is remembered; a damaged index is none."""
        with suppress(DataError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            content = read_limited(self.path, max_bytes=_MAX_BYTES, what="the index of photos")
            known = msgspec.json.decode(content, type=_Known)
            return known.files if known.layout == 1 else {}
        return {}

    def _save(self, known: dict[str, tuple[int, int, int, int, str]]) -> None:
        with suppress(ResourceError, UnicodeEncodeError, msgspec.EncodeError):  # a read-only project does without
            write_bytes(self.path, msgspec.json.encode(_Known(1, known)))


def sha256_of(place: str) -> str:
    """Return the SHA-256 of a file's bytes in hex."""
    digest, buffer = hashlib.sha256(), bytearray(_CHUNK_BYTES)
    view = memoryview(buffer)
    with FileIO(place) as file:
        while count := file.readinto(buffer):
            digest.update(view[:count])
    return digest.hexdigest()


def stamp_of(status: os.stat_result) -> Stamp:
    """Return what is compared of a file's status."""
    return status.st_size, status.st_ino, status.st_mtime_ns, status.st_ctime_ns


def _try(place: str) -> str | OSError:
    try:
        return sha256_of(place)
    except OSError as error:
        return error


def _stamp(place: str) -> Stamp | None:
    """Return the stamp of a file, None where there is none."""
    try:
        status = os.stat(place)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise DataError(f"{place}: cannot be read: {error.strerror}.", hint="Check the path.") from error
    if not stat.S_ISREG(status.st_mode):
        raise DataError(f"{place}: is not a file.", hint="Check the path.")
    return stamp_of(status)


def _is_calm(stamp: Stamp | None, now_ns: int) -> bool:
    return stamp is not None and max(stamp[2], stamp[3]) < now_ns - _RACY_NS


def _entry(stamp: Stamp | None, text: str | None) -> tuple[int, int, int, int, str] | None:
    return None if stamp is None or text is None else (*stamp, text)
