"""Numbers as decimals of one width, made by arrays: many times faster than formatting each."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from vision_cli.formats.yolo.rows import Floats, Integers

Bytes = np.ndarray[Any, np.dtype[np.uint8]]

READ_BACK_PX = 1e-6
"""A box or point that is written as shares comes back within this many pixels."""
_LEAST_DIGITS = 6
_GROUP = 3
_ZERO, _POINT, _SPACE, _NEWLINE = b"0. \n"
_CELLS_AT_ONCE = 1 << 17


def digits_for(side_px: int) -> int:
    """Return the decimals of shares with which edges come back within READ_BACK_PX.

    A share that is rounded to d decimals is off by at most 10^-d / 2, and an edge (cx - w / 2) * W by at most
    (1 + 1/2) * 10^-d / 2 * W; float64 itself adds under 1e-9 px. So 10^d must reach 0.75e6 * W: 9 decimals up to 1,333
    pixels, 10 up to 13,333.
    """
    return max(_LEAST_DIGITS, math.ceil(math.log10(0.75 / READ_BACK_PX * max(side_px, 1)) - 1e-12))


@lru_cache(maxsize=1)
def _groups() -> Bytes:
    """Return uint8 (1000, 3): the digits of 0 to 999."""
    text = b"".join(b"%03d" % number for number in range(10**_GROUP))
    return np.frombuffer(text, dtype=np.uint8).reshape(-1, _GROUP)


def decimals(values: Floats, digits: int) -> Bytes:
    """Return uint8 (N, digits + 2), ASCII: values of 0 to 1 with so many decimals, `0.500000`."""
    rest = np.rint(values * 10.0**digits).astype(np.int64)
    padded = -(-digits // _GROUP) * _GROUP
    text = np.empty((len(values), padded + 2), dtype=np.uint8)
    whole = rest // 10**digits
    rest = (rest - whole * 10**digits) * 10 ** (padded - digits)
    for end in range(padded + 2, 2, -_GROUP):
        above = rest // 10**_GROUP
        text[:, end - _GROUP : end] = _groups()[rest - above * 10**_GROUP]
        rest = above
    text[:, 0] = whole + _ZERO
    text[:, 1] = _POINT
    return text[:, : digits + 2]


def _integers(values: Integers, width: int) -> Bytes:
    """Return uint8 (N, width): numbers from 0 on, with NUL before the first digit."""
    text = np.zeros((len(values), width), dtype=np.uint8)
    rest = values
    for column in range(width - 1, -1, -1):
        shown = (rest > 0) | (column == width - 1)
        text[:, column] = np.where(shown, rest % 10 + _ZERO, 0)
        rest = rest // 10
    return text


def rows_text(class_ids: Integers, counts: Integers, shares: Floats, digits: int) -> tuple[bytes, Integers]:
    """Return rows `class share share ...` as one text, and where each row ends in it.

    Args:
        class_ids: int64 (N,).
        counts: int64 (N,), shares of each row, at least one.
        shares: float64 (sum of counts,), 0 to 1.
        digits: decimals.
    """
    width = max(digits + 4, len(str(int(class_ids.max(initial=0)))))
    cells = np.zeros((len(class_ids) + len(shares), width), dtype=np.uint8)
    firsts = np.cumsum(counts + 1) - counts - 1
    is_share = np.ones(len(cells), dtype=np.bool_)
    is_share[firsts] = False
    cells[firsts] = _integers(class_ids, width)
    text = np.zeros((len(shares), width), dtype=np.uint8)
    text[:, 0] = _SPACE
    text[:, 1 : digits + 3] = decimals(shares, digits)
    text[np.cumsum(counts) - 1, digits + 3] = _NEWLINE
    cells[is_share] = text
    flat = cells.ravel()
    lengths = np.searchsorted(10 ** np.arange(1, 19), class_ids, side="right") + 1 + counts * (digits + 3) + 1
    return flat[flat != 0].tobytes(), np.asarray(np.cumsum(lengths), dtype=np.int64)


def batches(counts: Sequence[int] | Integers) -> Iterator[tuple[int, int]]:
    """Yield ranges of items that together have a bounded number of cells, at least one item each."""
    ends = np.cumsum(counts)
    first = 0
    while first < len(ends):
        limit = (int(ends[first - 1]) if first else 0) + _CELLS_AT_ONCE
        stop = max(int(np.searchsorted(ends, limit, side="right")), first + 1)
        yield first, stop
        first = stop
