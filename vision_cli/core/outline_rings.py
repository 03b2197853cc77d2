"""The corners of many outlines in flat arrays, read straight from the column's bytes: no Python object a number."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from vision_cli.core import outline, plain_numbers
from vision_cli.core.columns import from_numpy
from vision_cli.core.plain_numbers import PAD

_BLOCK_ROWS = 8192
_PART_ROWS = 1024
_MAX_BLOCK_BYTES = 1 << 26
_OPEN, _CLOSE, _COMMA, _SPACE = b"[], "
_SHORTEST = len("[[]]")
_BLANKS = (b" ", b"\t", b"\r", b"\n")
_APART = re.compile(rb"[^,\[\s]\s+[^,\]\s]")
"""Blanks within a number, which leaving them out would mend."""
_LINES = bytes(10 if each in b",]" else each for each in range(256))

Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Rings:
    """The polygons of some outlines.

    Attributes:
        points: float64 (P, 2).
        starts: int64 (R,), first point of each ring.
        lengths: int64 (R,), points of each ring.
        object_starts: int64 (N,), first ring of each outline.
    """

    points: NDArray[np.float64]
    starts: Ids
    lengths: Ids
    object_starts: Ids


def blocks(column: pa.ChunkedArray) -> Iterator[tuple[Ids, pa.BinaryArray, Rings | None]]:
    """Yield rows, texts and corners of the outlines of a column, some thousand at a time; rows without are left out.

    Corners are None where a mask is among the outlines, or anything that `outline.parse` may refuse: then each has to
    be parsed by itself. Polygons and masks come in blocks of their own. Where there are corners, there are no texts.
    """
    for start in range(0, len(column), _BLOCK_ROWS):
        block = column.slice(start, _BLOCK_ROWS)
        if isinstance(block, pa.ChunkedArray):  # to combine one chunk is to copy it
            block = block.chunk(0) if block.num_chunks == 1 else block.combine_chunks()
        polygons = np.asarray(
            pc.equal(pc.binary_slice(block, 0, 1), b"[").fill_null(False).to_numpy(zero_copy_only=False)
        )
        there = np.asarray(pc.is_valid(block).to_numpy(zero_copy_only=False))
        for kept, plain in ((polygons, True), (there & ~polygons, False)):
            if kept.any():
                found = rings(block, kept) if plain else None
                texts = block.filter(from_numpy(kept)) if found is None else block.slice(0, 0)
                yield np.flatnonzero(kept) + start, texts, found


def rings(texts: pa.BinaryArray, kept: NDArray[np.bool_] | None = None) -> Rings | None:
    """Return the corners of outlines of polygons; None where one is not written as plainly as nearly all are.

    Args:
        texts: binary (N,).
        kept: bool (N,), which to look at; the others are left out a part at a time, as one copy of all takes longer.
    """
    parts = []
    for start in range(0, len(texts), _PART_ROWS):
        part = texts.slice(start, _PART_ROWS)
        if kept is not None and not kept[start : start + _PART_ROWS].all():
            part = part.filter(from_numpy(kept[start : start + _PART_ROWS]))
        if not len(part):
            continue
        found = _part(part)
        if found is None:
            return None
        parts.append(found)
    if not parts:
        return None
    numbers, lengths, rings_each = (np.concatenate(column) for column in zip(*parts, strict=True))
    lengths //= 2
    object_starts = np.cumsum(rings_each) - rings_each
    return Rings(numbers.reshape(-1, 2), np.cumsum(lengths) - lengths, lengths, object_starts)


def _part(texts: pa.BinaryArray) -> tuple[NDArray[np.float64], Ids, Ids] | None:
    """Return the numbers of some outlines, how many each ring has, and how many rings each outline; None as `rings`."""
    offsets = np.frombuffer(texts.buffers()[1], np.int32)[texts.offset : texts.offset + len(texts) + 1]
    if offsets[-1] - offsets[0] > _MAX_BLOCK_BYTES or (np.diff(offsets) < _SHORTEST).any():
        return None
    whole = memoryview(texts.buffers()[2])[offsets[0] : offsets[-1]]
    frame = _Frame.of(np.frombuffer(whole, np.uint8), offsets.astype(np.int64) - offsets[0])
    if frame is None:
        return None
    lengths, of_outline = frame.lengths, np.add.reduceat(frame.lengths, frame.object_starts)
    if (lengths % 2).any() or (lengths < 6).any() or int(of_outline.max()) > 2 * outline.MAX_POINTS:
        return None
    numbers = frame.plain_numbers()
    if numbers is None:
        numbers = _numbers(bytes(whole))
    # Written so that NaN does not pass.
    if numbers is None or len(numbers) != len(frame.ends) or not (np.abs(numbers) <= outline.MAX_COORDINATE_PX).all():
        return None
    return numbers, lengths, np.diff(np.append(frame.object_starts, len(lengths)))


@dataclass(frozen=True, slots=True, eq=False)
class _Frame:
    """Where the numbers of outlines stand.

    Attributes:
        text: uint8 (8 + B,), the outlines after some room; commas end all numbers and stand nowhere else.
        opens: int64 (R,), place before the first number of each ring.
        object_starts: int64 (N,), first ring of each outline.
        ends: int64 (P,), place after each number.
        lengths: int64 (R,), numbers of each ring.
        spaces: spaces after each comma, 0 or 1; -1 where they vary.
    """

    text: NDArray[np.uint8]
    opens: Ids
    object_starts: Ids
    ends: Ids
    lengths: Ids
    spaces: int

    @classmethod
    def of(cls, text: NDArray[np.uint8], offsets: Ids) -> _Frame | None:
        """Look at brackets; None where they stand oddly."""
        starts, ends = offsets[:-1], offsets[1:]
        first, last = (text[starts] == _OPEN) & (text[starts + 1] == _OPEN), text[ends - 2] == _CLOSE
        brackets = np.flatnonzero(text == _OPEN)
        inner = np.ones(len(brackets), dtype=np.bool_)
        inner[np.searchsorted(brackets, starts)] = False
        opens = brackets[inner]
        object_starts = np.searchsorted(opens, starts)
        later = np.ones(len(opens), dtype=np.bool_)
        later[object_starts] = False
        commas = opens[later] - 1
        commas -= text[commas] == _SPACE
        joined = (text[commas] == _COMMA) & (text[commas - 1] == _CLOSE)
        closed = int(np.count_nonzero(text == _CLOSE)) == len(brackets)
        if not (first.all() and last.all() and (text[ends - 1] == _CLOSE).all() and joined.all() and closed):
            return None
        marked = np.zeros(PAD + len(text), dtype=np.uint8)
        marked[PAD:] = text
        marked[commas + PAD] = _SPACE
        marked[commas - 1 + PAD] = marked[ends - 2 + PAD] = _COMMA
        places, opens = np.flatnonzero(marked == _COMMA), opens + PAD
        lengths = np.diff(np.append(np.searchsorted(places, opens), len(places)))
        spaces, all_commas = int(np.count_nonzero(text == _SPACE)), len(places) - len(opens) + len(commas)
        return cls(
            marked, opens, object_starts, places, lengths, 0 if spaces == 0 else 1 if spaces == all_commas else -1
        )

    def plain_numbers(self) -> NDArray[np.float64] | None:
        """Return the numbers, float64 (P,); None where one is not plain, or spaces vary."""
        if self.spaces < 0:
            return None
        starts = np.empty_like(self.ends)
        starts[1:] = self.ends[:-1]
        starts[1:] += 1 + self.spaces
        starts[np.cumsum(self.lengths) - self.lengths] = self.opens + 1
        return plain_numbers.parse(self.text, self.ends, self.ends - starts)


def _numbers(text: bytes) -> NDArray[np.float64] | None:
    blanks = sum(map(text.count, _BLANKS))
    if blanks != text.count(b", ") and _APART.search(text):
        return None
    import pyarrow.csv as pacsv  # numbers are nearly always plain

    lines = text.translate(_LINES, b"[" + b"".join(_BLANKS))
    read = pacsv.ReadOptions(column_names=["value"], use_threads=False, block_size=_MAX_BLOCK_BYTES)
    convert = pacsv.ConvertOptions(column_types={"value": pa.float64()}, null_values=[])
    try:
        table = pacsv.read_csv(pa.py_buffer(lines), read_options=read, convert_options=convert)
    except pa.ArrowInvalid:
        return None
    found = table["value"]
    return None if found.null_count else np.asarray(found.to_numpy(), dtype=np.float64)
