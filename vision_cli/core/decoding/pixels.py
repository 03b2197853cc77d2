"""From logits of any stride to the class of each pixel of the photo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vision_cli.core.decoding.placing import Placement
from vision_cli.core.place_targets import IGNORED

Ints = NDArray[np.int64]
_CHUNK_PX = 200_000


@dataclass(frozen=True, slots=True)
class _Axis:
    """Where the photo's columns (or rows) lie between the cells of the logits.

    Attributes:
        low: int64 (P,), cell before.
        high: int64 (P,), cell after, the same at the border.
        share: float32 (P,), of the cell after.
        seen: bool (P,), inside of the input.
    """

    low: Ints
    high: Ints
    share: NDArray[np.float32]
    seen: NDArray[np.bool_]


def classes_of_photo(logits: NDArray[Any], placement: Placement) -> NDArray[np.int16]:
    """Return the class with the largest logit of each pixel, int16 (H, W); IGNORED outside of the input.

    Bilinear at the centres of the photo's pixels, as torch's `interpolate` without `align_corners`. Where the four
    cells around a pixel agree on their largest class, so does each mean of them: only the others are computed.

    Args:
        logits: float32 (C, h, w) that cover the input.
        placement: of the photo in the input.
    """
    height, width = logits.shape[1:]
    columns = _axis(placement.columns(), placement.input_px[0], width)
    rows = _axis(placement.rows(), placement.input_px[1], height)
    cells = logits.argmax(axis=0).astype(np.int16)
    found: NDArray[np.int16] = cells[np.ix_(rows.low, columns.low)]
    y, x = np.nonzero(_mixed(cells)[np.ix_(rows.low, columns.low)])
    by_cell = np.ascontiguousarray(logits.transpose(1, 2, 0), dtype=np.float32)
    for start in range(0, len(y), _CHUNK_PX):
        part = slice(start, start + _CHUNK_PX)
        found[y[part], x[part]] = _interpolated(by_cell, rows, columns, y[part], x[part]).argmax(axis=1)
    found[~rows.seen] = IGNORED
    found[:, ~columns.seen] = IGNORED
    return found


def values_of_photo(values: NDArray[np.float32], placement: Placement) -> NDArray[np.float32]:
    """Return the value at each pixel of the photo, float32 (H, W), bilinear; NaN outside of the input.

    Args:
        values: float32 (h, w) that cover the input.
        placement: of the photo in the input.
    """
    height, width = values.shape
    columns = _axis(placement.columns(), placement.input_px[0], width)
    rows = _axis(placement.rows(), placement.input_px[1], height)
    wide = values[:, columns.low] * (1 - columns.share) + values[:, columns.high] * columns.share
    down = rows.share[:, None]
    found = (wide[rows.low] * (1 - down) + wide[rows.high] * down).astype(np.float32)
    found[~rows.seen] = np.nan
    found[:, ~columns.seen] = np.nan
    return found


def _axis(centres: NDArray[np.float64], extent: int, cells: int) -> _Axis:
    places = np.clip(centres * (cells / extent) - 0.5, 0, cells - 1)
    low = np.floor(places).astype(np.int64)
    seen = (centres >= 0) & (centres <= extent)
    return _Axis(low, np.minimum(low + 1, cells - 1), (places - low).astype(np.float32), seen)


def _mixed(cells: NDArray[np.int16]) -> NDArray[np.bool_]:
    """Return whether a cell differs from the one to its right, the one below or the one across, bool (h, w)."""
    padded = np.pad(cells, ((0, 1), (0, 1)), mode="edge")
    right, below, across = padded[:-1, 1:], padded[1:, :-1], padded[1:, 1:]
    return np.asarray((cells != right) | (cells != below) | (cells != across))


def _interpolated(by_cell: NDArray[np.float32], rows: _Axis, columns: _Axis, y: Ints, x: Ints) -> NDArray[np.float32]:
    """Return the logits of chosen pixels, float32 (pixels, C)."""
    right, down = columns.share[x][:, None], rows.share[y][:, None]
    upper = by_cell[rows.low[y], columns.low[x]] * (1 - right) + by_cell[rows.low[y], columns.high[x]] * right
    lower = by_cell[rows.high[y], columns.low[x]] * (1 - right) + by_cell[rows.high[y], columns.high[x]] * right
    return np.asarray(upper * (1 - down) + lower * down, dtype=np.float32)
