"""Numbers of up to eight characters, such as `123.45`, read many at once: eight bytes of text are one integer.

The method is that of fast JSON parsers (Lemire and Langdale 2019, https://arxiv.org/abs/1902.08318, section 3.1.4),
with arrays for registers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

PAD = 8
"""Bytes that have to stand before the first number."""

_AT_ONCE = 8_192
_TENS = 10.0 ** np.arange(PAD)

Ids = NDArray[np.int64]
Words = NDArray[np.uint64]


def _each(byte: int) -> np.uint64:
    return np.uint64(int.from_bytes(bytes([byte]) * 8, "little"))


_LOW, _TOP, _DOTS, _ZEROS, _OVER_NINE = _each(0x7F), _each(0x80), _each(ord(".")), _each(ord("0")), _each(0x76)
_ONE, _EIGHT, _BYTE, _SEVEN = np.uint64(1), np.uint64(8), np.uint64(3), np.uint64(7)
_PLACES = np.uint64(0x0706050403020100)
_LAST_BYTE = np.uint64(56)
_PAIRS = ((10, 8, 0x00FF00FF00FF00FF), (100, 16, 0x0000FFFF0000FFFF), (10_000, 32, 0xFFFFFFFF))


def parse(text: NDArray[np.uint8], ends: Ids, widths: Ids) -> NDArray[np.float64] | None:
    """Return the numbers, float64 (N,), each the double nearest to its text; None where one is written otherwise.

    Plain is a number of digits with at most one dot, which is not its last character; no sign and no exponent.

    Args:
        text: uint8 (B,), contiguous; the first eight bytes belong to no number.
        ends: int64 (N,), place after the last character of each number, 8 or more.
        widths: int64 (N,), characters of each number.
    """
    if len(widths) and (widths.min() < 1 or widths.max() > PAD):
        return None
    words = np.ndarray((len(text) - PAD + 1,), "<u8", text, strides=(1,))
    found = np.empty(len(ends))
    for start in range(0, len(ends), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        if not _read(words[ends[part] - PAD], widths[part].astype(np.uint64), found[part]):
            return None
    return found


def _read(words: Words, widths: Words, found: NDArray[np.float64]) -> bool:
    """Put the numbers that end words into `found`; False where one is not plain."""
    blank = (_EIGHT - widths) << _BYTE
    words >>= blank
    words <<= blank
    dot = _dots(words)
    digits = _without(words, dot)
    # The dot's place is filled up from the left: one more byte without a digit.
    blank += (dot != 0).astype(np.uint64) << _BYTE
    digits ^= (_ZEROS >> blank) << blank
    # Digits are 0 to 9 now; anything else gets the top bit of its byte here, and so does a dot before another.
    strange = digits + _OVER_NINE
    strange |= digits
    several = dot - _ONE
    several &= dot
    several <<= _SEVEN
    strange |= several
    if np.bitwise_or.reduce(strange) & _TOP or dot.max() >> _LAST_BYTE:
        return False
    for tens, bits, kept in _PAIRS:
        following = digits >> np.uint64(bits)
        digits *= np.uint64(tens)
        digits += following
        digits &= np.uint64(kept)
    # Below 10^8 over a power of ten below 10^8: both are exact, so that the quotient is the nearest double.
    np.divide(digits, _TENS[((dot * _PLACES) >> _LAST_BYTE).astype(np.int64)], out=found)
    return True


def _dots(words: Words) -> Words:
    """Return words with the lowest bit set of each byte that is a dot."""
    differs = words ^ _DOTS
    found = differs & _LOW
    found += _LOW
    found |= differs
    found |= _LOW
    np.invert(found, out=found)
    found >>= _SEVEN
    return found


def _without(words: Words, dot: Words) -> Words:
    """Return words with what stands before their dot moved up by a byte, over it."""
    fraction = ~((dot << _EIGHT) - _ONE)
    whole = words & (dot - _ONE)
    whole <<= (dot != 0).astype(np.uint64) << _BYTE
    whole |= words & fraction
    return whole
