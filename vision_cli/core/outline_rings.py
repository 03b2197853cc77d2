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
_OPEN, _CLOSE, _COMMA, _SPACE = b"[], "
_SHORTEST = len("[[]]")
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
        polygons = np.asarray(
            pc.equal(pc.binary_slice(block, 0, 1), b"[").fill_null(False).to_numpy(zero_copy_only=False)
        )
        there = np.asarray(pc.is_valid(block).to_numpy(zero_copy_only=False))
        for kept, plain in ((polygons, True), (there & ~polygons, False)):
            if kept.any():
                part = block if kept.all() else block.filter(pa.array(kept))
                yield np.flatnonzero(kept) + start, part, rings(part) if plain else None


def rings(texts: pa.BinaryArray) -> Rings | None:
    """Return the corners of outlines of polygons; None where one is not written as plainly as nearly all are."""
    offsets = np.frombuffer(texts.buffers()[1], np.int32)[texts.offset : texts.offset + len(texts) + 1]
    if not len(texts) or offsets[-1] - offsets[0] > _MAX_BLOCK_BYTES or (np.diff(offsets) < _SHORTEST).any():
        return None
    whole = memoryview(texts.buffers()[2])[offsets[0] : offsets[-1]]
    found = _lengths(np.frombuffer(whole, np.uint8), offsets.astype(np.int64) - offsets[0])
    if found is None:
        return None
    lengths, object_starts = found
    numbers = _numbers(bytes(whole))
    if numbers is None or len(numbers) != int(lengths.sum()) or (lengths % 2).any() or (lengths < 6).any():
        return None
    # Written so that NaN does not pass.
    if not (np.abs(numbers) <= outline.MAX_COORDINATE_PX).all() or len(numbers) > 2 * outline.MAX_POINTS * len(texts):
        return None
    if int(np.add.reduceat(lengths, object_starts).max()) > 2 * outline.MAX_POINTS:
        return None
    lengths //= 2
    return Rings(numbers.reshape(-1, 2), np.cumsum(lengths) - lengths, lengths, object_starts)


def _lengths(text: NDArray[np.uint8], offsets: Ids) -> tuple[Ids, Ids] | None:
    """Return how many numbers each ring has, and the first ring of each outline; None where brackets stand oddly."""
    starts, ends = offsets[:-1], offsets[1:]
    framed = (
        (text[starts] == _OPEN) & (text[starts + 1] == _OPEN) & (text[ends - 1] == _CLOSE) & (text[ends - 2] == _CLOSE)
    )
    opens = np.flatnonzero(text == _OPEN)
    of_ring = np.ones(len(opens), dtype=np.bool_)
    of_ring[np.searchsorted(opens, starts)] = False
    opens = opens[of_ring]
    object_starts = np.searchsorted(opens, starts)
    later = np.ones(len(opens), dtype=np.bool_)
    later[object_starts] = False
    inner = opens[later]
    spaced = text[inner - 1] == _SPACE
    joined = (text[inner - 1 - spaced] == _COMMA) & (text[inner - 2 - spaced] == _CLOSE)
    if not framed.all() or not joined.all() or int((text == _CLOSE).sum()) != len(opens) + len(starts):
        return None
    commas = np.flatnonzero(text == _COMMA)
    bounds = np.searchsorted(commas, np.append(opens, len(text)))
    # A ring has one comma less than numbers; the comma that parts it from the next ring makes up for it.
    lengths = np.diff(bounds)
    lengths[np.append(object_starts[1:], len(opens)) - 1] += 1
    return lengths, object_starts


def _numbers(text: bytes) -> NDArray[np.float64] | None:
    lines = text.translate(_LINES, b"[ \t\r\n")
    try:
        table = pacsv.read_csv(pa.py_buffer(lines), read_options=_READ, convert_options=_CONVERT)
    except pa.ArrowInvalid:
        return None
    found = table["value"]
    return None if found.null_count else np.asarray(found.to_numpy(), dtype=np.float64)
