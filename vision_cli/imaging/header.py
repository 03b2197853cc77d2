"""What a photo file says about itself, read without decoding it."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from vision_cli.core.errors import DataError
from vision_cli.imaging import exif, jpeg, png
from vision_cli.imaging.sniff import HEAD_BYTES, foreign_name, photo_format

# Pillow warns of odd metadata, which no reader of a photo can act on.
warnings.filterwarnings("ignore", module=r"PIL\.")

# The plugins are called directly: `Image.open` would also try formats that run programs (PostScript).
PLUGINS: dict[str, Callable[[BinaryIO], ImageFile.ImageFile]] = {
    "jpeg": JpegImagePlugin.JpegImageFile,
    "png": PngImagePlugin.PngImageFile,
    "gif": GifImagePlugin.GifImageFile,
    "bmp": BmpImagePlugin.BmpImageFile,
    "tiff": TiffImagePlugin.TiffImageFile,
    "webp": WebPImagePlugin.WebPImageFile,
    "ppm": PpmImagePlugin.PpmImageFile,
    "avif": AvifImagePlugin.AvifImageFile,
}
MAX_PIXELS = 100_000_000
FORMATS_TEXT = "JPEG, PNG, GIF, BMP, TIFF, WebP, PPM or AVIF"

# What decoders raise on damaged bytes. MemoryError is not among them: that is the machine's trouble, not the file's.
DECODER_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    EOFError,
    ArithmeticError,
    AttributeError,
    RuntimeError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    Warning,
)

_BITS_BY_MODE = {"1": 1, "I": 32, "F": 32}
_JPEG_MODES = {1: "L", 3: "RGB", 4: "CMYK"}
_BITS_TAG, _ORIENTATION_TAG = 258, 274


@dataclass(frozen=True, slots=True)
class PhotoHeader:
    """What a file announces.

    Attributes:
        format: `jpeg`, `png`, `gif`, `bmp`, `tiff`, `webp`, `ppm` or `avif`, by content.
        width_px: as `read_photo` returns it, that is after the orientation was applied.
        height_px: likewise.
        mode: Pillow's name of the stored pixels: L, RGB, RGBA, P, CMYK, I;16 ...
        bits: a channel.
        exif_orientation: 1..8; 1 when absent or invalid.
        frames: 1 for a still; GIF and TIFF announce no number, there 2 stands for "several".
    """

    format: str
    width_px: int
    height_px: int
    mode: str
    bits: int
    exif_orientation: int
    frames: int


def read_header(source: Path | bytes, *, name: str = "photo") -> PhotoHeader:
    """Read what a file announces, without decoding it and without trusting its suffix.

    Args:
        source: a path, or a file's bytes.
        name: how messages call the bytes; a path is called by itself.

    Raises:
        DataError: missing, empty, no photo, or damaged in its header.
    """
    if isinstance(source, bytes):
        return header_of(io.BytesIO(source), name)
    try:
        if not source.is_file():
            problem = "is not a file" if source.exists() else "does not exist"
            raise DataError(f"{source}: the photo {problem}.", hint="Check the path.")
        with source.open("rb") as stream:
            return header_of(stream, str(source))
    except OSError as error:
        raise DataError(f"{source}: the photo cannot be read: {error.strerror}.", hint="Check the path.") from error


def header_of(stream: BinaryIO, name: str) -> PhotoHeader:
    """Read the header of an open file; see `read_header`."""
    head = stream.read(HEAD_BYTES)
    kind = _format_of(head, name)
    stream.seek(0)
    with refusing(name, kind):
        reader = _READERS.get(kind)
        return reader(stream) if reader else _pillow_header(stream, kind)


@contextmanager
def refusing(name: str, kind: str) -> Iterator[None]:
    """Turn what a decoder raises on damaged bytes into a `DataError` that names the photo."""
    try:
        yield
    except DECODER_ERRORS as error:
        what = str(error).rstrip(".") or type(error).__name__
        raise DataError(
            f"{name}: this {kind.upper()} photo cannot be read: {what}.",
            hint="Copy it again from where it came, or leave it out.",
        ) from error


def _format_of(head: bytes, name: str) -> str:
    if not head:
        raise DataError(f"{name}: the photo is empty (0 bytes).", hint="Copy it again from where it came.")
    kind = photo_format(head)
    if kind is None:
        raise DataError(
            f"{name}: is not a photo but {foreign_name(head)}.", hint=f"Use {FORMATS_TEXT}; the suffix does not matter."
        )
    return kind


def _jpeg_header(stream: BinaryIO) -> PhotoHeader:
    found = jpeg.header(stream)
    width_px, height_px = _turned(found.width_px, found.height_px, found.orientation)
    mode = _JPEG_MODES.get(found.components, f"{found.components} components")
    return PhotoHeader("jpeg", width_px, height_px, mode, found.bits, found.orientation, 1)


def _png_header(stream: BinaryIO) -> PhotoHeader:
    found = png.header(stream)
    width_px, height_px = _turned(found.width_px, found.height_px, found.orientation)
    return PhotoHeader("png", width_px, height_px, found.mode, found.bits, found.orientation, found.frames)


_READERS: dict[str, Callable[[BinaryIO], PhotoHeader]] = {"jpeg": _jpeg_header, "png": _png_header}


def _pillow_header(stream: BinaryIO, kind: str) -> PhotoHeader:
    image = PLUGINS[kind](stream)
    turned = pillow_orientation(image)
    # Pillow gives a TIFF's size as it is after turning, every other format's as it is stored.
    width_px, height_px = image.size if kind == "tiff" else _turned(*image.size, turned)
    return PhotoHeader(kind, width_px, height_px, image.mode, pillow_bits(image), turned, _frames(image))


def pillow_orientation(image: ImageFile.ImageFile) -> int:
    """Return the orientation 1..8 that an opened file states."""
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        return exif.known(image.tag_v2.get(_ORIENTATION_TAG))
    block = image.info.get("exif")
    return exif.orientation(block) if isinstance(block, bytes) else 1


def pillow_bits(image: ImageFile.ImageFile) -> int:
    """Return the bits a channel that an opened file states."""
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        bits = image.tag_v2.get(_BITS_TAG, (1,))
        return int(bits[0] if isinstance(bits, tuple) else bits)
    if image.format == "PPM" and image.mode == "I":
        return 16
    return 16 if image.mode.startswith("I;16") else _BITS_BY_MODE.get(image.mode, 8)


def _frames(image: ImageFile.ImageFile) -> int:
    if isinstance(image, TiffImagePlugin.TiffImageFile | GifImagePlugin.GifImageFile):
        return 2 if image.is_animated else 1
    return max(1, int(getattr(image, "n_frames", 1)))


def _turned(width_px: int, height_px: int, orientation: int) -> tuple[int, int]:
    return (height_px, width_px) if exif.swaps_sides(orientation) else (width_px, height_px)
