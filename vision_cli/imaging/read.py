"""The one photo loader of the product: same file, same pixels, wherever it is read.

JPEGs of 8-bit grey or colour go through OpenCV, which decodes faster and can shrink while it decodes; everything else
through Pillow. Both use libjpeg-turbo with the same settings, so the choice shows in at most one grey level.
"""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vision_cli.core.errors import DataError
from vision_cli.core.files import read_limited
from vision_cli.imaging import exif, jpeg, png
from vision_cli.imaging.header import MAX_PIXELS, PLUGINS, PhotoHeader, header_of, read_header, refusing
from vision_cli.imaging.modes import check_channels, pixels, with_channels

__all__ = ["MAX_PIXELS", "PhotoHeader", "read_header", "read_photo"]

_MAX_FILE_BYTES = 1 << 29
# A progressive JPEG costs a pass over all pixels a scan, and a scan may be ten bytes long. Encoders write about ten.
_USUAL_SCANS = 12
_MAX_MEGAPIXEL_PASSES = 1000

# libjpeg's own scaling (IDCT of 8, 4, 2 or 1 points); colour order RGB is combined with the flag of the scale.
_SCALES = (8, 4, 2)
_GREY_FLAGS = {
    1: cv2.IMREAD_GRAYSCALE,
    2: cv2.IMREAD_REDUCED_GRAYSCALE_2,
    4: cv2.IMREAD_REDUCED_GRAYSCALE_4,
    8: cv2.IMREAD_REDUCED_GRAYSCALE_8,
}
_RGB_FLAGS = {scale: flag | cv2.IMREAD_COLOR_RGB for scale, flag in _GREY_FLAGS.items()}
_FLAGS = {"L": _GREY_FLAGS, "RGB": _RGB_FLAGS}

# What a decoder paints where data are missing; in a progressive photo it smooths the border of that grey.
_NEUTRAL = 128
_SMOOTHED = 24
_PROBE = bytes(range(1, 129))


def read_photo(
    source: Path | bytes,
    *,
    channels: int = 3,
    at_least: tuple[int, int] | None = None,
    max_pixels: int = MAX_PIXELS,
    name: str = "photo",
) -> NDArray[np.uint8]:
    """Read a photo as it should be seen: upright, 8 bits a channel, RGB.

    Content decides the format, not the suffix. Of an animation the first frame is read.

    Args:
        source: a path, or a file's bytes.
        channels: 1 grey, 3 RGB (alpha laid over white), 4 RGB with alpha.
        at_least: (width, height) that the caller needs. A larger JPEG may come back shrunk by 2, 4 or 8, never
            below this in either side.
        max_pixels: refuse more before anything is decoded.
        name: how messages call the bytes; a path is called by itself.

    Returns:
        uint8 (H, W, channels).

    Raises:
        DataError: missing, empty, no photo, too large, cut off or damaged.
    """
    return read_scaled(source, channels=channels, at_least=at_least, max_pixels=max_pixels, name=name)[0]


def read_scaled(
    source: Path | bytes,
    *,
    channels: int = 3,
    at_least: tuple[int, int] | None = None,
    max_pixels: int = MAX_PIXELS,
    name: str = "photo",
) -> tuple[NDArray[np.uint8], tuple[float, float]]:
    """Read as `read_photo` does, and say how much of the array the photo fills.

    A JPEG of 427 columns shrunk by 2 has 214, of which it fills 213.5: whoever resizes further to the last grey level
    needs to know.

    Returns:
        The photo, and (width, height) of its extent, at most one pixel less than the array's.
    """
    check_channels(channels)
    if isinstance(source, Path):
        name, source = str(source), read_limited(source, max_bytes=_MAX_FILE_BYTES, what="the photo")
    header = header_of(io.BytesIO(source), name)
    _check_size(header.width_px, header.height_px, max_pixels, name)
    scale = _jpeg_scale(header, at_least) if header.format == "jpeg" else 1
    with refusing(name, header.format):
        if header.format == "jpeg":
            photo = _read_jpeg(source, header, channels, scale)
        else:
            photo = _read_other(source, header, channels, max_pixels)
    return photo, (header.width_px / scale, header.height_px / scale)


