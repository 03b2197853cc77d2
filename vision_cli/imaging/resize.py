"""Bring a photo to the size that a network sees, as torchvision and timm do it when they evaluate."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vision_cli.core.errors import UsageError
from vision_cli.core.preprocess import PAD_GREY, Interpolation, Preprocess, Resize
from vision_cli.core.resizing import Box, covering_px, crop_box, letterbox_corner, letterbox_px, whole_pixels
from vision_cli.imaging.modes import as_image

__all__ = ["PAD_GREY", "covering_px", "crop_box", "fit", "fit_scaled", "letterbox_px"]
_OPAQUE = 255

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


def _letterbox(
    photo: NDArray[np.uint8], extent: tuple[float, float], size_px: tuple[int, int], interpolation: Interpolation
) -> NDArray[np.uint8]:
    (inner_w, inner_h), channels = letterbox_px(extent, size_px), photo.shape[2]
    padded = np.full((size_px[1], size_px[0], channels), PAD_GREY, np.uint8)
    if channels == 4:
        padded[:, :, 3] = _OPAQUE
    left, top = letterbox_corner((inner_w, inner_h), size_px)
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
    left, top, right, bottom = whole_pixels(box)
    part = np.ascontiguousarray(photo[top:bottom, left:right])
    mean = cv2.resize(part, size_px, interpolation=cv2.INTER_AREA)
    return np.asarray(mean, np.uint8).reshape(size_px[1], size_px[0], -1)
