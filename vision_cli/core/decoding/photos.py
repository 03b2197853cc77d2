"""A batch's raw outputs to the answer about each photo."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vision_cli.core.decoding.answers import PhotoObjects, PhotoPixels, PhotoSegments, PlaceAnswer
from vision_cli.core.decoding.candidates import best_boxes
from vision_cli.core.decoding.masks import counts_of_masks
from vision_cli.core.decoding.merging import merge
from vision_cli.core.decoding.pixels import classes_of_photo
from vision_cli.core.decoding.placing import Placement, clipped, place
from vision_cli.core.decoding.prototypes import counts_of_prototypes
from vision_cli.core.decoding.tiles import merged_objects, stitched_pixels, without_small
from vision_cli.core.errors import DataError
from vision_cli.core.place_decode import PlaceDecode
from vision_cli.core.preprocess import Preprocess
from vision_cli.core.tiling import Window, seen_whole_px, windows

Raw = tuple[NDArray[Any], ...]
Size = tuple[int, int]


def decode_batch(
    raw: Raw, decode: PlaceDecode, preprocess: Preprocess, photo_sizes: Sequence[Size]
) -> list[PlaceAnswer]:
    """Return the answer about each photo of a batch: objects, pixels or segments, in pixels of the photo.

    Objects are all that survive `score_floor` and suppression, so that metrics see the whole curve;
    `PhotoObjects.above` keeps those that count. Segments are made of those that count.

    Args:
        raw: as the network gave them; `shapes.faults` tells whether they fit. With tiles, one row a view of each
            photo, as `views` has them.
        decode: the parameters.
        preprocess: what happened to the photos.
        photo_sizes: (width, height) of each photo, upright, before that.

    Raises:
        DataError: the batch has not as many photos.
    """
    seen = [views(size, preprocess) for size in photo_sizes]
    total = sum(map(len, seen))
    if any(len(each) != total for each in raw):
        raise DataError(f"raw outputs of {len(raw[0])} inputs cannot be decoded for {total}.")
    found, first = [], 0
    for size, parts in zip(photo_sizes, seen, strict=True):
        rows = tuple(each[first : first + len(parts)] for each in raw)
        found.append(_decode_photo(rows, decode, preprocess, (parts, size)))
        first += len(parts)
    return found


def views(photo_px: Size, preprocess: Preprocess) -> list[Window]:
    """Return the parts of a photo of (width, height) that a network sees, each an input of its own."""
    return [(0, 0, *photo_px)] if preprocess.tiles is None else windows(photo_px, preprocess.tiles)


def _decode_photo(
    raw: Raw, decode: PlaceDecode, preprocess: Preprocess, seen: tuple[list[Window], Size]
) -> PlaceAnswer:
    parts = seen[0]
    placements = [place(part[2:], preprocess) for part in parts]
    rows = [tuple(each[row] for each in raw) for row in range(len(parts))]
    if len(parts) == 1:
        return _decode_one(rows[0], decode, placements[0])
    if decode.layout == "pixels":
        return stitched_pixels([pixels_of(row[0], each) for row, each in zip(rows, placements, strict=True)], *seen)
    found = [objects_of(row[:2], decode, each) for row, each in zip(rows, placements, strict=True)]
    if preprocess.tiles is not None and preprocess.tiles.whole:
        found[-1] = without_small(found[-1], seen_whole_px(seen[1], preprocess.tiles))
    objects = merged_objects(found, *seen, decode)
    if decode.layout != "panoptic":
        return objects
    pixels = stitched_pixels([pixels_of(row[2], each) for row, each in zip(rows, placements, strict=True)], *seen)
    counted = objects.above(decode.confidence)
    return merge(counted, pixels, things=decode.things, min_stuff_share=decode.min_stuff_share)


def _decode_one(raw: Raw, decode: PlaceDecode, placement: Placement) -> PlaceAnswer:
    match decode.layout:
        case "pixels":
            return pixels_of(raw[0], placement)
        case "panoptic":
            return segments_of(raw, decode, placement)
        case _:
            return objects_of(raw, decode, placement)


def objects_of(raw: Raw, decode: PlaceDecode, placement: Placement) -> PhotoObjects:
    """Return the objects of one photo from its box rows, and from its masks if there are some."""
    prototypes = raw[1] if decode.layout == "scored" and len(raw) > 1 else None
    rows = raw[0] if prototypes is None else raw[0][:, : -len(prototypes)]
    found = best_boxes(rows, decode, placement.input_px)
    whole = placement.to_photo(found.xyxy)
    seen = placement.to_photo(clipped(found.xyxy, placement.input_px))
    boxes = clipped(seen, placement.photo_px)
    kept = np.flatnonzero((boxes[:, 2:] > boxes[:, :2]).all(axis=1))
    if prototypes is not None:
        coefficients = raw[0][found.rows[kept], -len(prototypes) :]
        masks: tuple[NDArray[np.int64], ...] | None = counts_of_prototypes(
            coefficients, prototypes, boxes[kept], placement
        )
    else:
        masks = counts_of_masks(raw[1][found.rows[kept]], whole[kept], placement.photo_px) if len(raw) > 1 else None
    return PhotoObjects(placement.photo_px, boxes[kept], found.scores[kept], found.classes[kept], masks)


def pixels_of(logits: NDArray[Any], placement: Placement) -> PhotoPixels:
    """Return the class of each pixel of one photo from logits (C, h, w)."""
    return PhotoPixels(classes_of_photo(logits, placement))


def segments_of(raw: Raw, decode: PlaceDecode, placement: Placement) -> PhotoSegments:
    """Return objects and stuff of one photo from its boxes, masks and logits."""
    objects = objects_of(raw[:2], decode, placement).above(decode.confidence)
    pixels = pixels_of(raw[2], placement)
    return merge(objects, pixels, things=decode.things, min_stuff_share=decode.min_stuff_share)
