"""Decoded photos in memory that forked workers share, so that a small set is decoded once and not once an epoch."""

from __future__ import annotations

import mmap
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_BYTES = 1_000_000_000
_NDIM = 3


def held_bytes(photos: int, slot_bytes: int, max_bytes: int = MAX_BYTES) -> int:
    """Return the memory of a full cache."""
    return min(photos, max_bytes // max(1, slot_bytes)) * slot_bytes


class PhotoCache:
    """Slots of equal size in anonymous shared memory; pages that no photo touched cost nothing.

    A spawned worker (macOS, Windows) gets an empty cache without slots, which is slower but right.
    """

    def __init__(self, photos: int, slot_bytes: int, max_bytes: int = MAX_BYTES) -> None:
        self._slots = min(photos, max_bytes // max(1, slot_bytes))
        self._slot_bytes = slot_bytes
        self._open()

    def _open(self) -> None:
        self._pixels = mmap.mmap(-1, max(1, self._slots * self._slot_bytes))
        self._shapes = np.frombuffer(mmap.mmap(-1, max(1, self._slots) * _NDIM * 4), np.int32).reshape(-1, _NDIM)

    def __getstate__(self) -> dict[str, Any]:
        return {"_slots": 0, "_slot_bytes": self._slot_bytes}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._open()

    def get(self, index: int) -> NDArray[np.uint8] | None:
        """Return a copy of a photo, uint8 (H, W, C), or None if it was not put."""
        if index >= self._slots or not self._shapes[index, 0]:
            return None
        height, width, channels = (int(side) for side in self._shapes[index])
        count = height * width * channels
        photo = np.frombuffer(self._pixels, np.uint8, count, index * self._slot_bytes)
        return photo.reshape(height, width, channels).copy()

    def takes(self, index: int) -> bool:
        """Return whether a photo has a slot that is still empty."""
        return index < self._slots and not self._shapes[index, 0]

    def put(self, index: int, photo: NDArray[np.uint8]) -> None:
        """Keep a photo if it has a slot and fits."""
        if index < self._slots and photo.nbytes <= self._slot_bytes:
            start = index * self._slot_bytes
            self._pixels[start : start + photo.nbytes] = photo.tobytes()
            # Height last: a reader in another process takes a height above 0 as "the pixels are there".
            self._shapes[index, 1:] = photo.shape[1:]
            self._shapes[index, 0] = photo.shape[0]
