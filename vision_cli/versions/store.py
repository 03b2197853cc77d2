"""Where versions are kept: `.vision/versions/` beside vision.yaml, and nowhere else.

commits/<id>/     one version: dataset.json, images.parquet, annotations.parquet, files.parquet, version.json
objects/ab/...    photos by the hash of their bytes
log.jsonl         one line a commit, oldest first; a commit happened when its line is there
tags.json         id by name
trees/<id>/       photos of versions that a source names, under their own names (hard links into objects)
index.json        hashes of photos that were read (a memory)
lock              held by who writes

Readers never wait: every file is replaced by one rename, and what is committed never changes.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec

from vision_cli.core.errors import DataError, ResourceError
from vision_cli.core.files import disk_errors, read_limited, write_bytes, write_json
from vision_cli.versions.objects import ObjectStore
from vision_cli.versions.photo_index import PhotoIndex

_MAX_BYTES = 1 << 28
_POLL_S = 0.1

Hex = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
Count = Annotated[int, msgspec.Meta(ge=0)]


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of the log.

    Attributes:
        id: of the version.
        of: view or source that was committed: `view:all`, `source:photos`.
        message: why.
        time: UTC, ISO 8601.
        photos: their number.
        annotations: their number.
        classes: their number.
        bytes: of all files.
        digest: of the labels alone: `Dataset.digest()`.
    """

    id: Hex
    of: str
    message: str
    time: str
    photos: Count
    annotations: Count
    classes: Count
    bytes: Count
    digest: str

    def as_json(self) -> dict[str, Any]:
        """Return the members that `--json` prints."""
        return msgspec.structs.asdict(self)


@dataclass(frozen=True, slots=True)
class Store:
    """The versions of one project.

    Attributes:
        folder: `.vision/versions`.
        workers: threads that hash and copy.
    """

    folder: Path
    workers: int = 1

    @staticmethod
    def of(root: Path, workers: int | None = None) -> Store:
        """Return the store beside a project file, existing or not."""
        return Store(root / ".vision" / "versions", workers or os.cpu_count() or 1)

    @property
    def objects(self) -> ObjectStore:
        """Return the contents."""
        return ObjectStore(self.folder / "objects", self.workers)

    @property
    def index(self) -> PhotoIndex:
        """Return the remembered hashes."""
        return PhotoIndex(self.folder / "index.json", self.workers)

    def commit(self, version: str) -> Path:
        """Return the folder of a version."""
        return self.folder / "commits" / version

    def tree(self, version: str) -> Path:
        """Return the folder of a version's photos under their own names."""
        return self.folder / "trees" / version

    def log(self) -> tuple[Entry, ...]:
        """Return all commits, oldest first; a torn last line is none: see `torn`.

        Raises:
            DataError: a line is not one of ours.
        """
        return tuple(self._entries()[0])

    @property
    def torn(self) -> Path | None:
        """Return the log if its last line ends in the middle, as a copy that was broken off leaves it."""
        return self.folder / "log.jsonl" if self._entries()[1] else None

    def _entries(self) -> tuple[list[Entry], bool]:
        """Return the whole lines, and whether a torn one follows."""
        path = self.folder / "log.jsonl"
        if not path.exists():
            return [], False
        entries: list[Entry] = []
        lines = read_limited(path, max_bytes=_MAX_BYTES, what="the log of versions").splitlines(keepends=True)
        for number, line in enumerate(lines, start=1):
            try:
                entries.append(msgspec.json.decode(line, type=Entry))
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                if number == len(lines) and not line.endswith(b"\n"):
                    return entries, True
                hint = "Bring the file back from a copy."
                raise DataError(f"{path}:{number}: no line of a log: {error}.", hint=hint) from error
        return entries, False

    def append(self, entry: Entry) -> None:
        """Add a commit to the log, without a torn last line; from here on it is there."""
        lines = [msgspec.json.encode(each) + b"\n" for each in (*self.log(), entry)]
        write_bytes(self.folder / "log.jsonl", b"".join(lines))

    def tags(self) -> dict[str, str]:
        """Return the id of each tag.

        Raises:
            DataError: the file is not ours.
        """
        path = self.folder / "tags.json"
        if not path.exists():
            return {}
        content = read_limited(path, max_bytes=_MAX_BYTES, what="the file of tags")
        try:
            return msgspec.json.decode(content, type=dict[str, Hex])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise DataError(f"{path}: no file of tags: {error}.", hint="Bring it back from a copy.") from error

    def set_tags(self, tags: dict[str, str]) -> None:
        """Write all tags."""
        write_json(self.folder / "tags.json", dict(sorted(tags.items())))

    def stored(self) -> Sequence[str]:
        """Return the ids of the version folders that are there, committed or not."""
        folder = self.folder / "commits"
        return sorted(each.name for each in folder.iterdir() if len(each.name) == 64) if folder.is_dir() else []

    @contextmanager
    def writing(self, wait_s: float = 60.0) -> Iterator[None]:
        """Be the only writer; the operating system lets go of the lock when the process ends, `kill -9` included.

        Raises:
            ResourceError: another process holds it for longer than `wait_s`, or nothing can be written there.
        """
        path = self.folder / "lock"
        with disk_errors(path):
            self.folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            _lock(descriptor, path, time.monotonic() + wait_s)
            os.ftruncate(descriptor, 0)
            with suppress(OSError):  # only a name for others; a full disk is found by who writes data
                os.pwrite(descriptor, str(os.getpid()).encode(), 0)
            yield
        finally:
            os.close(descriptor)


def _lock(descriptor: int, path: Path, until: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() >= until:
                holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip() or "unknown"
                hint = "Wait for it, or end it."
                raise ResourceError(f"{path}: is held by process {holder}.", hint=hint) from error
            time.sleep(_POLL_S)
        except OSError:  # a network file system without locks
            return
        else:
            return
