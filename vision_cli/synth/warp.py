"""Bring an object's picture into the photo: shrunk to its size there, bent, and through its plane's homography."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vision_cli.synth import bend as bending
from vision_cli.synth.bend import Bend
from vision_cli.synth.placement import Pose
from vision_cli.synth.pose import Vector, area, homography, sides

_PAD = 2
_SEEN = 0.5
"""Coverage from which on a pixel is of the object."""


@dataclass(slots=True, eq=False)
class Layer:
    """An object as it would be seen with nothing before it, in a window of the photo.

    Attributes:
        pose: its place.
        left: of the window, in pixels.
        top: likewise.
        rgba: uint8 (h, w, 4), colour not multiplied by coverage.
        light: float32 (h, w), how its bent surface turns to the light, around 1; None when flat.
        full_box: (left, top, right, bottom) of all of it, beyond the photo as well.
        full_px: how many pixels all of it has.
        truncated: whether it leaves the photo.
    """

    pose: Pose
    left: int
    top: int
    rgba: NDArray[np.uint8]
    light: NDArray[np.float32] | None
    full_box: tuple[float, float, float, float]
    full_px: float
    truncated: bool

    @property
    def window(self) -> tuple[slice, slice]:
        """Rows and columns of the photo."""
        height, width = self.rgba.shape[:2]
        return slice(self.top, self.top + height), slice(self.left, self.left + width)


@dataclass(frozen=True, slots=True)
class Lens:
    """How a camera smears what it sees.

    Attributes:
        sigma_px: of the Gaussian blur.
        motion_px: length of the smear.
        motion_deg: its direction.
    """

    sigma_px: float = 0.0
    motion_px: float = 0.0
    motion_deg: float = 0.0


@dataclass(frozen=True, slots=True)
class Finish:
    """What is done to a picture on its way.

    Attributes:
        colours: float32 (3, 4), applied to its RGB and 1: jitter, exposure and white balance in one.
        bend: of its surface; None when flat.
        lens: of the camera.
        reach_px: room around it for the light that it throws.
    """

    colours: NDArray[np.float32]
    bend: Bend | None = None
    lens: Lens = Lens()
    reach_px: float = 0.0


def warp(pose: Pose, finish: Finish, shape: tuple[int, int]) -> Layer | None:
    """Return an object's layer; None when nothing of it is in the photo.

    Args:
        pose: the object and its place.
        finish: its colours, bend and blur.
        shape: (H, W) of the photo.
    """
    bend, lens = finish.bend, finish.lens
    texture = _texture(pose, finish.colours)
    canvas, light, margins = _canvas(texture, bend)
    hull = pose.logo.hull if bend is None else bending.forward(pose.logo.hull, bend)
    height, width = texture.shape[:2]
    outline = _mapped(homography(pose.corners, 1, 1), hull.astype(np.float64))
    box = (*outline.min(axis=0).tolist(), *outline.max(axis=0).tolist())
    window = _window(box, 2 + 3 * lens.sigma_px + lens.motion_px / 2 + finish.reach_px, shape)
    if window is None:
        return None
    left, top, right, bottom = window
    shift = np.array([[1, 0, 0.5 - margins[0]], [0, 1, 0.5 - margins[1]], [0, 0, 1.0]])
    back = np.array([[1, 0, -0.5 - left], [0, 1, -0.5 - top], [0, 0, 1.0]])
    transform, size = back @ homography(pose.corners, width, height) @ shift, (right - left, bottom - top)
    rgba = cv2.warpPerspective(canvas, transform, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    if light is not None:
        light = cv2.warpPerspective(light, transform, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    truncated = box[0] < -1 or box[1] < -1 or box[2] > shape[1] + 1 or box[3] > shape[0] + 1
    whole = pose.logo.fill * area(pose.corners)
    return Layer(pose, left, top, smeared(rgba, lens), light, box, whole, truncated)


def coverage(rgba: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return float32 (h, w), 0 to 1: how much of each pixel an object covers."""
    return np.asarray(rgba[..., 3] * np.float32(1 / 255), np.float32)


