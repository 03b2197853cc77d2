"""All that the checks want to know of photos, each file read and decoded once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vision_cli.core import files
from vision_cli.core.errors import DataError
from vision_cli.imaging.header import read_header
from vision_cli.imaging.quality import WORK_PX, quality
from vision_cli.imaging.read import MAX_PIXELS, read_photo
from vision_cli.imaging.resize import fit
from vision_cli.imaging.similarity import perceptual_hash, sha256

GOOD, MISSING, EMPTY, BROKEN, TOO_LARGE = range(5)
"""States of a photo: decoded, not there, 0 bytes, refused by the decoder, more pixels than are decoded."""

SMALL_PX = 16
_MAX_BYTES = 1 << 29
_THREADS = 8
_BATCH = 32

Step = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class PhotoRecord:
    """One photo.

    Attributes:
        state: see `GOOD`.
        reason: why it was refused.
        size: of the file, in bytes.
        format: by content: `jpeg`, `png` ...
        width: pixels, upright; 0 where unknown.
        height: likewise.
        orientation: of EXIF, 1..8.
        sha256: of the bytes, hex.
        looks: perceptual hash.
        blur: see `imaging.quality.Quality`; NaN where nothing was decoded, as the four that follow.
        luma_p5: likewise.
        luma_p99: likewise.
        clipped: likewise.
        spread: likewise.
        small: uint8 (16, 16, 3), the photo as bytes; empty where nothing was decoded.
    """

    state: int
    reason: str = ""
    size: int = 0
    format: str = ""
    width: int = 0
    height: int = 0
    orientation: int = 1
    sha256: str = ""
    looks: int = 0
    blur: float = float("nan")
    luma_p5: float = float("nan")
    luma_p99: float = float("nan")
    clipped: float = float("nan")
    spread: float = float("nan")
    small: bytes = b""


@dataclass(frozen=True, slots=True, eq=False)
class PhotoFacts:
    """The records of N photos as columns.

    Attributes:
        records: by row.
    """

    records: Sequence[PhotoRecord]

    def column(self, name: str) -> NDArray[Any]:
        """Return one attribute of every photo."""
        kind = {"looks": np.uint64}.get(name)
        return np.array([getattr(record, name) for record in self.records], dtype=kind)

    @property
    def good(self) -> NDArray[np.bool_]:
        """Return which photos were decoded, bool (N,)."""
        return np.array([record.state == GOOD for record in self.records], dtype=np.bool_)

    def smalls(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return small copies of good photos, float32 (M, 768), each with mean 0 and length 1."""
        raw = b"".join(self.records[row].small for row in rows.tolist())
        found = np.frombuffer(raw, np.uint8).reshape(len(rows), -1).astype(np.float32)
        found -= found.mean(axis=1, keepdims=True)
        length = np.linalg.norm(found, axis=1, keepdims=True)
        return np.asarray(found / np.where(length == 0, 1, length), np.float32)


COLUMNS = tuple(item.name for item in fields(PhotoRecord))


def read_all(paths: Sequence[Path], step: Step) -> Iterator[PhotoRecord]:
    """Yield a record a path, in order; memory holds one photo a thread.

    Args:
        paths: of photos.
        step: hears how many of how many are done.
    """
    batches = [paths[start : start + _BATCH] for start in range(0, len(paths), _BATCH)]
    done = 0
    with ThreadPoolExecutor(min(_THREADS, os.cpu_count() or 1)) as pool:
        for records in pool.map(lambda batch: [read_record(path) for path in batch], batches):
            yield from records
            done += len(records)
            step(done, len(paths))


def read_record(path: Path) -> PhotoRecord:
    """Read and measure one photo; whatever is wrong with it is part of the record."""
    try:
        if not path.is_file():
            return PhotoRecord(MISSING)
        data = files.read_limited(path, max_bytes=_MAX_BYTES, what="the photo")
    except DataError as error:
        return PhotoRecord(BROKEN, _reason(error, path))
    except OSError as error:
        return PhotoRecord(BROKEN, str(error.strerror))
    return _record(data, path) if data else PhotoRecord(EMPTY, "0 bytes")


def _record(data: bytes, path: Path) -> PhotoRecord:
    digest = sha256(data)
    try:
        header = read_header(data, name=str(path))
    except DataError as error:
        return PhotoRecord(BROKEN, _reason(error, path), len(data), sha256=digest)
    known = (len(data), header.format, header.width_px, header.height_px, header.exif_orientation, digest)
    if header.width_px * header.height_px > MAX_PIXELS:
        return PhotoRecord(TOO_LARGE, "too many pixels to decode", *known)
    try:
        photo = read_photo(data, at_least=_needed(header.width_px, header.height_px), name=str(path))
    except DataError as error:
        return PhotoRecord(BROKEN, _reason(error, path), *known)
    found = quality(photo)
    small = fit(photo, (SMALL_PX, SMALL_PX), "stretch", interpolation="area")
    measured = (found.blur, found.luma_p5, found.luma_p99, found.clipped, found.spread)
    return PhotoRecord(GOOD, "", *known, int(perceptual_hash(photo)), *measured, small.tobytes())


def _needed(width: int, height: int) -> tuple[int, int]:
    """Return the size below which a photo must not be shrunk while it is decoded."""
    scale = WORK_PX / max(width, height)
    return (width, height) if scale >= 1 else (max(1, round(width * scale)), max(1, round(height * scale)))


def _reason(error: DataError, path: Path) -> str:
    return error.message.removeprefix(f"{path}: ")
