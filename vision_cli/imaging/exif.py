"""The one EXIF value that changes a photo: its orientation (EXIF 2.32, tag 274)."""

from __future__ import annotations

import struct
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

_ORIENTATION_TAG = 274
_SHORT = 3

# What to do with the stored rows so that the photo stands upright. 1, 0, 9 and garbage: nothing.
_UPRIGHT: dict[int, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]] = {
    2: lambda photo: photo[:, ::-1],
    3: lambda photo: photo[::-1, ::-1],
    4: lambda photo: photo[::-1],
    5: lambda photo: photo.swapaxes(0, 1),
    6: lambda photo: photo[::-1].swapaxes(0, 1),
    7: lambda photo: photo[::-1, ::-1].swapaxes(0, 1),
    8: lambda photo: photo[:, ::-1].swapaxes(0, 1),
}


def known(value: object) -> int:
    """Return an orientation in 1..8; anything else counts as 1."""
    return value if isinstance(value, int) and value in _UPRIGHT else 1


def orientation(block: bytes) -> int:
    """Return the orientation 1..8 in an EXIF block (a TIFF header and its first directory); 1 when there is none."""
    block = block.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(block[:4])
    if order is None or len(block) < 8:
        return 1
    start = struct.unpack_from(f"{order}I", block, 4)[0]
    if start + 2 > len(block):
        return 1
    count = struct.unpack_from(f"{order}H", block, start)[0]
    for at in range(start + 2, min(start + 2 + 12 * count, len(block) - 11), 12):
        tag, kind, length, value = struct.unpack_from(f"{order}HHIH", block, at)
        if tag == _ORIENTATION_TAG:
            return known(value) if (kind, length) == (_SHORT, 1) else 1
    return 1


def swaps_sides(value: int) -> bool:
    """Return whether an orientation exchanges width and height."""
    return value >= 5


def upright(photo: NDArray[np.uint8], value: int) -> NDArray[np.uint8]:
    """Turn a photo (H, W, C) as its orientation says."""
    turn = _UPRIGHT.get(value)
    return photo if turn is None else np.ascontiguousarray(turn(photo))