def smeared(rgba: NDArray[np.uint8], lens: Lens) -> NDArray[np.uint8]:
    """Return a picture as the lens gives it."""
    if lens.sigma_px > 0.25:
        rgba = np.asarray(cv2.GaussianBlur(rgba, (0, 0), lens.sigma_px), np.uint8)
    if lens.motion_px > 1:
        rgba = np.asarray(cv2.filter2D(rgba, -1, _line(lens.motion_px, lens.motion_deg)), np.uint8)
    return rgba


def _texture(pose: Pose, colours: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return the picture at the size it has in the photo, each side by itself, so that warping it skips no pixel."""
    lengths = sides(pose.corners)
    height, width = pose.logo.rgba.shape[:2]
    to_width = min(width, max(4, math.ceil(max(lengths[0], lengths[2]))))
    to_height = min(height, max(4, math.ceil(max(lengths[1], lengths[3]))))
    picture = pose.logo.rgba
    if (to_width, to_height) != (width, height):
        picture = cv2.resize(picture, (to_width, to_height), interpolation=cv2.INTER_AREA)
    transform = np.zeros((4, 5), np.float32)
    transform[:3, :3], transform[:3, 4], transform[3, 3] = colours[:, :3], colours[:, 3], 1
    return np.asarray(cv2.transform(picture, transform), np.uint8)


def _canvas(
    texture: NDArray[np.uint8], bend: Bend | None
) -> tuple[NDArray[np.uint8], NDArray[np.float32] | None, tuple[int, int]]:
    """Return the picture with a transparent margin, its light, and the margin left and above."""
    light = None
    height, width = texture.shape[:2]
    if bend is not None:
        texture, light = bending.bent(texture, bend)
        light = cv2.copyMakeBorder(light, _PAD, _PAD, _PAD, _PAD, cv2.BORDER_REPLICATE)
    added_x, added_y = (texture.shape[1] - width) // 2, (texture.shape[0] - height) // 2
    canvas = cv2.copyMakeBorder(texture, _PAD, _PAD, _PAD, _PAD, cv2.BORDER_REPLICATE)
    canvas[[0, 1, -2, -1], :, 3] = 0
    canvas[:, [0, 1, -2, -1], 3] = 0
    return canvas, light, (added_x + _PAD, added_y + _PAD)


def _window(
    box: tuple[float, float, float, float], reach: float, shape: tuple[int, int]
) -> tuple[int, int, int, int] | None:
    left, top = max(0, math.floor(box[0] - reach)), max(0, math.floor(box[1] - reach))
    right, bottom = min(shape[1], math.ceil(box[2] + reach)), min(shape[0], math.ceil(box[3] + reach))
    return (left, top, right, bottom) if right - left >= 4 and bottom - top >= 4 else None


def _line(length_px: float, angle_deg: float) -> NDArray[np.float32]:
    """Return the kernel of a straight motion."""
    side = 2 * math.ceil(length_px / 2) + 1
    kernel = np.zeros((side, side), np.uint8)
    middle, reach = (side - 1) / 2, length_px / 2
    x, y = reach * math.cos(math.radians(angle_deg)), reach * math.sin(math.radians(angle_deg))
    ends = [(round((middle + sign * x) * 16), round((middle + sign * y) * 16)) for sign in (-1, 1)]
    cv2.line(kernel, ends[0], ends[1], 255, 1, cv2.LINE_AA, shift=4)
    return np.asarray(kernel / kernel.sum(), np.float32)


def _mapped(transform: Vector, points: Vector) -> Vector:
    mapped = points @ transform[:, :2].T + transform[:, 2]
    return np.asarray(mapped[:, :2] / mapped[:, 2:], np.float64)
