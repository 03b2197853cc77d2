"""The corners of many outlines in flat arrays, read straight from the column's bytes: no Python object a number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
from numpy.typing import NDArray

from vision_cli.core import outline

_BLOCK_ROWS = 16_384
_MAX_BLOCK_BYTES = 1 << 26
_LINES = bytes(10 if each in b",]" else each for each in range(256))
_READ = pacsv.ReadOptions(column_names=["value"], use_threads=False, block_size=_MAX_BLOCK_BYTES)
_CONVERT = pacsv.ConvertOptions(column_types={"value": pa.float64()}, null_values=[])

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
    be parsed by itself. Polygons and masks come in blocks of their own.
    """
    for start in range(0, len(column), _BLOCK_ROWS):
        block = column.slice(start, _BLOCK_ROWS)
        block = block.combine_chunks() if isinstance(block, pa.ChunkedArray) else block
        polygons = np.asarray(pc.equal(pc.binary_slice(block, 0, 1), b"[").fill_null(False).to_numpy(zero_copy_only=False))
        there = np.asarray(pc.is_valid(block).to_numpy(zero_copy_only=False))
        for kept, plain in ((polygons, True), (there & ~polygons, False)):
            if kept.any():
                part = block if kept.all() else block.filter(pa.array(kept))
                yield np.flatnonzero(kept) + start, part, rings(part) if plain else None


def rings(texts: pa.BinaryArray) -> Rings | None:
    """Return the corners of outlines of polygons; None where one is not written as plainly as nearly all are."""
    brackets, values = pc.count_substring(texts, "["), pc.add(pc.count_substring(texts, ","), 1)
    framed = pc.and_(pc.starts_with(texts, "[["), pc.ends_with(texts, "]]"))
    if not pc.all(framed).as_py() or not len(texts):
        return None
    numbers = _numbers(texts)
    counts, parts = values.to_numpy().astype(np.int64), brackets.to_numpy().astype(np.int64) - 1
    if numbers is None or len(numbers) != int(counts.sum()):
        return None
    lengths = _ring_lengths(texts, counts, parts)
    if lengths is None or (lengths % 2).any() or (lengths < 6).any():
        return None
    # Written so that NaN does not pass.
    if not (np.abs(numbers) <= outline.MAX_COORDINATE_PX).all() or int(counts.max()) > 2 * outline.MAX_POINTS:
        return None
    lengths //= 2
    return Rings(numbers.reshape(-1, 2), np.cumsum(lengths) - lengths, lengths, np.cumsum(parts) - parts)


def _numbers(texts: pa.BinaryArray) -> NDArray[np.float64] | None:
    offsets = np.frombuffer(texts.buffers()[1], np.int32)[texts.offset : texts.offset + len(texts) + 1]
    if pa.types.is_large_binary(texts.type) or offsets[-1] - offsets[0] > _MAX_BLOCK_BYTES:
        return None
    whole = memoryview(texts.buffers()[2])[offsets[0] : offsets[-1]]
    lines = bytes(whole).translate(_LINES, b"[ \t\r\n")
    try:
        table = pacsv.read_csv(pa.py_buffer(lines), read_options=_READ, convert_options=_CONVERT)
    except pa.ArrowInvalid:
        return None
    found = table["value"]
    return None if found.null_count else np.asarray(found.to_numpy(), dtype=np.float64)


def _ring_lengths(texts: pa.BinaryArray, counts: Ids, parts: Ids) -> Ids | None:
    """Return the values of each ring; only outlines of several are looked into."""
    several = np.flatnonzero(parts != 1)
    if not len(several):
        return counts
    each = [np.array([count]) for count in counts.tolist()]
    for row, text in zip(several.tolist(), texts.take(pa.array(several)).to_pylist(), strict=True):
        plain = text.translate(None, b" \t\r\n")
        if plain.count(b"],[") != parts[row] - 1:
            return None
        each[row] = np.array([part.count(b",") + 1 for part in plain.split(b"],[")])
    return np.concatenate(each)
