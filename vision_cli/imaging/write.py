"""Encode photos, and write them whole or not at all."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vision_cli.core.errors import UsageError
from vision_cli.core.files import write_bytes
from vision_cli.imaging.modes import as_image, pixels


def encode_jpeg(photo: NDArray[np.uint8], quality: int = 90) -> bytes:
    """Encode a photo uint8 (H, W, 1 | 3 | 4) as JPEG; alpha is laid over white.

    Args:
        photo: the pixels.
        quality: 1..95.
    """
    opaque = as_image(pixels(as_image(photo), 3)) if photo.shape[2] == 4 else as_image(photo)
    buffer = io.BytesIO()
    opaque.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def encode_png(photo: NDArray[np.uint8]) -> bytes:
    """Encode a photo uint8 (H, W, 1 | 3 | 4) as PNG, without loss."""
    buffer = io.BytesIO()
    as_image(photo).save(buffer, "PNG")
    return buffer.getvalue()


def encode_webp(photo: NDArray[np.uint8], quality: int = 90) -> bytes:
    """Encode a photo uint8 (H, W, 1 | 3 | 4) as lossy WebP."""
    buffer = io.BytesIO()
    as_image(photo).save(buffer, "WEBP", quality=quality)
    return buffer.getvalue()


_ENCODERS: dict[str, Callable[[NDArray[np.uint8], int], bytes]] = {
    ".jpg": encode_jpeg,
    ".jpeg": encode_jpeg,
    ".png": lambda photo, _quality: encode_png(photo),
    ".webp": encode_webp,
}


def write_photo(path: Path, photo: NDArray[np.uint8], *, quality: int = 90) -> None:
    """Write a photo in the format of the path's suffix: jpg, png or webp.

    Raises:
        UsageError: another suffix.
        ResourceError: the disk refuses; what was there before is intact.
    """
    encode = _ENCODERS.get(path.suffix.lower())
    if encode is None:
        raise UsageError(f"{path}: photos are not written as '{path.suffix}'.", hint=f"Use {', '.join(_ENCODERS)}.")
    write_bytes(path, encode(photo, quality))
