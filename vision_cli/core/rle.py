"""Run-length masks as COCO writes them: runs of 0 and 1 in turn, down the columns, the first run of zeros.

The compressed text is that of pycocotools (`maskApi.c`, `rleToString`): from the fourth run on the difference to the
run two before, in groups of 5 bits, lowest first, the sixth bit says that more follow, plus 48. Nothing is allocated
before its size is checked, and bytes from anywhere end in an array or a `DataError`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vision_cli.core.errors import DataError

MAX_PIXELS = 100_000_000
_GROUP_BITS, _GROUP_MASK, _SIGN, _MORE, _OFFSET = 5, 0x1F, 0x10, 0x20, 48
_MAX_GROUPS = 7  # 35 bits: more than any count, less than an int64

Counts = Sequence[int] | NDArray[np.int64]
Box = tuple[int, int, int, int]


def check_size(height: Any, width: Any) -> None:
    """Refuse a size that no mask has.

    Raises:
        DataError: not whole, not positive, or over 100 megapixels.
    """
    whole = all(isinstance(side, int | np.integer) and not isinstance(side, bool) for side in (height, width))
    if not whole or min(height, width) < 1:
        raise DataError(f"a mask of size [{height}, {width}] is not possible.", hint="Size is [height, width].")
    if int(height) * int(width) > MAX_PIXELS:
        raise DataError(f"a mask of size [{height}, {width}] is over {MAX_PIXELS / 1e6:.0f} megapixels.")


def runs(counts: Counts, height: int, width: int) -> NDArray[np.int64]:
    """Return counts as int64 (N,), checked.

    Raises:
        DataError: an impossible size, none at all, a negative or fractional count, or a sum other than the pixels.
    """
    check_size(height, width)
    pixels = int(height) * int(width)
    if not 0 < len(counts) <= pixels + 1:
        raise DataError(f"{len(counts)} run lengths cannot make a mask of {width} x {height} pixels.")
    found = _integers(counts)
    if found.min() < 0 or found.max() > pixels:
        raise DataError(f"a run length is {_first_bad(found, pixels)}, in a mask of {width} x {height} pixels.")
    if int(found.sum()) != pixels:
        raise DataError(f"the run lengths make {int(found.sum())} pixels; {width} x {height} are {pixels}.")
    return found


def _integers(counts: Counts) -> NDArray[np.int64]:
    try:
        found = np.asarray(counts)
    except (OverflowError, ValueError) as error:
        raise DataError("a run length is no whole number of pixels.") from error
    if found.ndim != 1 or found.dtype.kind not in "iu":
        raise DataError("a run length is no whole number of pixels.", hint="Counts are integers, 0 or more.")
    if found.dtype.kind == "u" and found.size and found.max() > np.uint64(MAX_PIXELS):
        raise DataError(f"a run length is {found.max()}, over {MAX_PIXELS / 1e6:.0f} megapixels.")
    return found.astype(np.int64)


def _first_bad(found: NDArray[np.int64], pixels: int) -> int:
    return int(found[(found < 0) | (found > pixels)][0])


def encode(mask: NDArray[np.bool_]) -> list[int]:
    """Return the counts of a mask bool (H, W).

    Raises:
        DataError: an impossible size.
    """
    check_size(*mask.shape)
    flat = np.asarray(mask, dtype=np.bool_).T.ravel()
    edges = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    bounds = np.concatenate([[0] if flat[0] else [], [0], edges, [flat.size]]).astype(np.int64)
    counts: list[int] = np.diff(bounds).tolist()
    return counts


def encode_labels(
    labels: NDArray[np.integer[Any]],
) -> tuple[NDArray[np.int64], list[NDArray[np.int64]]]:
    """Return the distinct values of a picture (H, W), ascending, and the counts of each one's pixels, in one pass.

    Raises:
        DataError: an impossible size.
    """
    check_size(*labels.shape)
    flat = labels.T.ravel()
    starts = np.concatenate([[0], np.flatnonzero(flat[1:] != flat[:-1]) + 1])
    values, ends = flat[starts].astype(np.int64), np.append(starts[1:], flat.size)
    order = np.argsort(values, kind="stable")
    ids, firsts = np.unique(values[order], return_index=True)
    parts = zip(np.split(starts[order], firsts[1:]), np.split(ends[order], firsts[1:]), strict=True)
    return ids, [of_spans(begin, end, flat.size) for begin, end in parts]


def of_spans(starts: NDArray[np.int64], ends: NDArray[np.int64], pixels: int) -> NDArray[np.int64]:
    """Return the counts of ascending spans [start, end) that neither touch nor overlap, of a mask of so many pixels."""
    bounds = np.empty(2 * len(starts) + 2, dtype=np.int64)
    bounds[0], bounds[1:-1:2], bounds[2:-1:2], bounds[-1] = 0, starts, ends, pixels
    counts = np.diff(bounds)
    return counts[:-1] if counts[-1] == 0 else counts


def spans(counts: Counts) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return starts and ends of the runs of ones, ascending; counts are trusted (see `runs`)."""
    ends = np.cumsum(np.asarray(counts, dtype=np.int64))[1::2]
    lengths = np.asarray(counts, dtype=np.int64)[1::2]
    kept = lengths > 0
    return (ends - lengths)[kept], ends[kept]


