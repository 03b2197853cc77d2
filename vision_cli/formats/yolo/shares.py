"""Objects as rows of shares: what each becomes, and what of it leaves the photo."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from operator import itemgetter
from typing import NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vision_cli.core.columns import from_numpy
from vision_cli.core.dataset import Dataset
from vision_cli.formats.yolo.rows import Flags, Floats, Integers, KeypointShape

_SLACK_PX = 1e-6
_RINGS = msgspec.json.Decoder(list[list[list[float]]])
_POINTS = msgspec.json.Decoder(list[list[float]])
_NUMBERS = msgspec.json.Decoder(list[float])
_MIN_VALUES = 6


@dataclass(frozen=True, slots=True)
class Objects:
    """The columns that rows are made of, N annotations in the order of the table.

    Attributes:
        photos: int64 (N,), row of each one's photo.
        sizes: float64 (N, 2), width and height of that photo; 0 where unknown.
        boxes: float64 (N, 4), x, y, w, h in pixels; NaN without a box.
        outlines: as in the table, not copied: they are most of its bytes; None in a data set with keypoints.
        order: int64 (N,), which of the outlines each one's is; None where they are in order.
        single: bool (N,), which outlines are of one polygon and become rows.
        keypoints: as JSON; None when no annotation has any.
        shape: `kpt_shape` of the rows, if there are keypoints.
        scores: float64 (N,); None unless every annotation has one.
    """

    photos: Integers
    sizes: Floats
    boxes: Floats
    outlines: pa.Array | None
    single: Flags
    keypoints: pa.Array | None
    shape: KeypointShape | None
    scores: Floats | None
    order: Integers | None = None

    def __len__(self) -> int:
        return len(self.photos)

    def weights(self) -> Integers:
        """Return int64 (N,): about how many values each row has."""
        weights = np.full(len(self), 6, dtype=np.int64)
        if self.outlines is not None:
            lengths = _lengths(self.outlines)
            lengths = lengths if self.order is None else lengths[self.order]
            weights += np.where(self.single, lengths // 5, 0)
        if self.keypoints is not None:
            weights += _lengths(self.keypoints) // 3
        return weights

    def texts(self, first: int, stop: int) -> pa.Array:
        """Return the outlines of the rows of one polygon each, in a range of rows, in their order."""
        rows = np.flatnonzero(self.single[first:stop]) + first
        return pc.take(self.outlines, from_numpy(rows if self.order is None else self.order[rows]))


class Shares(NamedTuple):
    """Rows of M annotations.

    Attributes:
        counts: int64 (M,), values of each.
        values: float64 (sum of counts,), 0 to 1.
    """

    counts: Integers
    values: Floats


class Changes(NamedTuple):
    """What becomes another in the rows of M annotations.

    Attributes:
        clipped: bool (M,), something of it is out of the photo.
        outside: bool (M,), nothing of it is in the photo.
        reshaped: bool (M,), its box is not the one around its polygon.
        broken: bool (M,), its polygon is none and its box is written.
    """

    clipped: Flags
    outside: Flags
    reshaped: Flags
    broken: Flags


def objects(dataset: Dataset, shape: KeypointShape | None = None) -> Objects:
    """Take the columns out of a data set.

    Args:
        dataset: any.
        shape: the source's own `kpt_shape`, if it is written back.
    """
    table = dataset.annotations
    photos = dataset.rows_of(table["image_id"])
    sides = [dataset.images[name].fill_null(0).to_numpy() for name in ("width", "height")]
    boxes = np.full((len(table), 4), np.nan)
    if "x" in table.column_names:
        for column, name in enumerate("xywh"):
            boxes[:, column] = table[name].to_numpy()
    keypoints = _column(table, "keypoints")
    outlines = _in_one(table["outline"]) if keypoints is None and "outline" in table.column_names else None
    single = np.zeros(len(table), dtype=np.bool_)
    if outlines is not None:
        parts = table["outline_parts"].fill_null(0).to_numpy() if "outline_parts" in table.column_names else single
        single = (parts == 1) & np.asarray(outlines.is_valid())
    scores = _column(table, "score")
    return Objects(
        photos,
        np.stack(sides, axis=1).astype(np.float64)[photos],
        boxes,
        outlines if single.any() else None,
        single,
        keypoints,
        _shape(keypoints, shape),
        scores.to_numpy() if scores is not None and not scores.null_count and keypoints is None else None,
    )


def _in_one(column: pa.ChunkedArray) -> pa.Array:
    """Return a column in one piece, and without a copy where it is one: rows are taken from it again and again."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _column(table: pa.Table, name: str) -> pa.Array | None:
    """Return a column as one array; None where it is absent or all null."""
    if name not in table.column_names or table[name].null_count == len(table):
        return None
    column = table[name].combine_chunks()
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _lengths(texts: pa.Array | pa.ChunkedArray) -> Integers:
    lengths = pc.fill_null(pc.binary_length(texts), 0)
    return np.asarray(lengths if isinstance(lengths, pa.Array) else lengths.combine_chunks(), dtype=np.int64)


