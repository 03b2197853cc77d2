"""Figures of whole columns of outlines, a block of rows at a time, so that memory stays small."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from vision_cli.core import outline
from vision_cli.core.errors import DataError

_BLOCK_ROWS = 4096
_MAX_BLOCK_BYTES = 1 << 26
_DECODER = msgspec.json.Decoder(list[list[list[float]]])


def parts(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """Return int16 (N,): the number of polygons of each outline, -1 for a mask, 0 for nothing; nothing is checked."""
    text = pc.fill_null(column, b"")
    text = text.combine_chunks() if isinstance(text, pa.ChunkedArray) else text
    rings = pc.max_element_wise(pc.subtract(pc.count_substring(text, "["), 1), 0)
    trimmed = pc.binary_slice(text, 0, 1)
    rings = pc.if_else(pc.equal(trimmed, b"["), rings, 0)
    found = pc.if_else(pc.equal(trimmed, b"{"), outline.RUNS_PARTS, pc.min_element_wise(rings, np.iinfo(np.int16).max))
    return found.cast(pa.int16())


def faults(column: pa.ChunkedArray | pa.Array) -> list[tuple[int, DataError]]:
    """Return row and reason of each outline that `outline.parse` refuses; a row without outline is fine."""
    found: list[tuple[int, DataError]] = []
    for start, block in _blocks(column):
        if not _sound(block):
            found += [(start + row, error) for row, data in enumerate(block) if (error := _fault(data)) is not None]
    return found


def areas(column: pa.ChunkedArray | pa.Array) -> NDArray[np.float64]:
    """Return float64 (N,): square pixels of each outline as `outline.area` counts them; NaN without outline.

    Raises:
        DataError: see `outline.parse`.
    """
    found = np.full(len(column), np.nan)
    for start, block in _blocks(column):
        found[start : start + len(block)] = _block_areas(block)
    return found


def boxes(column: pa.ChunkedArray | pa.Array) -> NDArray[np.float64]:
    """Return float64 (N, 4): x, y, width, height around each outline, right and bottom exclusive; NaN without outline.

    Raises:
        DataError: see `outline.parse`.
    """
    found = np.full((len(column), 4), np.nan)
    for start, block in _blocks(column):
        found[start : start + len(block)] = _block_boxes(block)
    return found


def _blocks(column: pa.ChunkedArray | pa.Array) -> Iterator[tuple[int, list[bytes | None]]]:
    for start in range(0, len(column), _BLOCK_ROWS):
        yield start, column.slice(start, _BLOCK_ROWS).to_pylist()


def _polygons(block: list[bytes | None]) -> _Flat | None:
    """Decode a block of sound polygons in one call; None where a mask, nothing or anything bad is among them."""
    texts = [data for data in block if data]
    if len(texts) < len(block) or sum(map(len, texts)) > _MAX_BLOCK_BYTES:
        return None
    try:
        found = _DECODER.decode(b"[" + b",".join(texts) + b"]")
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    flat = _Flat(found)
    return flat if len(found) == len(block) and flat.sound else None


class _Flat:
    """Polygons of many objects in flat arrays.

    Attributes:
        points: float64 (P, 2).
        ring_starts: int64 (R,), first point of each ring.
        object_starts: int64 (N,), first ring of each object.
        sound: every object has a ring and every ring is as `outline.parse` wants it.
    """

    __slots__ = ("object_starts", "points", "ring_lengths", "ring_starts", "sound")

    def __init__(self, objects: list[list[list[float]]]) -> None:
        rings = list(chain.from_iterable(objects))
        values = np.fromiter(map(len, rings), np.int64, len(rings))
        numbers = np.fromiter(map(len, objects), np.int64, len(objects))
        self.sound = bool((numbers > 0).all() and (values % 2 == 0).all() and (values >= 6).all())
        flat = np.fromiter(chain.from_iterable(rings), np.float64, int(values.sum()))
        self.sound &= bool((np.abs(flat) <= outline.MAX_COORDINATE_PX).all())
        # Objects of many points are for the strict parser to count.
        self.sound &= len(rings) == 0 or int(values.max() * numbers.max()) <= 2 * outline.MAX_POINTS
        self.points = flat.reshape(-1, 2) if self.sound else np.empty((0, 2))
        self.ring_lengths = values // 2
        self.ring_starts = np.cumsum(self.ring_lengths) - self.ring_lengths
        self.object_starts = np.cumsum(numbers) - numbers


def _sound(block: list[bytes | None]) -> bool:
    return _polygons(block) is not None


def _fault(data: bytes | None) -> DataError | None:
    try:
        if data is not None:
            outline.parse(data)
    except DataError as error:
        return error
    return None


def _block_areas(block: list[bytes | None]) -> Any:
    flat = _polygons(block)
    if flat is None:
        return [np.nan if data is None else outline.area(outline.parse(data)) for data in block]
    points = flat.points - np.repeat(flat.points[flat.ring_starts], flat.ring_lengths, axis=0)
    following = np.arange(1, len(points) + 1)
    following[flat.ring_starts + flat.ring_lengths - 1] = flat.ring_starts
    crossed = points[:, 0] * points[following, 1] - points[following, 0] * points[:, 1]
    return np.add.reduceat(np.abs(np.add.reduceat(crossed, flat.ring_starts)) / 2, flat.object_starts)


def _block_boxes(block: list[bytes | None]) -> Any:
    flat = _polygons(block)
    if flat is None:
        return [(np.nan,) * 4 if data is None else outline.box(outline.parse(data)) for data in block]
    starts = flat.ring_starts[flat.object_starts]
    low, high = np.minimum.reduceat(flat.points, starts), np.maximum.reduceat(flat.points, starts)
    return np.concatenate([low, high - low], axis=1)
