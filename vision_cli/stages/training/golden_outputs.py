"""How far the raw outputs of a golden input are from what they were."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vision_cli.core.artefact import Card
from vision_cli.core.place_decode import PlaceDecode

Arrays = tuple[NDArray[Any], ...]
_ROWS_ALIKE = 0.98
"""Of a network that suppresses by itself: two boxes as good as equal may be dropped the other way round elsewhere."""


def difference(found: Arrays, kept: Arrays, card: Card, tolerance: float) -> tuple[float, float]:
    """Return the largest difference, and the largest as a share of the largest value of its output (at least 1).

    Rows of boxes are compared whatever their order. Infinity when the shapes differ.
    """
    if [each.shape for each in found] != [each.shape for each in kept]:
        return np.inf, np.inf
    if isinstance(card.decode, PlaceDecode) and card.decode.layout in ("boxes", "panoptic"):
        found, kept = _rows_aligned(found, kept, tolerance)
    pairs = [_of_one(*each) for each in zip(found, kept, strict=True)]
    absolute, relative = np.max(pairs, axis=0).tolist()
    return absolute, relative


def _of_one(found: NDArray[Any], kept: NDArray[Any]) -> tuple[float, float]:
    # NaN stays NaN, which is within no tolerance.
    largest = float(np.abs(found - kept).max(initial=0))
    return largest, largest / max(1.0, float(np.abs(kept).max(initial=0)))


def _rows_aligned(found: Arrays, kept: Arrays, tolerance: float) -> tuple[Arrays, Arrays]:
    """Return boxes and masks (the first two outputs) row by row, without empty ones; as they are if few are alike."""
    ours, theirs = (each[0][0][each[0][0][:, 5] >= 0] for each in (kept, found))
    if not len(ours) or len(theirs) < _ROWS_ALIKE * len(ours):
        return found, kept
    distances = np.abs(ours[:, None] - theirs[None]).max(axis=2)
    near = distances.min(axis=1) <= tolerance * max(1.0, float(np.abs(ours).max()))
    if near.mean() < _ROWS_ALIKE:
        return found, kept
    nearest = np.flatnonzero(found[0][0][:, 5] >= 0)[distances.argmin(axis=1)[near]]
    rows = np.flatnonzero(kept[0][0][:, 5] >= 0)[near]
    return (
        (*(each[:, nearest] for each in found[:2]), *found[2:]),
        (*(each[:, rows] for each in kept[:2]), *kept[2:]),
    )
