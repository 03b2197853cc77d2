"""The annotations of a page: columns in, a short list a photo out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

Ints = np.ndarray[Any, np.dtype[np.int64]]
Floats = np.ndarray[Any, np.dtype[np.float64]]

_MOST_OUTLINE_BYTES = 1 << 20
_MOST_CHARACTERS = 400


class _Mask(msgspec.Struct):
    size: tuple[int, int]
    counts: str | list[int]


_OUTLINE = msgspec.json.Decoder(list[list[float]] | _Mask)
_NUMBERS = msgspec.json.Decoder(list[float])


@dataclass(frozen=True, slots=True)
class Layer:
    """Annotations of one origin, a row each.

    Attributes:
        rows: int64 (A,), the photo of each.
        class_ids: int64 (A,), -1 without class.
        boxes: float64 (A, 4), x, y, width, height in pixels, edges; NaN without. None where nobody has one.
        scores: float64 (A,), NaN without. None where nobody has one.
        kinds: int64 (A,), index into `browse_errors.KINDS`, -1 for none of them. None where nothing is judged.
        outlines: as `core.outline` writes them.
        keypoints: JSON of x, y, visibility.
        more: further columns for the table of a photo.
    """

    rows: Ints
    class_ids: Ints
    boxes: Floats | None = None
    scores: Floats | None = None
    kinds: Ints | None = None
    outlines: pa.ChunkedArray | None = None
    keypoints: pa.ChunkedArray | None = None
    more: Mapping[str, pa.ChunkedArray] = field(default_factory=dict)

    def by_photo(self, photos: int) -> ByPhoto:
        """Return the annotations in the order of the photos."""
        order = np.argsort(self.rows, kind="stable")
        bounds = np.searchsorted(self.rows[order], np.arange(photos + 1))
        return ByPhoto(self, order, bounds)


@dataclass(frozen=True, slots=True)
class ByPhoto:
    """A layer sorted by photo.

    Attributes:
        layer: the annotations.
        order: int64 (A,), rows of the layer by photo.
        bounds: int64 (N + 1,), where each photo's part of `order` begins.
    """

    layer: Layer
    order: Ints
    bounds: Ints

    def counts(self, rows: range) -> list[int]:
        """Return the number of annotations of each photo."""
        found: list[int] = np.diff(self.bounds[rows.start : rows.stop + 1]).tolist()
        return found

    def classes_of(self, rows: range) -> list[list[int]]:
        """Return the distinct class ids of each photo."""
        ids = self.layer.class_ids[self.order]
        return [np.unique(part[part >= 0]).tolist() for part in self._parts(ids, rows)]

    def kinds_of(self, rows: range) -> Ints:
        """Return int64 (N,): the kinds of each photo as bits."""
        found = np.zeros(len(rows), dtype=np.int64)
        if self.layer.kinds is not None:
            kinds = self.layer.kinds[self.order]
            bits = np.where(kinds >= 0, np.int64(1) << np.maximum(kinds, 0), 0)
            for at, part in enumerate(self._parts(bits, rows)):
                found[at] = np.bitwise_or.reduce(part) if len(part) else 0
        return found

    def least_scores(self, rows: range) -> list[float | None]:
        """Return the lowest score of each photo; None without."""
        if self.layer.scores is None:
            return [None] * len(rows)
        parts = (part[~np.isnan(part)] for part in self._parts(self.layer.scores[self.order], rows))
        return [round(float(part.min()), 4) if len(part) else None for part in parts]

    def records(self, rows: range) -> list[list[list[Any]]]:
        """Return [class, box, score, kind, outline, keypoints, more] of each annotation, by photo; 0 for nothing."""
        start, stop = int(self.bounds[rows.start]), int(self.bounds[rows.stop])
        flat = _records(self.layer, self.order[start:stop])
        bounds = (self.bounds[rows.start : rows.stop + 1] - start).tolist()
        return [flat[low:high] for low, high in pairwise(bounds)]

    def _parts(self, values: np.ndarray[Any, Any], rows: range) -> list[np.ndarray[Any, Any]]:
        bounds = self.bounds[rows.start : rows.stop + 1].tolist()
        return [values[low:high] for low, high in pairwise(bounds)]


def plain(value: Any) -> Any:
    """Return a value as JSON holds it: numbers, flags and nothing as they are, everything else as bounded text."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    text = str(value)
    return text if len(text) <= _MOST_CHARACTERS else f"{text[: _MOST_CHARACTERS - 1]}…"


def _records(layer: Layer, at: Ints) -> list[list[Any]]:
    empty: list[Any] = [0] * len(at)
    boxes = empty if layer.boxes is None else [_box(box) for box in layer.boxes[at].round(2).tolist()]
    scores = empty if layer.scores is None else [_score(each) for each in layer.scores[at].tolist()]
    kinds = empty if layer.kinds is None else (layer.kinds[at] + 1).tolist()
    outlines = empty if layer.outlines is None else [_outline(data) for data in _taken(layer.outlines, at)]
    points = empty if layer.keypoints is None else [_points(data) for data in _taken(layer.keypoints, at)]
    rows = zip(layer.class_ids[at].tolist(), boxes, scores, kinds, outlines, points, _more(layer, at), strict=True)
    return [list(row) for row in rows]


def _taken(column: pa.ChunkedArray, at: Ints) -> list[Any]:
    found: list[Any] = column.take(pa.array(at)).to_pylist()
    return found


def _box(box: Sequence[float]) -> Any:
    return list(box) if all(map(math.isfinite, box)) else 0


def _score(score: float) -> Any:
    return round(score, 4) if math.isfinite(score) else 0


def _outline(data: bytes | None) -> Any:
    """Return polygons to a tenth of a pixel, or a run-length mask; 0 for nothing that can be drawn."""
    if not data or len(data) > _MOST_OUTLINE_BYTES:
        return 0
    try:
        found = _OUTLINE.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return 0
    if isinstance(found, _Mask):
        return found
    return [[round(value, 1) for value in ring] for ring in found]


def _points(data: bytes | None) -> Any:
    try:
        return [round(value, 1) for value in _NUMBERS.decode(data)] if data else 0
    except (msgspec.DecodeError, UnicodeDecodeError):
        return 0


def _more(layer: Layer, at: Ints) -> list[Any]:
    found: list[dict[str, Any]] = [{} for _ in at]
    for name, column in layer.more.items():
        for row, value in zip(found, _taken(column, at), strict=True):
            if value is not None:
                row[name] = plain(value)
    return [row or 0 for row in found]