def _check_size(width_px: int, height_px: int, max_pixels: int, name: str) -> None:
    if min(width_px, height_px) < 1:
        raise DataError(f"{name}: the photo has no pixels ({width_px} x {height_px}).", hint="Leave it out.")
    if width_px * height_px > max_pixels:
        raise DataError(
            f"{name}: the photo claims {width_px} x {height_px} pixels ({width_px * height_px / 1e6:,.0f} megapixels); "
            f"the limit is {max_pixels / 1e6:,.0f}.",
            hint="Nothing was decoded. If the photo is genuine, shrink or tile it first.",
        )


def _read_other(data: bytes, header: PhotoHeader, channels: int, max_pixels: int) -> NDArray[np.uint8]:
    data = png.essential(data) if header.format == "png" else data
    image = PLUGINS[header.format](io.BytesIO(data))
    image.load()
    if image.width * image.height > max_pixels:
        raise ValueError(f"its first frame grew to {image.width} x {image.height} pixels")
    if header.format == "png" and not image.crop((0, image.height - 1, *image.size)).getbbox(alpha_only=False):
        png.check_rows(data)
    # Pillow turns a TIFF while it loads it; the rest is turned here.
    return exif.upright(pixels(image, channels), 1 if header.format == "tiff" else header.exif_orientation)


def _read_jpeg(data: bytes, header: PhotoHeader, channels: int, scale: int) -> NDArray[np.uint8]:
    scans, megapixels = jpeg.scans(data), header.width_px * header.height_px / 1e6
    if len(scans.ends) > _USUAL_SCANS and len(scans.ends) * megapixels > _MAX_MEGAPIXEL_PASSES:
        raise ValueError(f"it has {len(scans.ends)} scans over {megapixels:.0f} megapixels, which no camera writes")
    if header.mode not in _FLAGS or header.bits != 8:
        return exif.upright(_pillow_jpeg(data, scale, channels), header.exif_orientation)
    photo = _cv2_jpeg(data, _FLAGS[header.mode][scale])
    if abs(photo[-1, -1].astype(int) - _NEUTRAL).max() <= (_SMOOTHED if scans.progressive else 0):
        _check_last_rows(data, scans.ends[0], header.mode, scale)
    return exif.upright(with_channels(photo, channels), header.exif_orientation)


def _jpeg_scale(header: PhotoHeader, at_least: tuple[int, int] | None) -> int:
    """Return the largest reduction that keeps both sides at least as long as asked."""
    if at_least is None:
        return 1
    fits = (
        scale for scale in _SCALES if header.width_px >= at_least[0] * scale and header.height_px >= at_least[1] * scale
    )
    return next(fits, 1)


def _cv2_jpeg(data: bytes, flags: int) -> NDArray[np.uint8]:
    try:
        photo = cv2.imdecode(np.frombuffer(data, np.uint8), flags | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error as error:
        raise ValueError(f"the decoder refuses it ({error.err})") from error
    if photo is None:
        raise ValueError("it is cut off or damaged")
    return np.asarray(photo, np.uint8).reshape(*photo.shape[:2], -1)


def _pillow_jpeg(data: bytes, scale: int, channels: int) -> NDArray[np.uint8]:
    image = PLUGINS["jpeg"](io.BytesIO(data))
    if scale > 1:
        image.draft(image.mode, (-(-image.width // scale), -(-image.height // scale)))
    return pixels(image, channels)


def _check_last_rows(data: bytes, end: int, mode: str, scale: int) -> None:
    """Tell a photo that ends in neutral grey from one whose missing rows the decoder painted in that grey.

    More bytes are put behind the pixel data: a whole photo leaves them unread, a cut one decodes them.

    Raises:
        ValueError: the pixel data are cut off.
    """
    channels = 1 if mode == "L" else 3
    longer = data[:end] + _PROBE + data[end:]
    if not np.array_equal(_pillow_jpeg(data, scale, channels), _pillow_jpeg(longer, scale, channels)):
        raise ValueError("it is cut off: its last rows are missing")
