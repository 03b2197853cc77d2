"""What is where in photos of one size: targets of detectors and segmenters, as arrays or as tensors of a batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

IGNORED = -1
"""A pixel that nobody labelled: no loss, no score."""


@dataclass(frozen=True, slots=True)
class PlaceTargets:
    """Objects and pixels of N photos, in pixels of the network's input. numpy arrays in loaders, tensors in losses.

    Attributes:
        n_photos: N.
        photo: int64 (M,): index of the photo of each object, ascending.
        boxes: float32 (M, 4): x1, y1, x2, y2, edges.
        labels: int64 (M,): class ids.
        crowd: bool (M,): regions that are neither object nor background (COCO's crowd, KITTI's DontCare, VOC's
            difficult).
        masks: uint8 (M, H, W), 0 or 1; None where only boxes are learned.
        pixels: int64 (N, H, W): class id of each pixel, IGNORED where there is none; None where only objects are
            learned.
    """

    n_photos: int
    photo: Any
    boxes: Any
    labels: Any
    crowd: Any
    masks: Any = None
    pixels: Any = None

    def __len__(self) -> int:
        """Return the number of photos."""
        return self.n_photos
