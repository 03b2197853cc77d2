"""Where a photo lies in a network's input: the arithmetic of `Preprocess.resize`, without a pixel.

The one place for it: imaging resamples by it, and decoding maps boxes and masks back by it.
"""

from __future__ import annotations

import math

from vision_cli.core.errors import UsageError
from vision_cli.core.preprocess import Preprocess

# Part of a photo, (left, top, right, bottom) in its pixels, not rounded.
Box = tuple[float, float, float, float]


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


def letterbox_corner(inner_px: tuple[int, int], size_px: tuple[int, int]) -> tuple[int, int]:
    """Return (left, top) of a photo of `inner_px` inside its letterbox."""
    return (size_px[0] - inner_px[0]) // 2, (size_px[1] - inner_px[1]) // 2


def whole_pixels(box: Box) -> tuple[int, int, int, int]:
    """Return the whole pixels that `area` averages for a part of a photo: rounded, at least one."""
    left, top = math.floor(box[0] + 0.5), math.floor(box[1] + 0.5)
    return left, top, max(left + 1, math.floor(box[2] + 0.5)), max(top + 1, math.floor(box[3] + 0.5))


def source_and_target(photo_px: tuple[int, int], preprocess: Preprocess) -> tuple[Box, Box]:
    """Return the part of a photo that a network sees, and where in its input it sees it.

    Raises:
        UsageError: an unknown way to resize.
    """
    size_px, whole = preprocess.size_px, (0.0, 0.0, float(photo_px[0]), float(photo_px[1]))
    everywhere = (0.0, 0.0, float(size_px[0]), float(size_px[1]))
    match preprocess.resize:
        case "stretch":
            return whole, everywhere
        case "crop":
            seen = crop_box((whole[2], whole[3]), size_px, preprocess.crop_pct)
            return (whole_pixels(seen) if preprocess.interpolation == "area" else seen), everywhere
        case "letterbox":
            inner = letterbox_px((whole[2], whole[3]), size_px)
            left, top = letterbox_corner(inner, size_px)
            return whole, (float(left), float(top), float(left + inner[0]), float(top + inner[1]))
        case _:
            raise UsageError(f"resize: unknown way '{preprocess.resize}'.", hint="Use crop, stretch or letterbox.")
