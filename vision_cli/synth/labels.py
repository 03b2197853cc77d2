"""What is known of an object in a photo: the pixels it changed there, and everything that was drawn for it.

An object's pixels are those that differ by `CHANGED_LEVELS` or more, in any channel, from the same photo without it,
and those inside that it covers by half or more. Its shadow and its glow are the scene's, not its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vision_cli.core import rle

CHANGED_LEVELS = 8

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """One labelled object of a photo.

    Attributes:
        class_name: of the logo.
        variant: of the logo.
        box: (x, y, width, height) of its visible pixels, in pixels, counting edges.
        full_box: likewise of all of it, what is hidden or beyond the photo included.
        left: of the mask's window.
        top: likewise.
        mask: bool (h, w), its visible pixels in the window.
        visibility: 0 to 1, share of it that is seen.
        truncated: whether it leaves the photo.
        occluded: whether something in the photo hides a part of it.
        plane: label of the region it is on; None for one held before the scene.
        size_px: longer side of its full box.
        angle_deg: turned so far, clockwise.
        tilt_deg: 0 to 90, between its normal and the line of sight.
        contrast: average difference to what it covers, in grey levels.
        blend: name in the table `BLENDS`.
        look: name in the table `LOOKS`.
        parameters: whatever else was drawn for it; plain numbers and texts.
    """

    class_name: str
    variant: str
    box: Box
    full_box: Box
    left: int
    top: int
    mask: NDArray[np.bool_]
    visibility: float
    truncated: bool
    occluded: bool
    plane: int | None
    size_px: float
    angle_deg: float
    tilt_deg: float
    contrast: float
    blend: str
    look: str
    parameters: dict[str, Any] = field(default_factory=dict)

    def counts(self, shape: tuple[int, int]) -> NDArray[np.int64]:
        """Return its mask as COCO's run lengths, in a photo of this (H, W)."""
        height = shape[0]
        columns = np.ascontiguousarray(self.mask.T)
        padded = np.zeros((columns.shape[0], columns.shape[1] + 1), np.int8)
        padded[:, :-1] = columns
        steps = np.diff(padded.ravel(), prepend=np.int8(0))
        starts, ends = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
        line = columns.shape[1] + 1
        first, last = ((at // line + self.left) * height + at % line + self.top for at in (starts, ends))
        touching = np.flatnonzero(first[1:] == last[:-1])
        return rle.of_spans(np.delete(first, touching + 1), np.delete(last, touching), height * shape[1])

    def full(self, shape: tuple[int, int]) -> NDArray[np.bool_]:
        """Return its mask bool (H, W) in a photo of this size."""
        whole = np.zeros(shape, np.bool_)
        height, width = self.mask.shape
        whole[self.top : self.top + height, self.left : self.left + width] = self.mask
        return whole

    def moved(self, right: int, down: int) -> Placed:
        """Return the label for a photo whose first pixel is another one."""
        boxes = [(x + right, y + down, w, h) for x, y, w, h in (self.box, self.full_box)]
        corners = [[round(x + right, 2), round(y + down, 2)] for x, y in self.parameters["corners"]]
        return replace(
            self,
            box=boxes[0],
            full_box=boxes[1],
            left=self.left + right,
            top=self.top + down,
            parameters={**self.parameters, "corners": corners},
        )

    def mirrored(self, width: int) -> Placed:
        """Return the label for the photo mirrored from left to right."""
        left = width - self.left - self.mask.shape[1]
        boxes = [(width - x - w, y, w, h) for x, y, w, h in (self.box, self.full_box)]
        mask = np.ascontiguousarray(self.mask[:, ::-1])
        parameters = dict(self.parameters)
        for name in ("motion_deg", "shadow_deg"):
            parameters[name] = (180 - parameters[name]) % 360
        corners = [[round(width - x, 2), y] for x, y in parameters["corners"]]
        parameters["corners"] = [corners[index] for index in (1, 0, 3, 2)]
        return replace(
            self,
            box=boxes[0],
            full_box=boxes[1],
            left=left,
            mask=mask,
            angle_deg=-self.angle_deg,
            parameters=parameters,
        )


def difference(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return uint8 (h, w): by how much two pictures (h, w, 3) differ in their worst channel."""
    red, green, blue = cv2.split(cv2.absdiff(one, other))
    return np.asarray(cv2.max(cv2.max(red, green), blue), np.uint8)


def bounds(mask: NDArray[np.bool_]) -> tuple[int, int, int, int] | None:
    """Return (left, top, right, bottom) of what is set, right and bottom exclusive; None when nothing is."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def visible(
    change: NDArray[np.uint8], seen: NDArray[np.float32]
) -> tuple[NDArray[np.bool_], tuple[int, int, int, int]] | None:
    """Return an object's pixels, cut to their own bounds, and those bounds in the window; None when nothing changed.

    Args:
        change: uint8 (h, w), by how much the photo differs from the one without it.
        seen: float32 (h, w), how much of each pixel is seen to be covered by it.
    """
    changed = change >= CHANGED_LEVELS
    found = bounds(changed)
    if found is None:
        return None
    window = slice(found[1], found[3]), slice(found[0], found[2])
    return changed[window] | (seen[window] >= 0.5), found
