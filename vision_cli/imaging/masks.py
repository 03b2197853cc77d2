"""Read and write pictures whose numbers are labels: palette indices, grey levels or colours, as they are stored.

Nothing is converted, turned or scaled. The checks are those of photos: size before anything is decoded, a file that is
cut off is refused. Formats that change pixels while they compress (JPEG, lossy WebP, AVIF) cannot hold labels.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vision_cli.core.errors import DataError
from vision_cli.core.files import read_limited
from vision_cli.imaging import png
from vision_cli.imaging.header import PLUGINS, PhotoHeader, header_of, refusing
from vision_cli.imaging.read import MAX_PIXELS

_MAX_FILE_BYTES = 1 << 29
_LOSSY = frozenset({"jpeg", "webp", "avif"})
_DEEP_GREY = ("I;16", "I;16L", "I;16B", "I;16N")
_OPAQUE = 255
_HINT = "Save masks as PNG: indexed, 8 or 16-bit grey, or RGB."


@dataclass(frozen=True, slots=True)
class Mask:
    """A picture of labels.

    Attributes:
        values: uint8 or uint16 (H, W): palette indices or grey levels; uint8 (H, W, 3): colours.
        palette: uint8 (N, 3), the colours of the indices; None without.
    """

    values: NDArray[Any]
    palette: NDArray[np.uint8] | None = None

    @property
    def coloured(self) -> bool:
        """Tell whether the labels are colours."""
        return self.values.ndim == 3

    @property
    def size(self) -> tuple[int, int]:
        """Return (width, height) in pixels."""
        return int(self.values.shape[1]), int(self.values.shape[0])


def read_mask(source: Path | bytes, *, max_pixels: int = MAX_PIXELS, name: str = "mask") -> Mask:
    """Read a mask; content decides the format, not the suffix.

    Args:
        source: a path, or a file's bytes.
        max_pixels: refuse more before anything is decoded.
        name: how messages call the bytes; a path is called by itself.

    Raises:
        DataError: missing, too large, cut off, of a format or depth that cannot hold labels, or partly transparent.
    """
    if isinstance(source, Path):
        name, source = str(source), read_limited(source, max_bytes=_MAX_FILE_BYTES, what="the mask")
    header = header_of(io.BytesIO(source), name)
    _check(header, max_pixels, name)
    with refusing(name, header.format):
        return _pixels(_decoded(source, header), header)


def read_id_picture(source: Path, *, max_pixels: int = MAX_PIXELS) -> NDArray[np.int32]:
    """Read a PNG whose colours are numbers, R + 256 G + 65536 B, as COCO's panoptic pictures are.

    Returns:
        int32 (H, W).

    Raises:
        DataError: no PNG of 8-bit RGB; palettes and JPEGs hold other numbers than were written.
    """
    data = read_limited(source, max_bytes=_MAX_FILE_BYTES, what="the mask")
    header = header_of(io.BytesIO(data), str(source))
    if header.format != "png" or header.mode not in ("RGB", "RGBA") or header.bits != 8:
        raise DataError(
            f"{source}: segment ids need a PNG of 8-bit RGB; this is {header.format.upper()}, mode {header.mode}, "
            f"{header.bits} bits.",
            hint="Ids are R + 256 G + 65536 B. Write the picture again as an RGB PNG.",
        )
    return ids_of_colours(read_mask(data, max_pixels=max_pixels, name=str(source)).values)


def ids_of_colours(colours: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Return R + 256 G + 65536 B of uint8 (H, W, 3) as int32 (H, W)."""
    ids = colours[..., 2].astype(np.int32)
    for channel in (1, 0):
        ids <<= 8
        ids |= colours[..., channel]
    return ids


def colours_of_ids(ids: NDArray[np.integer[Any]]) -> NDArray[np.uint8]:
    """Return the colours uint8 (H, W, 3) of numbers 0 to 2^24 - 1."""
    return np.stack([(ids >> shift & 0xFF).astype(np.uint8) for shift in (0, 8, 16)], axis=-1)


def encode_mask(mask: Mask) -> bytes:
    """Encode a mask as PNG: with its palette, as 8 or 16-bit grey, or as RGB."""
    image = Image.fromarray(mask.values)
    if mask.palette is not None:
        image = image.convert("L")
        image.putpalette(mask.palette.tobytes(), "RGB")
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def encode_id_picture(ids: NDArray[np.integer[Any]]) -> bytes:
    """Encode numbers 0 to 2^24 - 1 (H, W) as an RGB PNG."""
    return encode_mask(Mask(colours_of_ids(ids)))


def voc_palette() -> NDArray[np.uint8]:
    """Return the 256 colours of Pascal VOC's masks (VOCdevkit, `VOClabelcolormap.m`), uint8 (256, 3)."""
    indices = np.arange(256)
    colours = np.zeros((256, 3), dtype=np.uint8)
    for bit in range(8):
        for channel in range(3):
            colours[:, channel] |= ((indices >> (3 * bit + channel) & 1) << (7 - bit)).astype(np.uint8)
    return colours


def _check(header: PhotoHeader, max_pixels: int, name: str) -> None:
    pixels = header.width_px * header.height_px
    if not 0 < pixels <= max_pixels:
        size = f"{header.width_px} x {header.height_px} pixels"
        raise DataError(f"{name}: the mask claims {size}; the limit is {max_pixels:,} in all.", hint=_HINT)
    if header.format in _LOSSY:
        raise DataError(f"{name}: a {header.format.upper()} picture cannot hold labels exactly.", hint=_HINT)
    if header.bits == 16 and header.mode in ("RGB", "RGBA", "LA"):
        raise DataError(f"{name}: a mask of 16-bit colours is not known.", hint=_HINT)


def _decoded(data: bytes, header: PhotoHeader) -> Image.Image:
    data = png.essential(data) if header.format == "png" else data
    image = PLUGINS[header.format](io.BytesIO(data))
    image.load()
    # Decoders leave rows black that are not there.
    if header.format == "png" and not image.crop((0, image.height - 1, *image.size)).getbbox(alpha_only=False):
        png.check_rows(data)
    return image


def _pixels(image: Image.Image, header: PhotoHeader) -> Mask:
    """Take the numbers out of a decoded picture.

    Raises:
        ValueError: its pixels are no labels.
    """
    values = np.asarray(image)
    if image.mode == "P":
        return Mask(values, np.array(image.getpalette("RGB"), dtype=np.uint8).reshape(-1, 3))
    if image.mode == "1":
        return Mask(values.astype(np.uint8))
    if image.mode == "L":
        # Pillow spreads 2 and 4-bit grey over 0 to 255.
        return Mask(values if header.bits >= 8 else values // (255 // ((1 << header.bits) - 1)))
    if image.mode in _DEEP_GREY or (image.mode == "I" and image.format == "PPM"):
        return Mask(values.astype(np.uint16))
    if image.mode in ("RGBA", "LA") and values[..., -1].min() < _OPAQUE:
        raise ValueError("it is partly transparent, so what its labels are nobody knows")
    if image.mode == "LA":
        return Mask(np.ascontiguousarray(values[..., 0]))
    if image.mode in ("RGB", "RGBA"):
        return Mask(np.ascontiguousarray(values[..., :3]))
    raise ValueError(f"its pixels are of mode {image.mode}, which holds no labels")
