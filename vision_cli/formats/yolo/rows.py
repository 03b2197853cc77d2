"""Rows of YOLO label files: `class` and shares of the photo, as numbers and as the bytes that they were.

A row is `class cx cy w h` (box), `class x1 y1 ... xn yn` (polygon of three points or more; four for an oriented box),
or `class cx cy w h x1 y1 [v1] ...` (box and keypoints, where `kpt_shape` says so). Predictions have a score behind.
Format: https://docs.ultralytics.com/datasets/ (detect, segment, pose, obb).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import msgspec
import numpy as np

from vision_cli.formats.yolo.snapping import boxes_of, half_steps, snapped

Floats = np.ndarray[Any, np.dtype[np.float64]]
Integers = np.ndarray[Any, np.dtype[np.int64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]
KeypointShape = tuple[int, int]

_NUMBER = re.compile(rb"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of several texts, N in all.

    Attributes:
        texts: int64 (N,), index of the text that each stands in.
        classes: float64 (N,), as written; NaN where it is no number.
        counts: int64 (N,), values behind the class.
        values: float64 (sum of counts,); NaN where one is no number.
        records: bytes of each row with its line end; blank lines belong to the row before. Together they are the text.
        blanks: texts without any row, by index.
    """

    texts: Integers
    classes: Floats
    counts: Integers
    values: Floats
    records: list[bytes]
    blanks: dict[int, bytes]

    @property
    def starts(self) -> Integers:
        """Return where the values of each row begin."""
        return np.asarray(np.cumsum(self.counts) - self.counts, dtype=np.int64)


def parse(texts: Sequence[bytes]) -> Rows:
    """Split texts into rows; what is wrong with them is left for `check`."""
    lines_of = [text.removeprefix(_BOM).splitlines(keepends=True) for text in texts]
    records = list(chain.from_iterable(lines_of))
    tokens = list(map(bytes.split, records))
    sizes = np.fromiter(map(len, tokens), dtype=np.int64, count=len(tokens))
    rows = np.repeat(np.arange(len(texts)), [len(lines) for lines in lines_of])
    full = sizes > 0
    if not full.all():
        records = _joined(records, full, rows)
        tokens = [row for row in tokens if row]
        sizes, rows = sizes[full], rows[full]
    numbers = _numbers(tokens, any(b"_" in text for text in texts))
    firsts = np.cumsum(sizes) - sizes
    behind = np.ones(len(numbers), dtype=np.bool_)
    behind[firsts] = False
    empty = np.setdiff1d(np.arange(len(texts)), rows).tolist()
    return Rows(rows, numbers[firsts], sizes - 1, numbers[behind], records, {at: texts[at] for at in empty})


def concatenate(parts: Sequence[Rows], texts: Sequence[int]) -> Rows:
    """Join the rows of several calls; `texts` is how many each had."""
    firsts = np.cumsum([0, *texts]).tolist()
    pairs = list(zip(parts, firsts, strict=False))
    if not pairs:
        return Rows(np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.int64), np.zeros(0), [], {})
    return Rows(
        np.concatenate([part.texts + first for part, first in pairs]),
        np.concatenate([part.classes for part in parts]),
        np.concatenate([part.counts for part in parts]),
        np.concatenate([part.values for part in parts]),
        list(chain.from_iterable(part.records for part in parts)),
        {first + at: text for part, first in pairs for at, text in part.blanks.items()},
    )


def _numbers(tokens: Iterable[Sequence[bytes]], strict: bool) -> Floats:
    """Return all tokens as numbers; those that only Python takes for one (`1_0`, `nan`) are NaN or out of range."""
    flat = list(chain.from_iterable(tokens))
    if not strict:
        try:
            return np.fromiter(map(float, flat), dtype=np.float64, count=len(flat))
        except ValueError:
            pass
    return np.array([float(token) if is_number(token) else np.nan for token in flat], dtype=np.float64)


def is_number(token: bytes) -> bool:
    """Return whether a token is a decimal number in ASCII."""
    return _NUMBER.fullmatch(token) is not None


def _joined(lines: Sequence[bytes], full: Flags, texts: Integers) -> list[bytes]:
    """Give blank lines to the row before them in the same text, or to the first one behind."""
    records: list[bytes] = []
    before, owner = b"", -1
    for line, is_row, text in zip(lines, full.tolist(), texts.tolist(), strict=True):
        if text != owner:
            before, owner, has_row = b"", text, False
        if is_row:
            records.append(before + line)
            before, has_row = b"", True
        elif has_row:
            records[-1] += line
        else:
            before += line
    return records


def line_numbers(rows: Rows) -> Integers:
    """Return the 1-based line of each row in its text."""
    result = np.zeros(len(rows.records), dtype=np.int64)
    lines, text = 0, -1
    for row, (record, owner) in enumerate(zip(rows.records, rows.texts.tolist(), strict=True)):
        lines, text = (0 if owner != text else lines), owner
        leading = len((record[: len(record) - len(record.lstrip())]).splitlines())
        result[row] = lines + leading + 1
        lines += len(record.splitlines())
    return result


