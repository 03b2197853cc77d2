"""Give each photo a fixed place between 0 and 1 that depends on its own name and the seed, and on no other photo."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import numpy as np

_LAST_NUMBER = re.compile(r"(?s)(.*?)([0-9]{1,18})([^0-9]*)")
_SUFFIX = re.compile(r"\.[^./]*$")
# 2**64 / golden ratio: multiples of it, modulo 2**64, fill the circle more evenly than any other step (Knuth, The Art
# of Computer Programming, volume 3, section 6.4).
_GOLDEN_STEP = 0x9E3779B97F4A7C15
_HAND = 20


def places(keys: Sequence[str], seed: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return float64 (N,) in [0, 1): evenly distributed, the same for a key whatever the other keys are.

    A key without a number gets a hash. Keys that differ in their last number alone (photo_001, photo_002 ...) are dealt
    out like cards, twenty numbers a hand, each hand from a hashed start on: their shares come out nearer to those that
    were asked for than by chance.
    """
    return np.array([_place(key, seed) for key in keys], dtype=np.float64)


def _place(key: str, seed: int) -> float:
    match = _LAST_NUMBER.fullmatch(_SUFFIX.sub("", key))
    if match is None:
        return (_hash(f"{seed}\0{key}") >> 11) / 2**53
    hand, card = divmod(int(match[2]), _HAND)
    start = _hash(f"{seed}\0{match[1]}\0{hand}\0{match[3]}")
    return ((start + card * _GOLDEN_STEP) % 2**64 >> 11) / 2**53


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=8).digest(), "big")
