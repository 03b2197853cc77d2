"""Anchors and points of a dense detector, and the boxes that its outputs make of them, in pixels of the input."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vision_cli.core.place_decode import Level

Floats = NDArray[np.float64]
MAX_LOG_SCALE = math.log(1000.0 / 16)
"""Largest exponent of a box's growth over its anchor, as torchvision's BoxCoder clamps it."""
_KEPT_GRIDS = 8


def grid(level: Level, size_px: tuple[int, int]) -> tuple[int, int]:
    """Return (columns, rows) of a level's cells: the size over the stride, rounded up, as padded convolutions give."""
    return -(-size_px[0] // level.stride_px), -(-size_px[1] // level.stride_px)


def n_places(levels: tuple[Level, ...], size_px: tuple[int, int]) -> int:
    """Return how many anchors or points there are over all levels."""
    return sum(math.prod(grid(level, size_px)) * max(1, len(level.anchors)) for level in levels)


@lru_cache(maxsize=_KEPT_GRIDS)
def points(levels: tuple[Level, ...], size_px: tuple[int, int]) -> Floats:
    """Return the centres of all cells and their stride, float64 (A, 3); levels, then rows, then columns."""
    return _locked(np.concatenate([_centres(level, size_px) for level in levels]))


@lru_cache(maxsize=_KEPT_GRIDS)
def anchors(levels: tuple[Level, ...], size_px: tuple[int, int]) -> Floats:
    """Return all anchors as centre x, centre y, width, height, float64 (A, 4); levels, rows, columns, anchors."""
    return _locked(np.concatenate([_anchors_of(level, size_px) for level in levels]))


def _anchors_of(level: Level, size_px: tuple[int, int]) -> Floats:
    centres = _centres(level, size_px)[:, :2]
    sizes = np.asarray(level.anchors, dtype=np.float64).reshape(-1, 2)
    return np.concatenate([np.repeat(centres, len(sizes), axis=0), np.tile(sizes, (len(centres), 1))], axis=1)


def _centres(level: Level, size_px: tuple[int, int]) -> Floats:
    columns, rows = grid(level, size_px)
    y, x = np.meshgrid(np.arange(rows) + level.offset, np.arange(columns) + level.offset, indexing="ij")
    stride = np.full(x.size, float(level.stride_px))
    return np.stack([x.ravel() * stride, y.ravel() * stride, stride], axis=1)


def _locked(values: Floats) -> Floats:
    # They are kept and shared between calls.
    values.flags.writeable = False
    return values


def boxes_of_offsets(offsets: NDArray[Any], centred: Floats, weights: tuple[float, float, float, float]) -> Floats:
    """Return left, top, right, bottom of offsets (dx, dy, dw, dh) to anchors, float64 (N, 4).

    Girshick et al. 2014, appendix C; weights and clamp are torchvision's BoxCoder.

    Args:
        offsets: (N, 4).
        centred: float64 (N, 4), the anchors' centre x, centre y, width, height.
        weights: see `PlaceDecode.box_weights`.
    """
    shares = np.asarray(offsets, dtype=np.float64) / np.asarray(weights)
    centres = shares[:, :2] * centred[:, 2:] + centred[:, :2]
    halves = np.exp(np.minimum(shares[:, 2:], MAX_LOG_SCALE)) * centred[:, 2:] / 2
    return np.concatenate([centres - halves, centres + halves], axis=1)


def offsets_of_boxes(boxes: NDArray[Any], centred: Floats, weights: tuple[float, float, float, float]) -> Floats:
    """Return the offsets that `boxes_of_offsets` turns into these boxes (N, 4)."""
    boxes = np.asarray(boxes, dtype=np.float64)
    sizes = boxes[:, 2:] - boxes[:, :2]
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    shares = [(centres - centred[:, :2]) / centred[:, 2:], np.log(sizes / centred[:, 2:])]
    return np.asarray(np.concatenate(shares, axis=1) * np.asarray(weights), dtype=np.float64)


def boxes_of_distances(distances: NDArray[Any], centres: Floats) -> Floats:
    """Return left, top, right, bottom of distances to the sides, in strides (Tian et al. 2019, FCOS), float64 (N, 4).

    Args:
        distances: (N, 4): left, top, right, bottom.
        centres: float64 (N, 3): x, y, stride.
    """
    reach = np.asarray(distances, dtype=np.float64) * centres[:, 2:]
    return np.concatenate([centres[:, :2] - reach[:, :2], centres[:, :2] + reach[:, 2:]], axis=1)
