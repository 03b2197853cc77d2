"""Masks of objects as sums of prototypes over the whole input (Bolya et al. 2019, YOLACT, section 3.2)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vision_cli.core import rle
from vision_cli.core.decoding.masks import counts_of_part
from vision_cli.core.decoding.placing import Placement

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def counts_of_prototypes(
    coefficients: NDArray[Any], prototypes: NDArray[Any], boxes: Floats, placement: Placement
) -> tuple[Ints, ...]:
    """Return the run lengths of masks in a photo.

    Logits are interpolated bilinearly at the centre of each of the photo's pixels; a pixel whose centre is in the box
    and whose logit is above 0 belongs to the object.

    Args:
        coefficients: float32 (D, P).
        prototypes: float32 (P, h, w), over the whole input.
        boxes: float64 (D, 4), in pixels of the photo.
        placement: of the photo in the input.
    """
    cells = (prototypes.shape[2], prototypes.shape[1])
    x_places = _places(placement.columns(), placement.input_px[0], cells[0])
    y_places = _places(placement.rows(), placement.input_px[1], cells[1])
    found = []
    for weights, box in zip(coefficients, boxes, strict=True):
        left, right = _inside(box[0], box[2])
        top, bottom = _inside(box[1], box[3])
        if right <= left or bottom <= top:
            found.append(_nothing(placement))
            continue
        x_first, columns = _shares(x_places[left:right])
        y_first, rows = _shares(y_places[top:bottom])
        part = prototypes[:, y_first : y_first + rows.shape[1], x_first : x_first + columns.shape[1]]
        logits = np.tensordot(weights.astype(np.float32), part.astype(np.float32), axes=1)
        found.append(counts_of_part(rows @ logits @ columns.T > 0, (left, top), placement.photo_px))
    return tuple(found)


def _nothing(placement: Placement) -> Ints:
    return rle.of_spans(np.zeros(0, np.int64), np.zeros(0, np.int64), placement.photo_px[0] * placement.photo_px[1])


def _places(pixels: Floats, input_px: int, cells: int) -> Floats:
    """Return where between the cells' centres pixels of the input lie; the border cells go on outside."""
    return np.clip(pixels * (cells / input_px) - 0.5, 0, cells - 1)


def _inside(low: float, high: float) -> tuple[int, int]:
    """Return the first pixel whose centre is in a span, and the one after the last."""
    return int(np.ceil(low - 0.5)), int(np.ceil(high - 0.5))


def _shares(places: Floats) -> tuple[int, NDArray[np.float32]]:
    """Return the first cell that counts, and the shares of it and the following ones, float32 (pixels, cells)."""
    first, last = int(np.floor(places.min())), int(np.ceil(places.max()))
    distances = np.abs(places[:, None] - np.arange(first, last + 1))
    return first, np.maximum(0, 1 - distances).astype(np.float32)
