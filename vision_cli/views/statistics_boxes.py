"""Figures of boxes: sizes in pixels and as a share of the photo, and COCO's small, medium and large."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vision_cli.core.dataset import Dataset
from vision_cli.core.origin import Pixels
from vision_cli.views.pixels import convention

SMALL_PX, LARGE_PX = 32, 96
"""Sides of a square: below the first an object is small, from the second on large (https://cocodataset.org/#detection-eval)."""

# What is missing in w and h of a box that counts its last pixel.
_SHORT: dict[Pixels, float] = {"exclusive": 0.0, "inclusive-0": 1.0, "inclusive-1": 1.0}

Floats = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True, slots=True)
class Spread:
    """Where the values of a figure lie; all zero without any."""

    low: float = 0.0
    quarter: float = 0.0
    median: float = 0.0
    three_quarters: float = 0.0
    high: float = 0.0
    mean: float = 0.0


@dataclass(frozen=True, slots=True)
class Boxes:
    """Figures of the boxes.

    Attributes:
        count: of them.
        per_photo: boxes a photo, photos without any counted as 0.
        width_px, height_px: in pixels, whatever the source's convention.
        share: of the photo's area, 0 to 1; over boxes whose photo has a size.
        small, medium, large: by area, the source's where it says one, else the box's.
        without_area: boxes that end where they begin, by the source's numbers.
    """

    count: int
    per_photo: Spread
    width_px: Spread
    height_px: Spread
    share: Spread
    small: int
    medium: int
    large: int
    without_area: int


def spread(values: Floats) -> Spread:
    """Return where finite values lie; quartiles are interpolated."""
    values = values[np.isfinite(values)]
    if not len(values):
        return Spread()
    low, quarter, median, three_quarters, high = np.quantile(values, (0, 0.25, 0.5, 0.75, 1)).tolist()
    return Spread(low, quarter, median, three_quarters, high, float(values.mean()))


def boxes(dataset: Dataset, rows: Ints) -> Boxes | None:
    """Return the figures of the boxes, None without any.

    Args:
        dataset: photos and annotations.
        rows: int64 (A,), the photo's row of each annotation.
    """
    table = dataset.annotations
    if "w" not in table.column_names or table["w"].null_count == table.num_rows:
        return None
    short = _SHORT[convention(dataset)]
    width, height = _floats(table, "w"), _floats(table, "h")
    there = ~np.isnan(width)
    flat = int(((width <= 0) | (height <= 0)).sum())
    width, height, rows = width[there] + short, height[there] + short, rows[there]
    area = width * height
    said = _floats(table, "area")[there] if "area" in table.column_names else np.full(len(area), np.nan)
    judged = np.where(np.isnan(said), area, said)
    sides = [pc.fill_null(dataset.images[name], 0).to_numpy().astype(np.float64) for name in ("width", "height")]
    photo = (sides[0] * sides[1])[rows]
    small, large = judged < SMALL_PX**2, judged >= LARGE_PX**2
    return Boxes(
        len(width),
        spread(np.bincount(rows, minlength=len(dataset)).astype(np.float64)),
        spread(width),
        spread(height),
        spread(np.divide(area, photo, out=np.full(len(area), np.nan), where=photo > 0)),
        int(small.sum()),
        int((~small & ~large).sum()),
        int(large.sum()),
        flat,
    )


def _floats(table: pa.Table, name: str) -> Floats:
    """Return a column as float64, NaN where it is null."""
    return np.asarray(table[name].to_numpy(), dtype=np.float64)
