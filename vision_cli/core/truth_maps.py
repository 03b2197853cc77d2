"""What each pixel of a photo truly is, from the outlines of its objects: one map for training and for metrics.

Where outlines lie on one another the smaller object shows, so that a thing on a large one is not lost under it. Crowds
and difficult objects take part: what lies under them is not known.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vision_cli.core import rle
from vision_cli.core.detections import Bools, Ints, Truth
from vision_cli.core.errors import DataError
from vision_cli.core.place_targets import IGNORED
from vision_cli.core.tiling import Window


@dataclass(frozen=True, slots=True, eq=False)
class TrueSegments:
    """Objects and stuff that are in a photo; no pixel belongs to two.

    Attributes:
        ids: int32 (H, W): 1 + row of the segment; 0 is void, where nobody labelled.
        classes: int64 (S,), index into the class map; of stuff there is one segment a class.
        crowd: bool (S,): regions of many objects of the class.
    """

    ids: NDArray[np.int32]
    classes: Ints
    crowd: Bools


def rows_of(truth: Truth, photo: int) -> Ints:
    """Return the rows of a photo's objects; the truth is ordered by photo."""
    first, end = np.searchsorted(truth.photo, (photo, photo + 1))
    return np.arange(first, end)


def class_map(truth: Truth, photo: int, background: int = IGNORED, window: Window | None = None) -> NDArray[np.int16]:
    """Return the class of each pixel of a photo, int16 (H, W); IGNORED on crowds and difficult objects.

    Args:
        truth: ordered by photo, with masks.
        photo: its number.
        background: of pixels that no outline covers.
        window: part of the photo that is wanted; only its columns are painted. None is all of it.

    Raises:
        DataError: the truth has no masks.
    """
    rows, places = _painted(truth, photo, window)
    classes = np.where(truth.ignored[rows], IGNORED, truth.class_id[rows])
    return np.asarray(np.concatenate([[background], classes]).astype(np.int16)[places])


def segment_map(truth: Truth, photo: int, things: Bools) -> TrueSegments:
    """Return a photo's segments, as COCO's panoptic files have them; difficult objects are void.

    Args:
        truth: ordered by photo, with masks.
        photo: its number.
        things: bool (C,), which classes are objects; stuff of one class is one segment.

    Raises:
        DataError: the truth has no masks.
    """
    rows, places = _painted(truth, photo)
    there = np.bincount(places.ravel(), minlength=len(rows) + 1)[1:] > 0
    kept = np.flatnonzero(there & ~(truth.difficult[rows] & ~truth.crowd[rows]))
    classes, crowd = truth.class_id[rows[kept]], truth.crowd[rows[kept]]
    # Rows of stuff share a number below zero; each thing and each crowd has its own.
    own = np.where(things[classes] | crowd, np.arange(len(kept)), -1 - classes)
    _, first, segment = np.unique(own, return_index=True, return_inverse=True)
    table = np.zeros(len(rows) + 1, dtype=np.int32)
    table[1 + kept] = 1 + segment
    return TrueSegments(table[places], classes[first], crowd[first])


def _painted(truth: Truth, photo: int, window: Window | None = None) -> tuple[Ints, NDArray[np.int32]]:
    """Return rows in the order of painting, large ones first, and 1 + the place of each pixel's, int32 (H, W)."""
    if truth.masks is None:
        raise DataError("what each pixel is needs the outlines of objects, and there are only boxes.")
    width, height = truth.sizes[photo].tolist()
    rows = rows_of(truth, photo)
    rows = rows[np.argsort(-truth.areas[rows], kind="stable")]
    left, top, wide, high = window or (0, 0, width, height)
    first, end = left * height, (left + wide) * height
    flat = np.zeros(end - first, dtype=np.int32)  # Down the columns, as run lengths go.
    for place, row in enumerate(rows.tolist(), start=1):
        starts, ends = rle.spans(rle.runs(rle.from_text(truth.masks[row].as_py()), height, width))
        low, over = np.searchsorted(ends, first, side="right"), np.searchsorted(starts, end)
        begins, stops = np.maximum(starts[low:over] - first, 0), ends[low:over] - first
        for start, stop in zip(begins.tolist(), stops.tolist(), strict=True):
            flat[start:stop] = place
    return rows, np.ascontiguousarray(flat.reshape(wide, height).T[top : top + high])
