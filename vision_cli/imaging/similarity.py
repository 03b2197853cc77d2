"""Find the same photo twice: exactly, by its bytes, or nearly, by how it looks."""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vision_cli.core.files import file_sha256
from vision_cli.imaging.modes import with_channels
from vision_cli.imaging.resize import fit

_SIDE = 32
_LOW = slice(1, 9)
# A flat photo has no structure to hash: what the transform leaves of it is rounding, far below this.
_ROUNDING = 1e-2
_BLOCK = 64
_MAX_PAIRS = 5_000_000


def sha256(source: Path | bytes) -> str:
    """Return the SHA-256 of a file's bytes in hex."""
    return hashlib.sha256(source).hexdigest() if isinstance(source, bytes) else file_sha256(source)


def perceptual_hash(photo: NDArray[np.uint8]) -> np.uint64:
    """Return 64 bits that survive rescaling, recompression and small changes of light.

    The signs of 8 x 8 low frequencies of a 32 x 32 cosine transform, against their median: C. Zauner, Implementation
    and Benchmarking of Perceptual Image Hash Functions, 2010, section 3.2.1. Photos within about 8 bits look alike.

    Args:
        photo: uint8 (H, W, C), upright.
    """
    grey = fit(with_channels(photo, 1), (_SIDE, _SIDE), "stretch", interpolation="area")[:, :, 0]
    low = np.asarray(cv2.dct(grey.astype(np.float32)), np.float32)[_LOW, _LOW].ravel()
    bits = low > np.median(low) + _ROUNDING
    return np.uint64(int.from_bytes(np.packbits(bits).tobytes(), "big"))


def near_pairs(hashes: NDArray[np.uint64], max_distance: int, *, max_pairs: int = _MAX_PAIRS) -> NDArray[np.int64]:
    """Return the pairs of photos whose hashes differ in few bits.

    Time grows with the square: 50,000 hashes take some seconds.

    Args:
        hashes: uint64 (N,), of `perceptual_hash`.
        max_distance: 0..64 bits.
        max_pairs: stop after about so many; thousands of blank photos would otherwise fill the memory with pairs.

    Returns:
        int64 (M, 2), indices (i, j) with i < j, ascending.
    """
    found: list[NDArray[np.int64]] = []
    count = 0
    for start in range(0, len(hashes), _BLOCK):
        block, rest = hashes[start : start + _BLOCK], hashes[start:]
        near = np.bitwise_count(block[:, None] ^ rest[None, :]) <= max_distance
        pairs = np.argwhere(np.triu(near, k=1)).astype(np.int64) + start
        found.append(pairs)
        count += len(pairs)
        if count >= max_pairs:
            break
    return np.concatenate(found)[:max_pairs] if found else np.empty((0, 2), np.int64)
