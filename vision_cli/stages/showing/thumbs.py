"""Small copies of photos, made side by side; those of an earlier page, or of a run that was killed, are taken over."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from vision_cli.core.errors import DataError, ResourceError
from vision_cli.core.files import disk_errors
from vision_cli.core.progress import Progress
from vision_cli.imaging import draw, read, write
from vision_cli.stages.target_folder import is_abandoned

_QUALITY = 74
_BATCH = 32


@dataclass(frozen=True, slots=True)
class Made:
    """Small copies.

    Attributes:
        names: of each photo, below the folder; None where the photo cannot be read.
        size_bytes: of all of them.
        refused: photos that cannot be read.
        reason: of the first of them.
    """

    names: tuple[str | None, ...]
    size_bytes: int
    refused: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Maker:
    """How small copies are made.

    Attributes:
        folder: where they go.
        side_px: no side is longer.
        most_bytes: of all of them.
        reserves: folders of earlier ones.
        workers: threads.
    """

    folder: Path
    side_px: int
    most_bytes: int
    reserves: Sequence[Path] = ()
    workers: int = 1

    def make(self, photos: Sequence[Path], what: str, progress: Progress) -> Made:
        """Make a small copy of each photo.

        Raises:
            ResourceError: the disk refuses, or they take more than is allowed.
        """
        batches = [photos[start : start + _BATCH] for start in range(0, len(photos), _BATCH)]
        names: list[str | None] = []
        size, refused, reason = 0, 0, ""
        with ThreadPoolExecutor(self.workers) as pool, disk_errors(self.folder):
            try:
                for found in pool.map(self._batch, batches):
                    for name, number, problem in found:
                        names.append(name)
                        size, refused, reason = size + number, refused + bool(problem), reason or problem
                    self._check(size, len(names), len(photos))
                    progress.step(what, len(names), len(photos))
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise
        return Made(tuple(names), size, refused, reason)

    def _check(self, size: int, done: int, photos: int) -> None:
        if size > self.most_bytes:
            need, most = size / done * photos / 1e6, self.most_bytes / 1e6
            raise ResourceError(
                f"{self.folder.name}: about {need:.1f} MB are needed, over the limit of {most:.1f} MB.",
                hint="Raise --max-mb, choose photos with --where, or look without writing: --serve.",
            )

    def _batch(self, photos: Sequence[Path]) -> list[tuple[str | None, int, str]]:
        return [self._one(photo) for photo in photos]

    def _one(self, photo: Path) -> tuple[str | None, int, str]:
        """Return the name of a copy, its bytes, and why there is none."""
        try:
            name = key(photo, self.side_px)
            target = self.folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.exists() and not self._taken_over(name, target):
                target.write_bytes(small(photo, self.side_px))
            return name, target.stat().st_size, ""
        except DataError as error:
            return None, 0, error.message

    def _taken_over(self, name: str, target: Path) -> bool:
        for reserve in self.reserves:
            with suppress(OSError):
                os.link(reserve / name, target)
                return True
        return False


def key(photo: Path, side_px: int) -> str:
    """Return the name of a photo's small copy: it changes with the photo's place, length, time and the side.

    Raises:
        DataError: the photo is not there.
    """
    try:
        state = photo.stat()
    except OSError as error:
        raise DataError(f"{photo}: the photo cannot be read: {error.strerror}.") from error
    facts = os.fsencode(os.path.realpath(photo)) + f"\0{state.st_size}\0{state.st_mtime_ns}\0{side_px}".encode()
    text = hashlib.sha256(facts).hexdigest()
    return f"{text[:2]}/{text[2:20]}.jpg"


def small(photo: Path, side_px: int) -> bytes:
    """Return a photo as a JPEG with no side longer than so many pixels.

    Raises:
        DataError: it cannot be read.
    """
    return write.encode_jpeg(draw.thumbnail(read.read_photo(photo, at_least=_least(photo, side_px)), side_px), _QUALITY)


def _least(photo: Path, side_px: int) -> tuple[int, int]:
    """Return (width, height) that a decoder must not go below, so that the longer side keeps its pixels."""
    header = read.read_header(photo)
    longest = max(header.width_px, header.height_px)
    scale = min(1.0, side_px / longest)
    return max(1, int(header.width_px * scale)), max(1, int(header.height_px * scale))


def rescue(target: Path, kinds: Sequence[str]) -> Path | None:
    """Put what killed runs left into one folder beside the target, before it is cleaned; None without any.

    Args:
        target: folder of the page.
        kinds: names of the folders of small copies in it.
    """
    reserve = target.with_name(f".{target.name[:80]}.reserve")
    for left in _leftovers(target):
        for kind in kinds:
            for file in (left / kind).glob("*/*.jpg"):
                place = reserve / kind / file.parent.name
                place.mkdir(parents=True, exist_ok=True)
                if file.stat().st_size and _is_whole(file):
                    os.replace(file, place / file.name)
    return reserve if reserve.is_dir() else None


def drop(reserve: Path | None) -> None:
    """Remove what was rescued, once the page is there."""
    if reserve is not None:
        shutil.rmtree(reserve, ignore_errors=True)


def _leftovers(target: Path) -> Iterator[Path]:
    name = re.compile(re.escape(f".{target.name[:80]}.") + r"[0-9a-f]{8}\.part")
    if target.parent.is_dir():
        yield from (
            path
            for path in sorted(target.parent.iterdir())
            if name.fullmatch(path.name) and path.is_dir() and is_abandoned(path)
        )


def _is_whole(file: Path) -> bool:
    """Tell whether a JPEG ends as it should; a kill may have cut the last ones."""
    with file.open("rb") as stream:
        stream.seek(-2, os.SEEK_END)
        return stream.read(2) == b"\xff\xd9"
