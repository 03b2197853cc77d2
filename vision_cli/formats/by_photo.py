"""Annotations in the order of their photos, and where each photo's begin."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from vision_cli.core.columns import from_numpy
from vision_cli.core.dataset import Dataset

Offsets = np.ndarray[Any, np.dtype[np.int64]]


def by_photo(dataset: Dataset) -> tuple[pa.Table, Offsets]:
    """Return the annotations sorted by the row of their photo, else in their own order, and int64 (N + 1,) offsets.

    Those of photo row i are the rows offsets[i] to offsets[i + 1]. The columns of boxes are there in any case.
    """
    rows = dataset.rows_of(dataset.annotations["image_id"])
    offsets = np.zeros(len(dataset) + 1, dtype=np.int64)
    np.cumsum(np.bincount(rows, minlength=len(dataset)), out=offsets[1:])
    table = dataset.annotations
    for name in (name for name in "xywh" if name not in table.column_names):
        table = table.append_column(name, pa.nulls(table.num_rows, pa.float64()))
    if rows.size and (np.diff(rows) < 0).any():
        return table.take(from_numpy(_order(rows))), offsets
    return table, offsets


def _order(rows: Offsets) -> Offsets:
    """Return the stable order of rows of photos; distinct keys with their place in them sort four times as fast."""
    keys = rows * len(rows) + np.arange(len(rows))
    keys.sort()
    return np.asarray(keys % len(rows))
