"""Bring a photo to the size that a network sees, as torchvision and timm do it when they evaluate."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vision_cli.core.errors import UsageError
from vision_cli.core.preprocess import Interpolation, Preprocess, Resize
from vision_cli.imaging.modes import as_image

PAD_GREY = 114
_OPAQUE = 255

# Part of a photo, (left, top, right, bottom) in its pixels, not rounded.
Box = tuple[float, float, float, float]

# Pillow's filters are antialiased; `area` is the exact mean, which Pillow's box filter is only for whole ratios.
_FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
}


def fit(
    photo: NDArray[np.uint8],
    size_px: tuple[int, int],
    how: Resize = "crop",
    crop_pct: float = 1.0,
    interpolation: Interpolation = "bicubic",
) -> NDArray[np.uint8]:
    """Return a photo in exactly the size asked.

    Args:
        photo: uint8 (H, W, C).
        size_px: (width, height).
        how: `crop` shrinks until the photo covers floor(size / crop_pct) and cuts the centre (the evaluation
            transform of torchvision and timm); `stretch` ignores the aspect ratio; `letterbox` keeps it and pads
            with grey 114, opaque.
        crop_pct: 0..1, only for `crop`.
        interpolation: `bilinear`, `bicubic` and `area` are antialiased.

    Returns:
        uint8 (height, width, C).

    Raises:
        UsageError: an unknown `how` or `interpolation`.
    """
    wanted = Preprocess(size_px=size_px, resize=how, crop_pct=crop_pct, interpolation=interpolation)
    return fit_scaled(photo, (float(photo.shape[1]), float(photo.shape[0])), wanted)


def fit_scaled(photo: NDArray[np.uint8], extent_px: tuple[float, float], preprocess: Preprocess) -> NDArray[np.uint8]:
    """Fit a photo that fills only `extent_px` (width, height) of its array; see `read_scaled` and `fit`."""
    size_px, interpolation = preprocess.size_px, preprocess.interpolation
    match preprocess.resize:
        case "stretch":
            return _resample(photo, (0.0, 0.0, *extent_px), size_px, interpolation)
        case "crop":
            return _resample(photo, crop_box(extent_px, size_px, preprocess.crop_pct), size_px, interpolation)
        case "letterbox":
            return _letterbox(photo, extent_px, size_px, interpolation)
        case _:
            raise UsageError(f"resize: unknown way '{preprocess.resize}'.", hint="Use crop, stretch or letterbox.")


def covering_px(size_px: tuple[int, int], crop_pct: float) -> tuple[int, int]:
    """Return the (width, height) that a photo must cover before its centre of `size_px` is cut."""
    return math.floor(size_px[0] / crop_pct), math.floor(size_px[1] / crop_pct)


def crop_box(photo_px: tuple[float, float], size_px: tuple[int, int], crop_pct: float) -> Box:
    """Return the part of a photo that survives shrinking and centre crop.

    The rounding is torchvision's (`Resize` of the shorter side, then `CenterCrop`), so that networks trained elsewhere
    see what they are used to.

    Args:
        photo_px: (width, height) of the photo.
        size_px: (width, height) of the crop.
        crop_pct: 0..1.
    """
    width_px, height_px = photo_px
    cover_w, cover_h = covering_px(size_px, crop_pct)
    if width_px * cover_h <= height_px * cover_w:
        cover_h = int(cover_w * height_px // width_px)
    else:
        cover_w = int(cover_h * width_px // height_px)
    left, top = round((cover_w - size_px[0]) / 2), round((cover_h - size_px[1]) / 2)
    x_scale, y_scale = width_px / cover_w, height_px / cover_h
    right, bottom = (left + size_px[0]) * x_scale, (top + size_px[1]) * y_scale
    return left * x_scale, top * y_scale, min(right, width_px), min(bottom, height_px)


def letterbox_px(photo_px: tuple[float, float], size_px: tuple[int, int]) -> tuple[int, int]:
    """Return the (width, height) of a photo inside its letterbox."""
    scale = min(size_px[0] / photo_px[0], size_px[1] / photo_px[1])
    width_px, height_px = (max(1, round(side * scale)) for side in photo_px)
    return min(width_px, size_px[0]), min(height_px, size_px[1])


def _letterbox(
    photo: NDArray[np.uint8], extent: tuple[float, float], size_px: tuple[int, int], interpolation: Interpolation
) -> NDArray[np.uint8]:
    (inner_w, inner_h), channels = letterbox_px(extent, size_px), photo.shape[2]
    padded = np.full((size_px[1], size_px[0], channels), PAD_GREY, np.uint8)
    if channels == 4:
        padded[:, :, 3] = _OPAQUE
    left, top = (size_px[0] - inner_w) // 2, (size_px[1] - inner_h) // 2
    inner = _resample(photo, (0.0, 0.0, *extent), (inner_w, inner_h), interpolation)
    padded[top : top + inner_h, left : left + inner_w] = inner
    return padded


def _resample(
    photo: NDArray[np.uint8], box: Box, size_px: tuple[int, int], interpolation: Interpolation
) -> NDArray[np.uint8]:
    if interpolation == "area":
        return _mean_of_areas(photo, box, size_px)
    if interpolation not in _FILTERS:
        raise UsageError(f"resize: unknown interpolation '{interpolation}'.", hint=f"Use area, {', '.join(_FILTERS)}.")
    # Only the part that survives is computed: a 1 x 20,000 photo never grows to its covering size.
    resized = as_image(photo).resize(size_px, _FILTERS[interpolation], box=box)
    return np.asarray(resized).reshape(size_px[1], size_px[0], -1)


def _mean_of_areas(photo: NDArray[np.uint8], box: Box, size_px: tuple[int, int]) -> NDArray[np.uint8]:
    left, top = math.floor(box[0] + 0.5), math.floor(box[1] + 0.5)
    right, bottom = max(left + 1, math.floor(box[2] + 0.5)), max(top + 1, math.floor(box[3] + 0.5))
    part = np.ascontiguousarray(photo[top:bottom, left:right])
    mean = cv2.resize(part, size_px, interpolation=cv2.INTER_AREA)
    return np.asarray(mean, np.uint8).reshape(size_px[1], size_px[0], -1)
