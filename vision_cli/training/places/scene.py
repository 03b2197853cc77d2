"""A photo with what is in it, at one size: what augmentation changes, and what a batch is made of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vision_cli.core.place_targets import IGNORED

LEAST_VISIBLE = 0.25
"""Share of an object's box below which what augmentation left of it is no object any more, but nothing else either."""
_LEAST_PX = 1.0


@dataclass(frozen=True, slots=True)
class Scene:
    """A photo and its M objects.

    Attributes:
        photo: uint8 (H, W, C).
        boxes: float32 (M, 4): x1, y1, x2, y2 in pixels of the photo, edges.
        labels: int64 (M,).
        crowd: bool (M,): neither object nor background.
        masks: uint8 (M, H, W), 0 or 1; None where only boxes count.
        pixels: int16 (H, W), class ids, IGNORED where there is none; None where only objects count.
    """

    photo: NDArray[np.uint8]
    boxes: NDArray[np.float32]
    labels: NDArray[np.int64]
    crowd: NDArray[np.bool_]
    masks: NDArray[np.uint8] | None = None
    pixels: NDArray[np.int16] | None = None

    @property
    def size_px(self) -> tuple[int, int]:
        """Return (width, height)."""
        return int(self.photo.shape[1]), int(self.photo.shape[0])

    def take(self, rows: NDArray[Any]) -> Scene:
        """Return the scene with some of its objects."""
        masks = None if self.masks is None else self.masks[rows]
        return replace(self, boxes=self.boxes[rows], labels=self.labels[rows], crowd=self.crowd[rows], masks=masks)

    def flipped(self) -> Scene:
        """Return the scene mirrored left to right."""
        width = self.size_px[0]
        boxes = self.boxes[:, [2, 1, 0, 3]].copy()
        boxes[:, [0, 2]] = width - boxes[:, [0, 2]]
        return replace(
            self,
            photo=self.photo[:, ::-1],
            boxes=boxes,
            masks=None if self.masks is None else self.masks[:, :, ::-1],
            pixels=None if self.pixels is None else self.pixels[:, ::-1],
        )

    def window(self, left: int, top: int, width: int, height: int) -> Scene:
        """Return a part of the scene, inside of the photo; objects are cut with it, see `clipped`."""
        rows, columns = slice(top, top + height), slice(left, left + width)
        boxes = self.boxes - np.array([left, top, left, top], dtype=np.float32)
        part = replace(
            self,
            photo=self.photo[rows, columns],
            boxes=boxes,
            masks=None if self.masks is None else self.masks[:, rows, columns],
            pixels=None if self.pixels is None else self.pixels[rows, columns],
        )
        return part.clipped()

    def clipped(self) -> Scene:
        """Return the scene with boxes cut at the photo's edges; those of masks are drawn around what is left of them.

        Objects that are gone are left out; those of whose box less than LEAST_VISIBLE is left become `crowd`, so that
        a network is neither asked for them nor punished for finding them.
        """
        limits = np.array([*self.size_px, *self.size_px], dtype=np.float32)
        boxes = np.clip(self.boxes, 0, limits)
        before, after = _areas(self.boxes), _areas(boxes)
        sides = boxes[:, 2:] - boxes[:, :2]
        there = (sides >= _LEAST_PX).all(axis=1)
        crowd = self.crowd | (after < LEAST_VISIBLE * before)
        if self.masks is not None:
            there &= self.masks.any(axis=(1, 2))
            boxes = boxes_around(self.masks)
        return replace(self, boxes=boxes, crowd=crowd).take(np.flatnonzero(there))


def empty_pixels(width: int, height: int) -> NDArray[np.int16]:
    """Return a map of which nothing is known, int16 (height, width)."""
    return np.full((height, width), IGNORED, dtype=np.int16)


def boxes_around(masks: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the boxes around masks (M, H, W); zeros around an empty one."""
    found = np.zeros((len(masks), 4), dtype=np.float32)
    for index, mask in enumerate(masks):
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        if rows.size:
            found[index] = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
    return found


def _areas(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2], 0)
    return np.asarray(sides[:, 0] * sides[:, 1], dtype=np.float32)
