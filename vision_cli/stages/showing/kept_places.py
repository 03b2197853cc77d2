"""What an evaluation kept of a detector's or segmenter's answers, for a page."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from vision_cli.core.dataset import Dataset
from vision_cli.core.detections import Bools, Floats, Ints
from vision_cli.core.errors import DataError
from vision_cli.reports.browse_labels import Layer
from vision_cli.stages.place_truth import BACKGROUND


def is_kept(path: Path) -> bool:
    """Return whether a file of predictions holds lists a photo, as those of places do."""
    try:
        kind = pq.read_schema(path).field("predicted").type
    except (pa.ArrowException, OSError, KeyError):
        return False
    return bool(pa.types.is_list(kind))


def read(dataset: Dataset, path: Path, least: float) -> tuple[Layer, tuple[str, ...], Bools, tuple[str, ...]]:
    """Return the layer, the classes that its ids index, bool (N,) which photos it is about, and notes.

    Of pixels the classes that a photo is said to show are its labels; how large a class is was not kept.

    Args:
        dataset: photos are known by their path.
        path: a file of predictions.
        least: objects below this score are left out.

    Raises:
        DataError: the file is broken, or none of its photos is of the data set.
    """
    said = _read(dataset, path)
    numbers = {name: at for at, name in enumerate(dataset.classes.names)}
    sure = np.ones(len(said.rows), dtype=np.bool_) if said.boxes is None else said.scores >= least
    keep = (said.rows >= 0) & sure & _told(said, numbers)
    names = [name for name, kept in zip(said.names, keep.tolist(), strict=True) if kept]
    ids = np.array([numbers.setdefault(name, len(numbers)) for name in names], dtype=np.int64)
    left = {"of other photos": int((said.photos < 0).sum()), f"below a score of {least:g}": int((~sure).sum())}
    notes = tuple(f"Predictions {what}, left out: {count:,}." for what, count in left.items() if count)
    boxes = None if said.boxes is None else said.boxes[keep]
    layer = Layer(said.rows[keep], ids, boxes=boxes, scores=said.scores[keep])
    return layer, tuple(numbers), np.isin(np.arange(len(dataset)), said.photos), notes


@dataclass(frozen=True, slots=True, eq=False)
class _Kept:
    """A file of predictions.

    Attributes:
        photos: int64 (P,), row of each photo that it is about; -1 of those that are not of the data set.
        rows: int64 (A,), row of the photo of each object, or of each class that a photo shows.
        names: of their classes.
        boxes: float64 (A, 4): x, y, width, height in pixels, edges counted; None of pixels.
        scores: float64 (A,); NaN of pixels.
    """

    photos: Ints
    rows: Ints
    names: list[str]
    boxes: Floats | None
    scores: Floats


def _told(said: _Kept, numbers: Mapping[str, int]) -> Bools:
    """Return all but the class of pixels without a label, which no label can confirm."""
    if said.boxes is not None or BACKGROUND in numbers:
        return np.ones(len(said.rows), dtype=np.bool_)
    return np.array([name != BACKGROUND for name in said.names], dtype=np.bool_)


def _read(dataset: Dataset, path: Path) -> _Kept:
    try:
        table = pq.read_table(path)
        names, boxes, scores = _objects(table)
        photos = _photos(dataset, table["path"].to_pylist())
        counts = [len(each) for each in table["predicted"].to_pylist()]
    except (pa.ArrowException, OSError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path}: is no file of predictions: {error}.", hint="Evaluate again.") from error
    if not (photos >= 0).any():
        raise DataError(f"{path}: none of its {len(table):,} photos is of these.", hint="Is it the right run?")
    return _Kept(photos, np.repeat(photos, np.array(counts, dtype=np.int64)), names, boxes, scores)


def _objects(table: pa.Table) -> tuple[list[str], Floats | None, Floats]:
    """Return classes, boxes float64 (A, 4) or None of pixels, and scores, NaN where nobody said how sure."""
    said = [name for each in table["predicted"].to_pylist() for name in each]
    if "boxes" not in table.column_names:
        return said, None, np.full(len(said), np.nan)
    boxes = np.array([box for each in table["boxes"].to_pylist() for box in each], dtype=np.float64).reshape(-1, 4)
    scores = np.array([score for each in table["confidence"].to_pylist() for score in each], dtype=np.float64)
    if not len(said) == len(boxes) == len(scores):
        raise ValueError("a photo has not as many classes as boxes")
    return said, boxes, scores


def _photos(dataset: Dataset, paths: Sequence[str]) -> Ints:
    """Return the row of each photo, -1 of those that are not of the data set."""
    known = {os.path.realpath(path): row for row, path in enumerate(dataset.paths())}
    return np.array([known.get(os.path.realpath(path), -1) for path in paths], dtype=np.int64)
