"""Records of photos from earlier calls, known by path, size and time of change."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from vision_cli.checks.photo_facts import COLUMNS, PhotoFacts, PhotoRecord, Step, read_all
from vision_cli.core import files
from vision_cli.core.errors import ResourceError

# The number changes with what is measured, so that an old file is never believed.
_NAME = "photo-facts-1.parquet"
_TYPES = {
    **dict.fromkeys(("state", "size", "width", "height", "orientation"), pa.int64()),
    **dict.fromkeys(("reason", "format", "sha256"), pa.string()),
    **dict.fromkeys(("blur", "luma_p5", "luma_p99", "clipped", "spread"), pa.float64()),
    "looks": pa.uint64(),
    "small": pa.binary(),
}
_KEYS = ("path", "file_size", "mtime_ns")

Stamp = tuple[str, int, int]


def unknown(paths: Sequence[Path], folder: Path) -> int:
    """Return how many photos no earlier call left a record of."""
    known = _load(folder / _NAME)
    return sum(stamp is None or stamp not in known for stamp in map(_stamp, paths))


def facts(paths: Sequence[Path], step: Step, folder: Path | None = None, *, remember: bool = True) -> PhotoFacts:
    """Return the records of photos, in order.

    Args:
        paths: of photos.
        step: hears how many of those that must be read are done.
        folder: keeps what was read for the next call; None keeps nothing.
        remember: write to the folder; else it is only read.
    """
    if folder is None:
        return PhotoFacts(list(read_all(paths, step)))
    stamps = list(map(_stamp, paths))
    known = _load(folder / _NAME)
    new = [row for row, stamp in enumerate(stamps) if stamp is None or stamp not in known]
    fresh = dict(zip(new, read_all([paths[row] for row in new], step), strict=True))
    records = [fresh[row] if row in fresh else known[stamp] for row, stamp in enumerate(map(_known, stamps))]
    known.update({stamp: fresh[row] for row in new if (stamp := stamps[row]) is not None})
    if new and remember:
        # A project on a read-only disk does without.
        with suppress(ResourceError):
            _save(folder / _NAME, known)
    return PhotoFacts(records)


def _known(stamp: Stamp | None) -> Stamp:
    return stamp or ("", 0, 0)


def _stamp(path: Path) -> Stamp | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return str(path), status.st_size, status.st_mtime_ns


def _load(file: Path) -> dict[Stamp, PhotoRecord]:
    """Return what an earlier call left; nothing when the file is missing or damaged."""
    with suppress(OSError, pa.ArrowException, KeyError):
        table = pq.read_table(file, columns=[*_KEYS, *COLUMNS])
        keys = zip(*(table[name].to_pylist() for name in _KEYS), strict=True)
        rows = zip(*(table[name].to_pylist() for name in COLUMNS), strict=True)
        return {key: PhotoRecord(*row) for key, row in zip(keys, rows, strict=True)}
    return {}


def _save(file: Path, known: dict[Stamp, PhotoRecord]) -> None:
    stamps = list(zip(*known, strict=True)) if known else [(), (), ()]
    columns = [
        pa.array(column, type=kind) for column, kind in zip(stamps, (pa.string(), pa.int64(), pa.int64()), strict=True)
    ]
    columns += [pa.array([getattr(each, name) for each in known.values()], type=_TYPES[name]) for name in COLUMNS]
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns, names=[*_KEYS, *COLUMNS]), buffer)
    files.write_bytes(file, buffer.getvalue())
