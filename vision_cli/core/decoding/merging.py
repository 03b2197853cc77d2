"""Objects and pixels to one panoptic picture: the rule of Panoptic FPN (Kirillov et al. 2019, section 4)."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from vision_cli.core import rle
from vision_cli.core.decoding.answers import PhotoObjects, PhotoPixels, PhotoSegments

MAX_COVERED = 0.5
"""An object of which better ones cover more than this share is dropped."""


def merge(
    objects: PhotoObjects, pixels: PhotoPixels, *, things: Collection[int], min_stuff_share: float
) -> PhotoSegments:
    """Paint objects best first, each where nothing is yet, then stuff into what is left.

    Pixels that are left with the class of a thing stay without a segment.

    Args:
        objects: those that count, best first, with masks.
        pixels: of the same photo.
        things: class ids that are objects.
        min_stuff_share: stuff on a smaller share of the photo is dropped.
    """
    ids = np.zeros(pixels.classes.shape, dtype=np.int32)
    kept = _paint_objects(ids, objects)
    stuff = _paint_stuff(ids, pixels.classes, things, min_stuff_share * ids.size)
    return PhotoSegments(
        ids,
        np.concatenate([objects.classes[kept], stuff]).astype(np.int64),
        np.concatenate([objects.scores[kept], np.ones(len(stuff))]),
        np.arange(len(kept) + len(stuff)) < len(kept),
    )


def _paint_objects(ids: NDArray[np.int32], objects: PhotoObjects) -> NDArray[np.int64]:
    """Return the rows of the objects that were painted."""
    kept: list[int] = []
    flat = ids.T.reshape(-1)  # a copy, down the columns as run lengths go
    for row, counts in enumerate(objects.masks or ()):
        where = _indices(counts)
        free = where[flat[where] == 0]
        if where.size and free.size and where.size - free.size <= MAX_COVERED * where.size:
            kept.append(row)
            flat[free] = len(kept)
    ids[:] = flat.reshape(ids.shape[::-1]).T
    return np.asarray(kept, dtype=np.int64)


def _indices(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    starts, ends = rle.spans(counts)
    lengths = ends - starts
    before = np.cumsum(lengths) - lengths
    return np.repeat(starts - before, lengths) + np.arange(int(lengths.sum()))


def _paint_stuff(
    ids: NDArray[np.int32], classes: NDArray[np.int16], things: Collection[int], min_area_px: float
) -> NDArray[np.int64]:
    """Return the classes of the stuff that was painted."""
    free = (ids == 0) & (classes >= 0)
    areas = np.bincount(classes[free].astype(np.int64))
    stuff = [each for each in np.flatnonzero(areas >= max(1.0, min_area_px)).tolist() if each not in set(things)]
    number = np.zeros(len(areas), dtype=np.int32)
    number[stuff] = int(ids.max(initial=0)) + 1 + np.arange(len(stuff))
    ids[free] = number[classes[free]]
    return np.asarray(stuff, dtype=np.int64)
