"""What tells photos apart and alike: a hash of the bytes and a hash of the looks, each photo read once."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from vision_cli.core import files
from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError, ResourceError
from vision_cli.core.progress import Progress
from vision_cli.imaging.read import read_photo
from vision_cli.imaging.similarity import perceptual_hash, sha256

_STEP = "comparing photos"
_READ_PX = (64, 64)
_MAX_BYTES = 1 << 29
_SHOWN = 10
# The number changes with what is hashed, so that an old file is never believed.
_CACHE_NAME = "fingerprints-1.parquet"
_COLUMNS = ["path", "size", "mtime_ns", "sha256", "looks"]

_Stamp = tuple[str, int, int]
_Print = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Fingerprints:
    """Of N photos.

    Attributes:
        sha256: of the bytes, hex, (N,).
        looks: uint64 (N,), perceptual hashes.
    """

    sha256: tuple[str, ...]
    looks: NDArray[np.uint64]


def fingerprints(dataset: Dataset, progress: Progress, cache: Path | None = None) -> Fingerprints:
    """Return the fingerprints of a data set's photos, in row order.

    Args:
        dataset: the photos.
        progress: hears how many were read.
        cache: folder whose file knows the photos of earlier calls by path, size and time of change.

    Raises:
        DataError: photos that cannot be decoded, all of them at once.
    """
    paths = dataset.paths()
    stamps = [_stamp(path) for path in paths]
    known = {} if cache is None else _load(cache / _CACHE_NAME)
    new = [row for row, stamp in enumerate(stamps) if stamp not in known]
    prints = _read([paths[row] for row in new], len(paths), progress)
    known.update({stamps[row]: item for row, item in zip(new, prints, strict=True)})
    if cache is not None and new:
        # A project on a read-only disk does without.
        with suppress(ResourceError):
            _save(cache / _CACHE_NAME, known)
    found = [known[stamp] for stamp in stamps]
    return Fingerprints(tuple(item[0] for item in found), np.array([item[1] for item in found], dtype=np.uint64))


def _stamp(path: Path) -> _Stamp:
    try:
        status = path.stat()
    except OSError as error:
        raise DataError(f"{path}: the photo cannot be read: {error.strerror}.", hint="Check the path.") from error
    return str(path), status.st_size, status.st_mtime_ns


def _read(paths: Sequence[Path], among: int, progress: Progress) -> list[_Print]:
    prints, refused = [], []
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        for done, item in enumerate(pool.map(_print, paths), start=1):
            if isinstance(item, DataError):
                refused.append(item.message)
            else:
                prints.append(item)
            progress.step(_STEP, done, len(paths))
    if refused:
        raise DataError(
            f"{len(refused)} of {among} photos cannot be decoded.",
            details=refused[:_SHOWN] + ([f"and {len(refused) - _SHOWN} more"] if len(refused) > _SHOWN else []),
            hint="Delete these photos, or move them out of the data.",
        )
    return prints


def _print(path: Path) -> _Print | DataError:
    try:
        data = files.read_limited(path, max_bytes=_MAX_BYTES, what="the photo")
        photo = read_photo(data, channels=1, at_least=_READ_PX, name=str(path))
    except DataError as error:
        return error
    return sha256(data), int(perceptual_hash(photo))


def _load(file: Path) -> dict[_Stamp, _Print]:
    """Return what an earlier call left; nothing when the file is missing or damaged."""
    with suppress(OSError, pa.ArrowException, KeyError):
        table = pq.read_table(file, columns=_COLUMNS)
        paths, sizes, times, digests, looks = (table[name].to_pylist() for name in _COLUMNS)
        stamps = zip(paths, sizes, times, strict=True)
        return dict(zip(stamps, zip(digests, looks, strict=True), strict=True))
    return {}


def _save(file: Path, known: dict[_Stamp, _Print]) -> None:
    rows = [(*stamp, *item) for stamp, item in known.items()]
    types = [pa.string(), pa.int64(), pa.int64(), pa.string(), pa.uint64()]
    columns = [pa.array(column, type=kind) for column, kind in zip(zip(*rows, strict=True), types, strict=True)]
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns, names=_COLUMNS), buffer)
    files.write_bytes(file, buffer.getvalue())