@dataclass(frozen=True, slots=True)
class Forms:
    """What each row is.

    Attributes:
        coordinates: int64 (N,), values of the box or polygon, without keypoints and score; 0 where it is no such row.
        keypoints: bool (N,), keypoints stand behind the box.
        scores: bool (N,), a score stands behind.
        dimensions: values of a keypoint, 2 or 3.
    """

    coordinates: Integers
    keypoints: Flags
    scores: Flags
    dimensions: int = 3

    @property
    def polygons(self) -> Flags:
        """Return bool (N,): the rows that are outlines."""
        return np.asarray(self.coordinates > 4)

    @property
    def boxes(self) -> Flags:
        """Return bool (N,): the rows that begin with a box."""
        return np.asarray(self.coordinates == 4)


def forms(rows: Rows, shape: KeypointShape | None) -> Forms:
    """Tell boxes, polygons, keypoints and scores apart by the number of values."""
    counts = rows.counts
    if shape is not None:
        keypoints = counts == 4 + shape[0] * shape[1]
        fitting = keypoints | (counts == 4)
        return Forms(np.where(fitting, 4, 0), keypoints, np.zeros(len(counts), dtype=np.bool_), shape[1])
    # Only where every row has one more is it a score: one row of five values is a slip.
    has_scores = bool(len(counts)) and bool(((counts % 2 == 1) & (counts >= 5)).all())
    shares = counts - has_scores
    fitting = (shares % 2 == 0) & (shares >= 4)
    return Forms(np.where(fitting, shares, 0), np.zeros(len(counts), dtype=np.bool_), np.full(len(counts), has_scores))


@dataclass(frozen=True, slots=True)
class Geometry:
    """Rows in pixels: boxes float64 (N, 4) as x, y, w, h; outlines and keypoints as JSON, None where there is none."""

    boxes: Floats
    outlines: list[bytes | None]
    keypoints: list[bytes | None]
    scores: Floats


def geometry(rows: Rows, found: Forms, sizes: Floats, *, outlines: bool = True) -> Geometry:
    """Turn shares into pixels.

    In float64, with W the photo's width: the edges are (cx - w / 2) * W and (cx + w / 2) * W; a polygon's x is x * W,
    and its box encloses its points. All are snapped to whole pixels as far as the row's decimals leave that open.

    Args:
        rows: checked rows.
        found: what they are.
        sizes: float64 (N, 2), width and height of each row's photo in pixels.
        outlines: whether outlines are wanted.
    """
    boxes = np.zeros((len(rows.records), 4), dtype=np.float64)
    starts, flags = rows.starts, found.boxes
    shares = rows.values[starts[flags][:, None] + np.arange(4)]
    steps = half_steps(rows.values, starts, rows.counts)
    boxes[flags] = boxes_of(shares[:, :2], shares[:, 2:], sizes[flags], steps[flags])
    slack = steps[:, None] * sizes
    texts = _polygons(rows, found, (sizes, slack), boxes, outlines)
    scores = np.full(len(boxes), np.nan)
    scores[found.scores] = rows.values[(starts + rows.counts - 1)[found.scores]]
    return Geometry(boxes, texts, _keypoints(rows, found, (sizes, slack)), scores)


def _polygons(
    rows: Rows, found: Forms, scales: tuple[Floats, Floats], boxes: Floats, wanted: bool
) -> list[bytes | None]:
    """Fill in the boxes of polygons, and return their outlines; scales are sizes of photos and slack in pixels."""
    texts: list[bytes | None] = [None] * len(boxes)
    flags = found.polygons
    if not flags.any():
        return texts
    counts = np.where(flags, found.coordinates, 0)
    inside = np.repeat(flags, rows.counts)
    if found.scores.any():
        inside[(rows.starts + rows.counts - 1)[found.scores]] = False
    sizes, slack = (np.repeat(scale, counts // 2, axis=0) for scale in scales)
    points = snapped(rows.values[inside].reshape(-1, 2) * sizes, slack)
    lengths = counts[flags] // 2
    firsts = np.cumsum(lengths) - lengths
    low, high = np.minimum.reduceat(points, firsts), np.maximum.reduceat(points, firsts)
    boxes[flags] = np.concatenate([low, np.round(high - low, 9)], axis=1)
    if wanted:
        encode, flat = msgspec.json.Encoder().encode, points.ravel().tolist()
        bounds = zip(np.flatnonzero(flags).tolist(), (2 * firsts).tolist(), (2 * lengths).tolist(), strict=True)
        for row, first, length in bounds:
            texts[row] = encode([flat[first : first + length]])
    return texts


def _keypoints(rows: Rows, found: Forms, scales: tuple[Floats, Floats]) -> list[bytes | None]:
    """Return keypoints as COCO has them: x, y, visibility; None where none is visible and all stand at zero.

    Points that come without a visibility are visible (2), but for those at the very corner.
    """
    texts: list[bytes | None] = [None] * len(rows.records)
    encode, starts = msgspec.json.Encoder().encode, rows.starts
    sizes, slack = scales
    for row in np.flatnonzero(found.keypoints).tolist():
        first = int(starts[row]) + 4
        values = rows.values[first : first + int(rows.counts[row]) - 4].reshape(-1, found.dimensions)
        visible = values[:, 2] if found.dimensions == 3 else np.where(values.any(axis=1), 2.0, 0.0)
        if values.any():
            points = snapped(values[:, :2] * sizes[row], slack[row]).tolist()
            texts[row] = encode(
                [item for (x, y), v in zip(points, visible.tolist(), strict=True) for item in (x, y, int(v))]
            )
    return texts
