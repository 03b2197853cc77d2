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

    def fall_on(self, pixels: NDArray[np.uint8], part: tuple[slice, slice]) -> None:
        """Darken uint8 (h, w, 3), in place, by a part of this shadow."""
        pixels[...] = cv2.multiply(pixels, cv2.merge([self.keep[part]] * 3), scale=1 / 255)


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
    dark, pad, (scale_x, scale_y) = _blurred(layer.rgba[..., 3], sigma)
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
    return _darken(photo, first, np.asarray(shade, np.uint8), light)


def cast_on_floor(photo: NDArray[np.uint8], layer: Layer, light: Light) -> Shade | None:
    """Darken the floor that an object stands on: its outline laid down from its foot, and the dark below it.

    The lower the lamp is thought to be, the longer and softer the shadow. What stands behind gets it as the floor does.
    """
    plane = layer.pose.plane
    facing = math.cos(math.radians(plane.tilt_deg)) if plane is not None else 0.3
    left, top, right, bottom = layer.full_box
    reach = (0.35 + 8 * light.softness) * (bottom - top)
    aside = reach * math.cos(math.radians(light.from_deg))
    down = reach * math.sin(math.radians(light.from_deg)) * facing
    corners = ((left, bottom), (right, bottom), (left + aside, bottom + down), (right + aside, bottom + down))
    pad_px = 3 * light.softness * layer.pose.size_px + 2
    (low_x, low_y), (high_x, high_y) = (tuple(pick(axis) for axis in zip(*corners, strict=True)) for pick in (min, max))
    first = max(0, math.floor(low_x - pad_px)), max(0, math.floor(low_y - pad_px))
    last = min(photo.shape[1], math.ceil(high_x + pad_px)), min(photo.shape[0], math.ceil(high_y + pad_px))
    if first[0] >= last[0] or first[1] >= last[1]:
        return None
    dark, pad, (scale_x, scale_y) = _blurred(layer.rgba[..., 3], light.softness * layer.pose.size_px / _SHRINK)
    above = bottom - layer.top + pad * scale_y  # rows of the layer from the foot up
    lean, fall = aside / max(bottom - top, 1), down / max(bottom - top, 1)
    move = np.array(
        [
            [scale_x, -lean * scale_y, layer.left - pad * scale_x + lean * above - first[0]],
            [0, -fall * scale_y, bottom + fall * above - first[1]],
        ]
    )
    size = last[0] - first[0], last[1] - first[1]
    shade = cv2.warpAffine(dark, move, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    below = _below(size, ((left + right) / 2 - first[0], bottom - first[1]), right - left, facing)
    return _darken(photo, first, np.asarray(cv2.max(shade, below), np.uint8), light)


def _below(size: tuple[int, int], foot: tuple[float, float], width: float, facing: float) -> NDArray[np.uint8]:
    """Return the dark right below an object uint8 (h, w)."""
    dark = np.zeros((size[1], size[0]), np.uint8)
    axes = max(1, round(0.42 * width)), max(1, round(0.16 * width * max(facing, 0.15)))
    cv2.ellipse(dark, (round(foot[0]), round(foot[1])), axes, 0, 0, 360, 255, -1)
    return np.asarray(cv2.GaussianBlur(dark, (0, 0), max(0.8, 0.03 * width)), np.uint8)


def _blurred(alpha: NDArray[np.uint8], sigma: float) -> tuple[NDArray[np.uint8], int, tuple[float, float]]:
    """Return an object's blurred outline at a fraction of its size, its margin there, and the scale of each axis."""
    sigma = max(0.4, sigma)
    pad = math.ceil(3 * sigma)
    small = max(1, alpha.shape[1] // _SHRINK), max(1, alpha.shape[0] // _SHRINK)
    dark = cv2.resize(alpha, small, interpolation=cv2.INTER_AREA)
    dark = cv2.copyMakeBorder(dark, pad, pad, pad, pad, cv2.BORDER_CONSTANT)
    blurred = np.asarray(cv2.GaussianBlur(dark, (0, 0), sigma), np.uint8)
    return blurred, pad, (alpha.shape[1] / small[0], alpha.shape[0] / small[1])


def _darken(photo: NDArray[np.uint8], first: tuple[int, int], dark: NDArray[np.uint8], light: Light) -> Shade:
    """Take light off a part of a photo, in place."""
    height, width = dark.shape
    keep = np.asarray(cv2.convertScaleAbs(dark, alpha=-light.depth, beta=255), np.uint8)
    part = photo[first[1] : first[1] + height, first[0] : first[0] + width]
    shade = Shade(first[0], first[1], keep, part.copy())
    shade.fall_on(part, (slice(None), slice(None)))
    return shade
