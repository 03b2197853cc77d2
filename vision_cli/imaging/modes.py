"""From every pixel layout that a file can have to 8-bit grey, RGB or RGBA.

Alpha is laid over white where the result has none. CMYK is converted without a colour profile. Of 16-bit values the
high byte is kept: a scaling, never a clipping. Colour profiles are ignored: every photo counts as sRGB.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vision_cli.core.errors import UsageError

_WHITE_IS_ZERO = 0
_BITS_TAG, _PHOTOMETRIC_TAG = 258, 262


def _same(image: Image.Image) -> Image.Image:
    return image


def _to_rgb(image: Image.Image) -> Image.Image:
    return image.convert("RGB")


def _to_grey(image: Image.Image) -> Image.Image:
    return image.convert("L")


def _palette_to_rgb(image: Image.Image) -> Image.Image:
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _deep_grey_to_grey(image: Image.Image) -> Image.Image:
    """Keep the 8 high bits of unsigned 10 to 16-bit grey."""
    tags = getattr(image, "tag_v2", {})
    bits = tags.get(_BITS_TAG, (16,))[0]
    high = (np.asarray(image) >> (bits - 8)).astype(np.uint8)
    return Image.fromarray(255 - high if tags.get(_PHOTOMETRIC_TAG) == _WHITE_IS_ZERO else high)


def _integers_to_grey(image: Image.Image) -> Image.Image:
    """Read 16-bit values that Pillow keeps in 32 bits (PGM); there is no telling the range of any other integers."""
    values = np.asarray(image)
    if image.format != "PPM" or values.min() < 0 or values.max() > 65535:
        raise ValueError("it holds 32-bit or signed integers, whose white nobody states; save it with 8 or 16 bits")
    return Image.fromarray((values >> 8).astype(np.uint8))


def _floats_to_grey(image: Image.Image) -> Image.Image:
    """Take 0..1 as black to white; there is no telling the range of any other numbers."""
    values = np.asarray(image, np.float32)
    if not (np.isfinite(values).all() and values.min() >= 0 and values.max() <= 1):
        raise ValueError("it holds floating-point values outside 0..1; scale them, or save it with 8 or 16 bits")
    return Image.fromarray(np.rint(values * 255).astype(np.uint8))


_TO_8_BIT: dict[str, Callable[[Image.Image], Image.Image]] = {
    "L": _same,
    "LA": _same,
    "RGB": _same,
    "RGBA": _same,
    "1": _to_grey,
    "P": _palette_to_rgb,
    "PA": _palette_to_rgb,
    "RGBX": _to_rgb,
    "CMYK": _to_rgb,
    "YCbCr": _to_rgb,
    "LAB": _to_rgb,
    "HSV": _to_rgb,
    "La": lambda image: image.convert("LA"),
    "RGBa": lambda image: image.convert("RGBA"),
    "I;16": _deep_grey_to_grey,
    "I;16L": _deep_grey_to_grey,
    "I;16B": _deep_grey_to_grey,
    "I;16N": _deep_grey_to_grey,
    "I": _integers_to_grey,
    "F": _floats_to_grey,
}

_MODE_BY_CHANNELS = {1: "L", 3: "RGB", 4: "RGBA"}


def check_channels(channels: int) -> None:
    """Refuse a number of channels that no photo has.

    Raises:
        UsageError: neither 1, 3 nor 4.
    """
    if channels not in _MODE_BY_CHANNELS:
        raise UsageError(f"channels: {channels} is not possible.", hint="Use 1 (grey), 3 (RGB) or 4 (RGB with alpha).")


def pixels(image: Image.Image, channels: int) -> NDArray[np.uint8]:
    """Return a decoded picture as uint8 (H, W, channels).

    Raises:
        ValueError: its values have no defined white.
    """
    plain = _TO_8_BIT[image.mode](image)
    mode = _MODE_BY_CHANNELS[channels]
    if mode != "RGBA" and plain.has_transparency_data:
        plain = _over_white(plain)
    photo = np.array(plain if plain.mode == mode else plain.convert(mode))
    return photo.reshape(*photo.shape[:2], channels)


def with_channels(photo: NDArray[np.uint8], channels: int) -> NDArray[np.uint8]:
    """Give a photo uint8 (H, W, C) another number of channels: 1 grey, 3 RGB, 4 RGB with alpha.

    Grey is ITU-R BT.601 luma, as in Pillow.
    """
    if photo.shape[2] == channels:
        return photo
    return pixels(as_image(photo), channels)


def as_image(photo: NDArray[np.uint8]) -> Image.Image:
    """Return a photo uint8 (H, W, C) as a Pillow image."""
    return Image.fromarray(photo[:, :, 0] if photo.shape[2] == 1 else photo)


def _over_white(image: Image.Image) -> Image.Image:
    rgba = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
