"""A photo with what was found in it: boxes, masks, classes of pixels."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from vision_cli.imaging.lettering import shortened
from vision_cli.imaging.modes import with_channels

_GOLDEN = 0.618033988749895
_MASK_SHARE = 0.45
_DARK = 120
_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


@dataclass(frozen=True, slots=True)
class Marked:
    """One object to draw.

    Attributes:
        box: left, top, right, bottom in pixels of the photo.
        text: beside the box; empty draws none.
        colour: index of its colour, such as a class id.
        mask: bool (H, W); None draws the box alone.
    """

    box: tuple[float, float, float, float]
    text: str
    colour: int
    mask: NDArray[np.bool_] | None = None


def colour_of(index: int) -> tuple[int, int, int]:
    """Return a strong colour; neighbouring indices lie far apart on the circle of hues (golden ratio)."""
    red, green, blue = colorsys.hsv_to_rgb((index * _GOLDEN + 0.08) % 1.0, 0.75, 0.95)
    return round(255 * red), round(255 * green), round(255 * blue)


def with_objects(photo: NDArray[np.uint8], objects: Sequence[Marked]) -> NDArray[np.uint8]:
    """Return a photo uint8 (H, W, 3) with objects; the first is drawn last, on top.

    Args:
        photo: uint8 (H, W, C).
        objects: best first.
    """
    shown = with_channels(photo, 3).copy()
    thick = _line_px(shown.shape[:2])
    for each in reversed(objects):
        if each.mask is not None:
            _tint(shown, each.mask, colour_of(each.colour))
            shown[_rim(each.mask, thick)] = colour_of(each.colour)
    picture = Image.fromarray(shown)
    pen = ImageDraw.Draw(picture)
    for each in reversed(objects):
        _box(pen, each, picture.size)
    return np.asarray(picture)


def with_classes(photo: NDArray[np.uint8], classes: NDArray[np.integer]) -> NDArray[np.uint8]:
    """Return a photo uint8 (H, W, 3) tinted by a class a pixel, (H, W); pixels of a class below 0 stay as they are."""
    shown = with_channels(photo, 3).copy()
    for index in np.unique(classes[classes >= 0]).tolist():
        _tint(shown, classes == index, colour_of(index))
    return shown


def _tint(photo: NDArray[np.uint8], mask: NDArray[np.bool_], colour: tuple[int, int, int]) -> None:
    tinted = photo[mask] * (1 - _MASK_SHARE) + np.array(colour) * _MASK_SHARE
    photo[mask] = np.round(tinted).astype(np.uint8)


def _line_px(sides: tuple[int, ...]) -> int:
    return max(2, round(max(sides) / 500))


def _rim(mask: NDArray[np.bool_], thick: int) -> NDArray[np.bool_]:
    """Return the pixels of a mask that lie within so many of its edge, so that neighbours of a class show apart."""
    inner = np.zeros((mask.shape[0] + 2, mask.shape[1] + 2), dtype=np.bool_)
    inner[1:-1, 1:-1] = mask
    for _ in range(max(1, thick // 2)):
        inner[1:-1, 1:-1] &= inner[:-2, 1:-1] & inner[2:, 1:-1] & inner[1:-1, :-2] & inner[1:-1, 2:]
    return mask & ~inner[1:-1, 1:-1]


def _box(pen: ImageDraw.ImageDraw, each: Marked, size: tuple[int, int]) -> None:
    colour, thick = colour_of(each.colour), _line_px(size)
    left, top, right, bottom = (round(value) for value in each.box)
    right, bottom = max(left, min(right, size[0]) - 1), max(top, min(bottom, size[1]) - 1)
    pen.rectangle((left, top, right, bottom), outline=colour, width=thick)
    if not each.text:
        return
    letter_px = int(np.clip(max(size) / 50, 11, 28))
    text, letters = shortened(each.text, letter_px, size[0] - 8)
    width, height = pen.textbbox((0, 0), text, font=letters)[2:]
    x = max(0, min(left, size[0] - width - 4))
    y = top - height - 4 if top >= height + 4 else top
    pen.rectangle((x, y, x + width + 4, y + height + 4), fill=colour)
    ink = (0, 0, 0) if np.dot(colour, _LUMA) > _DARK else (255, 255, 255)
    pen.text((x + 2, y + 1), text, fill=ink, font=letters)
