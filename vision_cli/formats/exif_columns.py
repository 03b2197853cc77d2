"""When, with what and where photos were taken, from the photos themselves, as columns of `images`."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError
from vision_cli.formats import iso_times
from vision_cli.formats.metadata import merged
from vision_cli.imaging.exif_facts import Facts, read_facts

COLUMNS = pa.schema(
    [
        ("captured_at", pa.timestamp("us")),
        (f"captured_at{iso_times.OFFSET}", pa.int16()),
        ("camera", pa.string()),
        ("latitude", pa.float64()),
        ("longitude", pa.float64()),
    ]
)
_FIELDS = ("captured_at", "utc_offset_min", "camera", "latitude", "longitude")
_THREADS, _BATCH = 8, 64


def attach(dataset: Dataset) -> Dataset:
    """Return a data set with COLUMNS filled in from EXIF, where nothing else says them; a note counts.

    Photos that are away or cannot be read say nothing.
    """
    found = _facts(dataset.paths())
    readable = [fact for fact in found if fact is not None]
    images = dataset.images
    for field, column in zip(_FIELDS, COLUMNS, strict=True):
        values = [None if fact is None else getattr(fact, field) for fact in found]
        if any(value is not None for value in values):
            images, _ = merged(images, column.name, pa.array(values, column.type), keep=True)
    timed, placed = sum(fact.captured_at is not None for fact in readable), _placed(readable)
    note = f"EXIF: {timed} of {len(found)} photos say when, {placed} where they were taken"
    unread = len(found) - len(readable)
    note += f"; {unread} are away or cannot be read." if unread else "."
    return replace(dataset, images=images, notes=(*dataset.notes, note))


def _placed(facts: Sequence[Facts]) -> int:
    return sum(fact.latitude is not None for fact in facts)


def _facts(paths: Sequence[Path]) -> list[Facts | None]:
    batches = [paths[start : start + _BATCH] for start in range(0, len(paths), _BATCH)]
    with ThreadPoolExecutor(_THREADS) as pool:
        return [fact for batch in pool.map(_batch, batches) for fact in batch]


def _batch(paths: Sequence[Path]) -> list[Facts | None]:
    return [_fact(path) for path in paths]


def _fact(path: Path) -> Facts | None:
    try:
        return read_facts(path)
    except DataError:
        return None
