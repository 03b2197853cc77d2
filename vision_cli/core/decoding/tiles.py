"""What was found in the tiles of a photo, as one answer about the photo."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vision_cli.core import rle
from vision_cli.core.decoding.answers import PhotoObjects, PhotoPixels
from vision_cli.core.decoding.masks import counts_of_part
from vision_cli.core.place_decode import PlaceDecode
from vision_cli.core.place_targets import IGNORED
from vision_cli.core.tiling import Window

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
BORDER_SHARE = 0.01
"""A box that comes this near to a tile's inner border, as a share of the tile's side, is taken for cut by it."""
FRAGMENT = 0.5
"""A cut box of which more than this share lies in a box of another tile is a part of that object."""


def merged_objects(
    parts: Sequence[PhotoObjects], windows: Sequence[Window], photo_px: tuple[int, int], decode: PlaceDecode
) -> PhotoObjects:
    """Return the objects of all tiles in pixels of the photo, each once, best first.

    Class by class and best first, a box goes if it overlaps a kept one by more than `nms_iou`, or if a tile's border
    cut it and more than FRAGMENT of it lies in a kept one of another tile. Boxes that were cut come as late as if
    their score were half, so that what one tile sees in whole wins over what its neighbour sees in part.

    Args:
        parts: of each tile, in its own pixels.
        windows: of each tile.
        photo_px: (width, height).
        decode: gives `nms_iou`; `max_detections` counts in each tile.
    """
    joined = _joined(parts, windows, photo_px)
    kept = _kept(joined, decode.nms_iou)
    kept = kept[np.argsort(-joined.scores[kept], kind="stable")]
    masks = None
    if all(part.masks is not None for part in parts):
        masks = tuple(_moved(parts, windows, joined.tile[row], joined.row[row], photo_px) for row in kept.tolist())
    return PhotoObjects(photo_px, joined.boxes[kept], joined.scores[kept], joined.classes[kept], masks)


def without_small(whole: PhotoObjects, limit_px: tuple[float, float]) -> PhotoObjects:
    """Return what was found in the whole photo without what a tile shows in whole, and sharper."""
    sides = whole.boxes[:, 2:] - whole.boxes[:, :2]
    return whole.select(np.asarray((sides > np.asarray(limit_px)).any(axis=1)))


def stitched_pixels(parts: Sequence[PhotoPixels], windows: Sequence[Window], photo_px: tuple[int, int]) -> PhotoPixels:
    """Return the classes of a photo's pixels: of an overlap each tile gives the half on its own side.

    The whole photo is not asked where there are tiles.
    """
    found = np.full(photo_px[::-1], IGNORED, dtype=np.int16)
    tiles = [row for row, window in enumerate(windows) if len(windows) == 1 or window[2:] != photo_px]
    columns = _owned([(windows[row][0], windows[row][2]) for row in tiles], photo_px[0])
    rows = _owned([(windows[row][1], windows[row][3]) for row in tiles], photo_px[1])
    for row in tiles:
        left, top, width, height = windows[row]
        (x, right), (y, bottom) = columns[left, width], rows[top, height]
        found[y:bottom, x:right] = parts[row].classes[y - top : bottom - top, x - left : right - left]
    return PhotoPixels(found)


@dataclass(frozen=True, slots=True)
class _Joined:
    """Objects of all tiles, in pixels of the photo.

    Attributes:
        boxes: float64 (D, 4).
        scores: float64 (D,).
        classes: int64 (D,).
        cut: bool (D,): a border inside of the photo cut it.
        tile: int64 (D,).
        row: int64 (D,), in its tile.
    """

    boxes: Floats
    scores: Floats
    classes: Ints
    cut: NDArray[np.bool_]
    tile: Ints
    row: Ints


def _joined(parts: Sequence[PhotoObjects], windows: Sequence[Window], photo_px: tuple[int, int]) -> _Joined:
    corners = [np.array([left, top, left, top], dtype=np.float64) for left, top, _, _ in windows]
    counts = [len(part) for part in parts]
    return _Joined(
        np.concatenate([part.boxes + corner for part, corner in zip(parts, corners, strict=True)]),
        np.concatenate([part.scores for part in parts]),
        np.concatenate([part.classes for part in parts]),
        np.concatenate([_cut(part.boxes, window, photo_px) for part, window in zip(parts, windows, strict=True)]),
        np.repeat(np.arange(len(parts)), counts),
        np.concatenate([np.arange(count) for count in counts]),
    )


def _cut(boxes: Floats, window: Window, photo_px: tuple[int, int]) -> NDArray[np.bool_]:
    left, top, width, height = window
    inner = np.array([left > 0, top > 0, left + width < photo_px[0], top + height < photo_px[1]])
    gaps = np.stack([boxes[:, 0], boxes[:, 1], width - boxes[:, 2], height - boxes[:, 3]], axis=1)
    near = gaps <= np.maximum(1.0, BORDER_SHARE * np.array([width, height, width, height]))
    return np.asarray((near & inner).any(axis=1))


def _kept(found: _Joined, iou: float) -> Ints:
    waiting = np.argsort(-np.where(found.cut, found.scores / 2, found.scores), kind="stable")
    areas = (found.boxes[:, 2:] - found.boxes[:, :2]).prod(axis=1)
    kept: list[int] = []
    while waiting.size:
        best, rest = int(waiting[0]), waiting[1:]
        kept.append(best)
        sides = np.minimum(found.boxes[best, 2:], found.boxes[rest, 2:]) - np.maximum(
            found.boxes[best, :2], found.boxes[rest, :2]
        )
        common = np.maximum(sides, 0).prod(axis=1)
        same = found.classes[rest] == found.classes[best]
        fragment = found.cut[rest] & (found.tile[rest] != found.tile[best]) & (common > FRAGMENT * areas[rest])
        waiting = rest[~(same & ((common > iou * (areas[rest] + areas[best] - common)) | fragment))]
    return np.asarray(kept, dtype=np.int64)


def _moved(
    parts: Sequence[PhotoObjects], windows: Sequence[Window], tile: int, row: int, photo_px: tuple[int, int]
) -> Ints:
    """Return the run lengths of a tile's mask in the photo."""
    left, top, width, height = windows[tile]
    mask = rle.decode((parts[tile].masks or ())[row], height, width)
    return counts_of_part(mask, (left, top), photo_px)


def _owned(spans: Sequence[tuple[int, int]], side: int) -> dict[tuple[int, int], tuple[int, int]]:
    """Return of each span, as first pixel and length, which pixels are its own: first and behind the last."""
    order = sorted(set(spans))
    middles = [(one[0] + one[1] + other[0]) // 2 for one, other in itertools.pairwise(order)]
    return dict(zip(order, zip([0, *middles], [*middles, side], strict=True), strict=True))
