"""Outlines of polygons checked by their text alone: a tenth of what it costs to make a number of each coordinate.

The texts are JSON that a decoder has gone through. Without digits, signs, points and spaces, `[[1.5, 2, ...], [...]]`
is `[[,...],[...]]`: brackets say how deep it is, and commas how many values a polygon has.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]
Text = NDArray[np.uint8]

WHOLE_DIGITS = 7
"""A number of so many digits before its point is less than 1e7, the limit of coordinates."""

_OPEN, _CLOSE, _COMMA, _ZERO = b"[],0"
_OF_NUMBERS = b"0123456789.- \t\r\n"
_STARTS = b"[, -\t\r\n"
# Each digit a zero, and whatever stands before a number a comma: digits behind a point keep the point before them.
_INTEGERS = bytes(_ZERO if byte in b"0123456789" else _COMMA if byte in _STARTS else byte for byte in range(256))
_HIGH_BITS, _OF_DIGITS = np.uint32(0xF0F0F0F0), np.uint32(0x30303030)
_TOO_MANY_DIGITS = b"," + b"0" * (WHOLE_DIGITS + 1)


@dataclass(frozen=True, slots=True)
class Skeleton:
    """What brackets and commas say of some outlines.

    Attributes:
        parts: int64 (N,), the polygons of each.
        doubtful: rows of lists without a list in them: empty, or of numbers.
    """

    parts: Rows
    doubtful: list[int]


def skeleton(text: bytes, number: int, min_values: int, max_values: int) -> Skeleton | None:
    """Return what outlines are; None where one may be anything but good polygons, and each has to be looked at.

    Args:
        text: JSON lists, with commas between.
        number: of lists.
        min_values: of a polygon, an even number.
        max_values: likewise.
    """
    bones = text.translate(None, _OF_NUMBERS)
    if bones.translate(None, b"[],") or _has_large(text):
        return None
    # Padded, so that what stands before and behind a bracket is always there.
    marks = np.frombuffer(b",,%b,," % bones, dtype=np.uint8)
    places = np.flatnonzero(marks != _COMMA)
    opens = marks[places] == _OPEN
    depth = np.cumsum(np.where(opens, 1, -1))
    if depth.max(initial=0) > 2:
        return None
    tops = np.flatnonzero(opens & (depth == 1))
    polygons = np.flatnonzero(opens & (depth == 2))
    if len(tops) != number or not _sound(marks, places[polygons], places[polygons + 1], (min_values, max_values)):
        return None
    parts = np.diff(np.searchsorted(polygons, np.append(tops, len(places))))
    return Skeleton(parts, np.flatnonzero(parts == 0).tolist())


def _sound(marks: Text, first: Rows, last: Rows, limits: tuple[int, int]) -> bool:
    """Tell whether polygons have as many values as they may, and nothing but polygons beside them."""
    values = last - first
    before = (marks[first - 1] == _OPEN) | (marks[first - 2] == _CLOSE)
    behind = (marks[last + 1] == _CLOSE) | (marks[last + 2] == _OPEN)
    even = (values & 1) == 0
    return bool((even & (values >= limits[0]) & (values <= limits[1]) & before & behind).all())


def _has_large(text: bytes) -> bool:
    """Tell whether a number has more digits before its point than it may; there is no exponent."""
    aligned = np.frombuffer(text, dtype=np.uint32, count=len(text) // 4)
    if not ((aligned & _HIGH_BITS) == _OF_DIGITS).any():  # among so many digits in a row four would be aligned
        return False
    run = (np.frombuffer(text, dtype=np.uint8) - _ZERO) < 10
    for step in (1, 2, 4):  # after which eight in a row are left
        run = run[:-step] & run[step:]
    return bool(run.any()) and _TOO_MANY_DIGITS in text.translate(_INTEGERS)