def _shape(keypoints: pa.Array | None, source: KeypointShape | None) -> KeypointShape | None:
    """Return the shape that holds every row: as many points as the longest has."""
    if keypoints is None:
        return source
    points = int(pc.max(pc.count_substring(keypoints, ",")).as_py() or 0) // 3 + 1
    return source if source is not None and source[0] >= points else (points, 3)


def shares(found: Objects, first: int, stop: int) -> Shares:
    """Return the rows of a range of annotations, clipped to the photo."""
    sizes = found.sizes[first:stop]
    boxes, _ = _boxes(found.boxes[first:stop], sizes)
    counts = np.full(len(boxes), 4, dtype=np.int64)
    if found.keypoints is not None and found.shape is not None:
        points = _keypoints(found, first, stop)
        return Shares(counts + points.shape[1], np.hstack([boxes, points]).ravel())
    if found.outlines is None:
        return _with_scores(found, first, Shares(counts, boxes.ravel()))
    lengths, points = _polygons(found, first, stop)
    flags = lengths > 0
    counts = np.where(flags, lengths, counts)
    values = np.empty(int(counts.sum()))
    is_point = np.repeat(flags, counts)
    with np.errstate(divide="ignore", invalid="ignore"):
        points /= np.repeat(sizes, lengths // 2, axis=0)
    values[is_point] = np.clip(points, 0, 1, out=points).ravel()
    values[~is_point] = boxes[~flags].ravel()
    return _with_scores(found, first, Shares(counts, values))


def changes(found: Objects, first: int, stop: int) -> Changes:
    """Return what becomes another in the rows of a range of annotations."""
    sizes = found.sizes[first:stop]
    _, clipped = _boxes(found.boxes[first:stop], sizes)
    outside = _misses(found.boxes[first:stop], sizes)
    none = np.zeros(len(sizes), dtype=np.bool_)
    if found.outlines is None:
        return Changes(clipped, outside, none, none)
    lengths, points = _polygons(found, first, stop)
    flags = lengths > 0
    low, high = _extents(points, flags, lengths // 2)
    around = np.hstack([low, high - low])
    beyond = ((low < -_SLACK_PX) | (high > sizes + _SLACK_PX)).any(axis=1)
    return Changes(
        np.where(flags, beyond, clipped),
        np.where(flags, _misses(around, sizes), outside),
        flags & (np.abs(around - found.boxes[first:stop]) > _SLACK_PX).any(axis=1),
        found.single[first:stop] & ~flags,
    )


def _boxes(boxes: Floats, sizes: Floats) -> tuple[Floats, Flags]:
    """Return centre and size as shares, and which boxes were clipped.

    A box may leave the photo as long as its centre is inside and its size is not over the photo's: a row can say so.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ends = boxes[:, :2] + boxes[:, 2:]
        result = np.hstack([(boxes[:, :2] + boxes[:, 2:] / 2) / sizes, boxes[:, 2:] / sizes])
        slack = np.tile(_SLACK_PX / sizes, 2)
        clipped: Flags = np.asarray(((result < -slack) | (result > 1 + slack)).any(axis=1))
        low, high = np.clip(boxes[:, :2], 0, sizes), np.clip(ends, 0, sizes)
        inner = np.hstack([(low + high) / 2 / sizes, np.maximum(high - low, 0) / sizes])
    return np.clip(np.where(clipped[:, None], inner, result), 0, 1), clipped


def _polygons(found: Objects, first: int, stop: int) -> tuple[Integers, Floats]:
    """Return the values of the polygon of each in a range, 0 without one, and all points float64 (P, 2)."""
    lengths, points = _points(found.texts(first, stop))
    return _spread(lengths, found.single[first:stop]), points


def _points(texts: pa.Array) -> tuple[Integers, Floats]:
    """Return the values of the one ring of each outline, 0 where it is no polygon, and all points float64 (P, 2)."""
    plain = _plain_points(texts)
    if plain is not None:
        return plain
    rings = list(map(itemgetter(0), _RINGS.decode(b"[" + b",".join(texts.to_pylist()) + b"]")))
    lengths = np.fromiter(map(len, rings), dtype=np.int64, count=len(rings))
    wrong = (lengths < _MIN_VALUES) | (lengths % 2 == 1)
    if wrong.any():
        lengths = np.where(wrong, 0, lengths)
        rings = [[] if bad else ring for ring, bad in zip(rings, wrong.tolist(), strict=True)]
    values = np.fromiter(chain.from_iterable(rings), dtype=np.float64, count=int(lengths.sum()))
    return lengths, values.reshape(-1, 2)


def _plain_points(texts: pa.Array) -> tuple[Integers, Floats] | None:
    """Return the same without a list a ring, in two thirds of the time; None where one is no ring of three points."""
    lengths = np.asarray(pc.count_substring(texts, ",").to_numpy(), dtype=np.int64) + 1
    text = b",".join(texts.to_pylist())
    if text.count(b"[") != 2 * len(texts):
        return None
    try:
        values = _NUMBERS.decode(b"[%b]" % text.translate(None, b"[]"))
    except msgspec.DecodeError:  # an empty ring leaves nothing between two commas
        return None
    if len(values) != lengths.sum() or (lengths < _MIN_VALUES).any() or (lengths % 2).any():
        return None
    return lengths, np.fromiter(values, dtype=np.float64, count=len(values)).reshape(-1, 2)


def _spread(values: Integers, flags: Flags) -> Integers:
    """Return the values at the rows where a flag is set, 0 at the others."""
    result = np.zeros(len(flags), dtype=np.int64)
    result[flags] = values
    return result


def _extents(points: Floats, flags: Flags, lengths: Integers) -> tuple[Floats, Floats]:
    """Return float64 (M, 2) twice: the least and the largest x and y of each polygon, NaN without one."""
    low, high = np.full((2, len(flags), 2), np.nan)
    if flags.any():
        firsts = (np.cumsum(lengths) - lengths)[flags]
        low[flags], high[flags] = np.minimum.reduceat(points, firsts), np.maximum.reduceat(points, firsts)
    return low, high


def _misses(boxes: Floats, sizes: Floats) -> Flags:
    """Return which boxes do not touch the photo."""
    low, high = boxes[:, :2], boxes[:, :2] + boxes[:, 2:]
    return np.asarray(((high < -_SLACK_PX) | (low > sizes + _SLACK_PX)).any(axis=1))


def _keypoints(found: Objects, first: int, stop: int) -> Floats:
    """Return float64 (M, values of all points): shares and visibilities, zeros where there are none."""
    if found.keypoints is None or found.shape is None:
        return np.zeros((stop - first, 0))
    number, dimensions = found.shape
    texts = found.keypoints.slice(first, stop - first).to_pylist()
    result = np.zeros((len(texts), number, 3))
    rows = _POINTS.decode(b"[" + b",".join(text or b"[]" for text in texts) + b"]")
    for row, values in enumerate(rows):
        points = np.array(values, dtype=np.float64).reshape(-1, 3)
        result[row, : len(points)] = points
    with np.errstate(divide="ignore", invalid="ignore"):
        result[:, :, :2] = np.clip(result[:, :, :2] / found.sizes[first:stop, None], 0, 1)
    return np.ascontiguousarray(result[:, :, :dimensions]).reshape(len(texts), -1)


def _with_scores(found: Objects, first: int, rows: Shares) -> Shares:
    if found.scores is None:
        return rows
    scores = found.scores[first : first + len(rows.counts)]
    values = np.insert(rows.values, np.cumsum(rows.counts), scores)
    return Shares(rows.counts + 1, values)
