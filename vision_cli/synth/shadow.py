"""The shadow an object casts on what is behind it, drawn in its neighbourhood at a quarter of the resolution."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vision_cli.synth.lighting import Light
from vision_cli.synth.warp import Layer

_SHRINK = 4


@dataclass(frozen=True, slots=True, eq=False)
class Shade:
    """How much of a part of the photo is left of it.

    Attributes:
        left: of the part, in pixels.
        top: likewise.
        keep: uint8 (h, w), 255 for all.
        before: uint8 (h, w, 3), the part without it.
    """

    left: int
    top: int
    keep: NDArray[np.uint8]
    before: NDArray[np.uint8] | None = None

    @property
    def window(self) -> tuple[slice, slice]:
        """Rows and columns of the photo."""
        height, width = self.keep.shape
        return slice(self.top, self.top + height), slice(self.left, self.left + width)


def cast(photo: NDArray[np.uint8], layer: Layer, light: Light, height: float) -> Shade | None:
    """Darken a photo where an object keeps light off, in place; tell where and how much.

    Args:
        photo: uint8 (H, W, 3).
        layer: the object.
        light: of the scene.
        height: of the object over its surface, as a share of its size.
    """
    size_px = layer.pose.size_px
    reach = height * size_px * 1.5
    sigma = max(0.4, (light.softness * 0.5 + height * 0.5) * size_px / _SHRINK)
    pad = math.ceil(3 * sigma)
    alpha = layer.rgba[..., 3]
    small = max(1, alpha.shape[1] // _SHRINK), max(1, alpha.shape[0] // _SHRINK)
    dark = cv2.copyMakeBorder(
        cv2.resize(alpha, small, interpolation=cv2.INTER_AREA), pad, pad, pad, pad, cv2.BORDER_CONSTANT
    )
    dark = cv2.GaussianBlur(dark, (0, 0), sigma)
    scale_x, scale_y = alpha.shape[1] / small[0], alpha.shape[0] / small[1]
    left = layer.left - pad * scale_x + reach * math.cos(math.radians(light.from_deg))
    top = layer.top - pad * scale_y + reach * math.sin(math.radians(light.from_deg))
    first = max(0, math.floor(left)), max(0, math.floor(top))
    last = (
        min(photo.shape[1], math.ceil(left + dark.shape[1] * scale_x)),
        min(photo.shape[0], math.ceil(top + dark.shape[0] * scale_y)),
    )
    if first[0] >= last[0] or first[1] >= last[1]:
        return None
    move = np.array([[scale_x, 0, left - first[0]], [0, scale_y, top - first[1]]])
    size = last[0] - first[0], last[1] - first[1]
    shade = cv2.warpAffine(dark, move, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    keep = np.asarray(cv2.convertScaleAbs(shade, alpha=-light.depth, beta=255), np.uint8)
    part = photo[first[1] : last[1], first[0] : last[0]]
    before = part.copy()
    part[...] = cv2.multiply(part, cv2.merge([keep] * 3), scale=1 / 255)
    return Shade(first[0], first[1], keep, before)
