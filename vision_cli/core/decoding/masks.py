"""Masks of objects: from the probabilities inside of a box to run lengths of the photo."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vision_cli.core import rle

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
THRESHOLD = 0.5


def paste(mask: NDArray[Any], box: Floats, size_px: tuple[int, int]) -> tuple[NDArray[np.bool_], tuple[int, int]]:
    """Return a mask in pixels of the photo, cut to its box, and where its left upper pixel is (x, y).

    Each pixel of the photo is interpolated at its centre between the cells of the mask, with zeros around them, as
    torchvision pastes masks but without rounding the box (as Detectron2's `paste_masks_in_image`).

    Args:
        mask: float32 (M, M), probabilities.
        box: float64 (4,): left, top, right, bottom in pixels of the photo; it may reach over the photo.
        size_px: (width, height) of the photo.
    """
    left, columns = _samples(box[0], box[2], size_px[0], mask.shape[1])
    top, rows = _samples(box[1], box[3], size_px[1], mask.shape[0])
    return rows @ mask.astype(np.float32) @ columns.T >= THRESHOLD, (left, top)


def _samples(low: float, high: float, size: int, cells: int) -> tuple[int, NDArray[np.float32]]:
    """Return the first pixel of a side, and the shares of each cell in each pixel, float32 (pixels, cells)."""
    first, last = max(0, int(np.floor(low))), min(size, int(np.ceil(high)))
    if last <= first or not high > low:
        return first, np.zeros((0, cells), dtype=np.float32)
    places = (np.arange(first, last) + 0.5 - low) * (cells / (high - low)) - 0.5
    distances = np.abs(places[:, None] - np.arange(cells))
    return first, np.maximum(0, 1 - distances).astype(np.float32)


def counts_of_part(part: NDArray[np.bool_], corner: tuple[int, int], size_px: tuple[int, int]) -> Ints:
    """Return the run lengths of a mask that is empty but for a part.

    Args:
        part: bool (h, w).
        corner: (x, y) of the part in the photo.
        size_px: (width, height) of the photo.
    """
    padded = np.zeros((part.shape[1], part.shape[0] + 2), dtype=np.int8)
    padded[:, 1:-1] = part.T
    steps = np.diff(padded, axis=1)
    offset, pixels = corner[0] * size_px[1] + corner[1], size_px[0] * size_px[1]
    starts, ends = (
        offset + column * size_px[1] + row for column, row in (np.nonzero(steps == 1), np.nonzero(steps == -1))
    )
    if not starts.size:
        return np.array([pixels], dtype=np.int64)
    # Columns of full height touch each other.
    apart = starts[1:] != ends[:-1]
    return rle.of_spans(starts[np.append(True, apart)], ends[np.append(apart, True)], pixels)


def counts_of_masks(masks: NDArray[Any], boxes: Floats, size_px: tuple[int, int]) -> tuple[Ints, ...]:
    """Return the run lengths of masks (D, M, M) in boxes float64 (D, 4) of a photo of (width, height)."""
    pasted = (paste(mask, box, size_px) for mask, box in zip(masks, boxes, strict=True))
    return tuple(counts_of_part(part, corner, size_px) for part, corner in pasted)
