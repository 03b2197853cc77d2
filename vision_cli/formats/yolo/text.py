"""Numbers as decimals of one width, made by arrays: many times faster than formatting each."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np

from vision_cli.formats.yolo.rows import Floats, Integers

Bytes = np.ndarray[Any, np.dtype[np.uint8]]
Words = np.ndarray[Any, np.dtype[np.uint32]]

READ_BACK_PX = 1e-6
"""A box or point that is written as shares comes back within this many pixels."""
_LEAST_DIGITS = 6
_GROUP = 4
_BASE = 10**_GROUP
_CELLS_AT_ONCE = 1 << 17


def digits_for(side_px: int) -> int:
    """Return the decimals of shares with which edges come back within READ_BACK_PX.

    A share that is rounded to d decimals is off by at most 10^-d / 2, and an edge (cx - w / 2) * W by at most
    (1 + 1/2) * 10^-d / 2 * W; float64 itself adds under 1e-9 px. So 10^d must reach 0.75e6 * W: 9 decimals up to 1,333
    pixels, 10 up to 13,333.
    """
    return max(_LEAST_DIGITS, math.ceil(math.log10(0.75 / READ_BACK_PX * max(side_px, 1)) - 1e-12))


@lru_cache(maxsize=1)
def _fours() -> Words:
    """Return uint32 (10000,): four digits of each number, as they lie in memory."""
    return np.frombuffer(b"".join(b"%04d" % number for number in range(_BASE)), dtype=np.uint32)


@lru_cache(maxsize=1)
def _heads() -> Words:
    """Return uint32 (100,): a space, the digit before the point, the point and the first behind it."""
    return np.frombuffer(b"".join(b" %d.%d" % divmod(tenths, 10) for tenths in range(100)), dtype=np.uint32)


def cells(values: Floats, digits: int) -> Bytes:
    """Return uint8 (N, digits + 3), ASCII: values of 0 to 1 with so many decimals behind a space, ` 0.500000`."""
    groups = -(-(digits - 1) // _GROUP)
    rounded = np.rint(values * 10.0**digits) * 10 ** (1 + groups * _GROUP - digits)
    rest = rounded.astype(np.uint32 if rounded.max(initial=0) < 2**32 else np.uint64)
    words = np.empty((len(values), groups + 1), dtype=np.uint32)
    for column in range(groups, 0, -1):
        above = rest // _BASE
        words[:, column] = _fours()[rest - above * _BASE]
        rest = above
    words[:, 0] = _heads()[rest]
    return words.view(np.uint8)[:, : digits + 3]


def rows_text(class_ids: Integers, counts: Integers, shares: Floats, digits: int) -> list[bytes]:
    """Return rows `class share share ...`, each with its line end.

    Args:
        class_ids: int64 (N,).
        counts: int64 (N,), shares of each row, at least one.
        shares: float64 (sum of counts,), 0 to 1.
        digits: decimals.
    """
    text = cells(shares, digits).tobytes()
    cuts = pairwise([0, *(np.cumsum(counts) * (digits + 3)).tolist()])
    return [
        b"%d%b\n" % (number, text[start:end]) for number, (start, end) in zip(class_ids.tolist(), cuts, strict=True)
    ]


def batches(counts: Sequence[int] | Integers) -> Iterator[tuple[int, int]]:
    """Yield ranges of items that together have a bounded number of cells, at least one item each."""
    ends = np.cumsum(counts)
    first = 0
    while first < len(ends):
        limit = (int(ends[first - 1]) if first else 0) + _CELLS_AT_ONCE
        stop = max(int(np.searchsorted(ends, limit, side="right")), first + 1)
        yield first, stop
        first = stop
