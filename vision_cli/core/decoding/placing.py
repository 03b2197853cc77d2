"""How pixels of a network's input and pixels of the photo map to each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vision_cli.core.preprocess import Preprocess
from vision_cli.core.resizing import source_and_target

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Placement:
    """One photo in a network's input: input = photo * scale + offset, for edges (pixel i lies between i and i + 1).

    Attributes:
        photo_px: (width, height) of the photo.
        input_px: (width, height) of the input.
        scale: (x, y).
        offset: (x, y), in pixels of the input.
    """

    photo_px: tuple[int, int]
    input_px: tuple[int, int]
    scale: tuple[float, float]
    offset: tuple[float, float]

    def to_input(self, boxes: NDArray[Any]) -> Floats:
        """Map boxes (N, 4) of the photo, left, top, right, bottom, into the input; nothing is clipped."""
        return np.asarray(boxes * np.tile(self.scale, 2) + np.tile(self.offset, 2), dtype=np.float64)

    def to_photo(self, boxes: NDArray[Any]) -> Floats:
        """Map boxes (N, 4) of the input into the photo; nothing is clipped."""
        return np.asarray((boxes - np.tile(self.offset, 2)) / np.tile(self.scale, 2), dtype=np.float64)

    def columns(self) -> Floats:
        """Return where in the input the centre of each of the photo's columns lies, float64 (W,)."""
        return np.asarray((np.arange(self.photo_px[0]) + 0.5) * self.scale[0] + self.offset[0], dtype=np.float64)

    def rows(self) -> Floats:
        """Return where in the input the centre of each of the photo's rows lies, float64 (H,)."""
        return np.asarray((np.arange(self.photo_px[1]) + 0.5) * self.scale[1] + self.offset[1], dtype=np.float64)


def place(photo_px: tuple[int, int], preprocess: Preprocess) -> Placement:
    """Return the placement of a photo of (width, height), as `imaging.prepare.resized` draws it."""
    source, target = source_and_target(photo_px, preprocess)
    x_scale = (target[2] - target[0]) / (source[2] - source[0])
    y_scale = (target[3] - target[1]) / (source[3] - source[1])
    offset = (target[0] - source[0] * x_scale, target[1] - source[1] * y_scale)
    return Placement(photo_px, preprocess.size_px, (x_scale, y_scale), offset)


def clipped(boxes: Floats, size_px: tuple[int, int]) -> Floats:
    """Return boxes (N, 4) cut at the borders of a picture of (width, height)."""
    return np.clip(boxes, 0.0, np.tile(np.asarray(size_px, dtype=np.float64), 2))
