"""Figures of whole columns of compressed run-length masks, a block of rows at a time: check, area and box in one pass.

What `core/rle.py` does for one mask; a row costs a microsecond or so instead of fifty.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vision_cli.core import rle
from vision_cli.core.errors import DataError

Ints = NDArray[np.int64]
_BLOCK_BYTES = 30_000
_OFFSET, _MORE, _SIGN, _LOW, _GROUP_BITS, _MAX_GROUPS = 48, 0x20, 0x10, 0x1F, 5, 7
_NO_RUN = -(1 << 40)
"""Below any number of 35 bits."""


@dataclass(frozen=True, slots=True)
class MaskFigures:
    """What is known of N masks.

    Attributes:
        sound: bool (N,): the text is one, and its runs make up the photo.
        areas: int64 (N,), pixels that are set; 0 where not sound.
        boxes: float64 (N, 4): x, y, width, height around them, in pixels; zeros where none is set.
    """

    sound: NDArray[np.bool_]
    areas: Ints
    boxes: NDArray[np.float64]


def figures(texts: pa.LargeBinaryArray, sizes: Ints) -> MaskFigures:
    """Return the figures of compressed masks.

    Args:
        texts: large_binary (N,), without nulls, as pycocotools writes `counts`.
        sizes: int64 (N, 2), width and height of each mask.
    """
    number = len(texts)
    found = MaskFigures(np.zeros(number, np.bool_), np.zeros(number, np.int64), np.zeros((number, 4)))
    for rows, block in _blocks(texts):
        found.sound[rows], found.areas[rows], runs = _of_block(block, sizes[rows])
        if runs is not None:
            found.boxes[rows] = _boxes(runs, sizes[rows, 1], found.sound[rows])
    return found


def sound(texts: pa.LargeBinaryArray, sizes: Ints) -> NDArray[np.bool_]:
    """Return bool (N,): which compressed masks make up their photo; see `figures`."""
    return np.concatenate(
        [np.empty(0, np.bool_), *(_of_block(block, sizes[rows])[0] for rows, block in _blocks(texts))]
    )


def fault(text: bytes, width: int, height: int) -> DataError:
    """Return why one mask is not sound."""
    try:
        rle.runs(rle.from_text(text, max_counts=width * height + 1), height, width)
    except DataError as error:
        return error
    return DataError("the mask's runs do not make up the photo.")


def _blocks(texts: pa.LargeBinaryArray) -> Iterator[tuple[slice, pa.LargeBinaryArray]]:
    ends = np.cumsum(_lengths(texts))
    start = 0
    while start < len(texts):
        before = int(ends[start - 1]) if start else 0
        end = max(start + 1, int(np.searchsorted(ends, before + _BLOCK_BYTES, side="right")))
        yield slice(start, end), texts.slice(start, end - start)
        start = end


def _lengths(texts: pa.LargeBinaryArray) -> Ints:
    import pyarrow.compute as pc

    return np.asarray(pc.binary_length(texts).to_numpy(zero_copy_only=False), dtype=np.int64)


@dataclass(frozen=True, slots=True)
class _Runs:
    """The runs of a block's masks in pairs: of zeros, of ones; a row with an odd number ends with an empty run.

    Attributes:
        pairs: int64 (K, 2).
        starts: int64 (N,), first pair of each row.
        row: int64 (K,), of each pair.
    """

    pairs: Ints
    starts: Ints
    row: Ints


def _of_block(texts: pa.LargeBinaryArray, sizes: Ints) -> tuple[NDArray[np.bool_], Ints, _Runs | None]:
    """Return which masks are sound, their areas and their runs."""
    lengths, pixels = _lengths(texts), sizes.prod(axis=1)
    sound = (lengths > 0) & (sizes > 0).all(axis=1) & (pixels <= rle.MAX_PIXELS)
    if not lengths.sum():
        return np.zeros(len(lengths), np.bool_), pixels * 0, None
    codes = np.frombuffer(b"".join(texts.to_pylist()), dtype=np.uint8) - np.uint8(_OFFSET)
    ends = np.cumsum(lengths)
    wrong = np.flatnonzero(codes >= 2 * _MORE)
    sound[np.searchsorted(ends, wrong, side="right")] = False
    is_last = codes & _MORE == 0
    finals = ends[lengths > 0] - 1
    sound[lengths > 0] &= is_last[finals]
    is_last[finals] = True  # A text that is cut off must not run into the next one.
    last = np.flatnonzero(is_last)
    numbers = np.diff(np.searchsorted(last, ends), prepend=0)
    found = _paired(_numbers(codes, last, np.repeat(sound, numbers)), numbers, sound)
    low, high = (each.reduceat(found.pairs, found.starts, axis=0) for each in (np.minimum, np.maximum))
    sound &= (low.min(axis=1) >= 0) & (high.max(axis=1) <= rle.MAX_PIXELS)
    sums = np.add.reduceat(found.pairs, found.starts, axis=0)
    sound &= sums.sum(axis=1) == pixels
    return sound, np.where(sound, sums[:, 1], 0), found


def _numbers(codes: NDArray[np.uint8], last: Ints, sound: NDArray[np.bool_]) -> Ints:
    """Join groups of 5 bits; a number of more groups than any count has is below zero."""
    firsts = np.concatenate([[0], last[:-1] + 1])
    sizes = last - firsts + 1
    values = (codes[firsts] & _LOW).astype(np.int64)
    for group in range(1, min(int(sizes.max()), _MAX_GROUPS)):
        longer = np.flatnonzero(sizes > group)
        values[longer] += (codes[firsts[longer] + group] & _LOW).astype(np.int64) << (_GROUP_BITS * group)
    values -= (codes[last] & _SIGN > 0) * (np.int64(1) << (_GROUP_BITS * np.minimum(sizes, _MAX_GROUPS)))
    return np.where((sizes > _MAX_GROUPS) | ~sound, _NO_RUN, values)


def _paired(values: Ints, numbers: Ints, sound: NDArray[np.bool_]) -> _Runs:
    """Undo the differences to the number two before: the first three numbers stand as they are."""
    in_pairs = np.maximum((numbers + 1) // 2, 1)
    starts = np.cumsum(in_pairs) - in_pairs
    begin = np.cumsum(numbers) - numbers
    pairs = np.zeros((int(in_pairs.sum()), 2), dtype=np.int64)
    pairs.ravel()[np.arange(len(values)) + np.repeat(2 * starts - begin, numbers)] = values
    sound &= np.minimum.reduceat(pairs, starts, axis=0).min(axis=1) > _NO_RUN
    first = pairs[starts, 0]
    pairs[starts, 0] = 0
    odd = np.flatnonzero(numbers % 2)  # Their last pair has no second run, and nothing to add to one.
    sums = np.cumsum(pairs, axis=0)
    before = np.where(starts[:, None] > 0, sums[starts - 1], 0)
    row = np.repeat(np.arange(len(numbers)), in_pairs)
    sums -= before[row]
    sums[starts, 0] = first
    sums[starts[odd] + in_pairs[odd] - 1, 1] = 0
    return _Runs(sums, starts, row)


def _boxes(found: _Runs, heights: Ints, sound: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return x, y, width, height around the pixels that are set; see `rle.box`."""
    boxes = np.zeros((len(heights), 4))
    ends = np.cumsum(found.pairs.sum(axis=1))
    ends -= np.where(found.starts > 0, ends[found.starts - 1], 0)[found.row]
    is_set = np.flatnonzero((found.pairs[:, 1] > 0) & sound[found.row])
    if not is_set.size:
        return boxes
    row, finals = found.row[is_set], ends[is_set] - 1
    height = heights[row]
    first_column, top = np.divmod(finals + 1 - found.pairs[is_set, 1], height)
    last_column, low = np.divmod(finals, height)
    wraps = first_column != last_column
    top[wraps], low[wraps] = 0, height[wraps] - 1
    begin = np.flatnonzero(np.diff(row, prepend=-1))
    left, right = first_column[begin], np.maximum.reduceat(last_column, begin)
    tops, lows = np.minimum.reduceat(top, begin), np.maximum.reduceat(low, begin)
    boxes[row[begin]] = np.stack([left, tops, right - left + 1, lows - tops + 1], axis=1)
    return boxes


def of_texts(texts: Sequence[bytes]) -> pa.LargeBinaryArray:
    """Return a column of compressed masks."""
    return pa.array(texts, type=pa.large_binary())