def decode(counts: Counts, height: int, width: int) -> NDArray[np.bool_]:
    """Return the mask bool (height, width).

    Raises:
        DataError: see `runs`.
    """
    lengths = runs(counts, height, width)
    return np.repeat(np.arange(len(lengths)) % 2 == 1, lengths).reshape(width, height).T


def decode_columns(counts: Counts, shape: tuple[int, int], first: int, end: int) -> NDArray[np.bool_]:
    """Return some columns of a mask, bool (height, end - first): the rest of it is not painted.

    Args:
        counts: of the mask.
        shape: (height, width) of the mask.
        first: column.
        end: column behind the last one.

    Raises:
        DataError: see `runs`.
    """
    height, width = shape
    starts, ends = spans(runs(counts, height, width))
    starts, ends = (np.clip(each - first * height, 0, (end - first) * height) for each in (starts, ends))
    inside = ends > starts
    steps = np.zeros((end - first) * height + 1, dtype=np.int8)
    steps[starts[inside]] += 1
    steps[ends[inside]] -= 1
    return (np.cumsum(steps[:-1], dtype=np.int8) > 0).reshape(end - first, height).T


def area(counts: Counts) -> int:
    """Return the number of pixels that are set; counts are trusted."""
    return int(np.asarray(counts, dtype=np.int64)[1::2].sum())


def box(counts: Counts, height: int) -> Box:
    """Return (x, y, width, height) of the pixels that are set, (0, 0, 0, 0) without any; counts are trusted."""
    starts, ends = spans(counts)
    if not len(starts):
        return 0, 0, 0, 0
    left, right = int(starts[0]) // height, int(ends[-1] - 1) // height
    tops, lows = starts % height, (ends - 1) % height
    if (starts // height != (ends - 1) // height).any():
        return left, 0, right - left + 1, height
    return left, int(tops.min()), right - left + 1, int(lows.max() - tops.min()) + 1


def to_text(counts: Counts) -> str:
    """Return the compressed text of counts, as pycocotools writes it."""
    values = np.asarray(counts, dtype=np.int64).copy()
    values[3:] -= np.asarray(counts, dtype=np.int64)[1:-2]
    groups = np.empty((len(values), _MAX_GROUPS), dtype=np.uint8)
    used = np.zeros((len(values), _MAX_GROUPS), dtype=np.bool_)
    going = np.ones(len(values), dtype=np.bool_)
    for index in range(_MAX_GROUPS):
        low, values = values & _GROUP_MASK, values >> _GROUP_BITS
        more = values != np.where(low & _SIGN, -1, 0)
        groups[:, index], used[:, index] = low + _MORE * more + _OFFSET, going
        going = going & more
    return groups[used].tobytes().decode("ascii")


def from_text(text: str | bytes, *, max_counts: int = MAX_PIXELS) -> list[int]:
    """Return the counts of a compressed text; only `runs` tells whether they fit a size.

    Args:
        text: as pycocotools writes it.
        max_counts: refuse more.

    Raises:
        DataError: empty, a foreign character with its place, cut off, or a number without end.
    """
    data = np.frombuffer(text.encode("utf-8", "replace") if isinstance(text, str) else text, dtype=np.uint8)
    wrong = np.flatnonzero((data < _OFFSET) | (data >= _OFFSET + 2 * _MORE))
    if wrong.size or not data.size:
        problem = f"character {wrong[0] + 1} is none of it" if wrong.size else "it is empty"
        raise DataError(f"the text is no compressed run-length mask: {problem}.")
    codes = data.astype(np.int64) - _OFFSET
    last = np.flatnonzero(codes & _MORE == 0)
    if not last.size or last[-1] != len(codes) - 1:
        raise DataError("the compressed run-length mask is cut off.")
    lengths = np.diff(last, prepend=-1)
    if lengths.max() > _MAX_GROUPS or len(last) > max_counts:
        raise DataError("the compressed run-length mask holds a number that is too long, or too many numbers.")
    found: list[int] = _sums(_numbers(codes, last, lengths)).tolist()
    return found


def _numbers(codes: NDArray[np.int64], last: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Join groups of 5 bits; the highest bit of the last group is the sign."""
    places = np.arange(len(codes)) - np.repeat(last - lengths + 1, lengths)
    joined = np.add.reduceat((codes & _GROUP_MASK) << (_GROUP_BITS * places), last - lengths + 1)
    return joined - np.where(codes[last] & _SIGN, np.int64(1) << (_GROUP_BITS * lengths), 0)


def _sums(differences: NDArray[np.int64]) -> NDArray[np.int64]:
    """Undo the differences to the count two before; the first three counts stand as they are."""
    result = differences.copy()
    result[1::2] = np.cumsum(differences[1::2])
    result[2::2] = np.cumsum(differences[2::2])
    return result
