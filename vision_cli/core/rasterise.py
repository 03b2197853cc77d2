"""Polygons to run-length masks by the rule of pycocotools, bit by bit.

`rleFrPoly` of `maskApi.c` rounds the points to fifths of a pixel, walks each edge in steps of a fifth and toggles the
column's pixels below where the walk crosses the middle of a column. Here only those crossings are computed, so that
cost and memory follow the columns that an edge crosses inside of the photo, however far outside its points lie.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vision_cli.core import rle
from vision_cli.core.errors import DataError

Points = NDArray[np.float64]
_SCALE, _MIDDLE = 5, 2
_MAX_CROSSINGS = 20_000_000


@dataclass(frozen=True, slots=True)
class _Edges:
    """Edges in fifths of a pixel, int64 (E,) each, turned so that they ascend along their longer side."""

    x: NDArray[np.int64]
    y: NDArray[np.int64]
    end_x: NDArray[np.int64]
    end_y: NDArray[np.int64]

    @property
    def flat(self) -> NDArray[np.bool_]:
        """Tell which edges are walked along x."""
        return np.asarray(np.abs(self.end_x - self.x) >= np.abs(self.end_y - self.y), dtype=np.bool_)

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> _Edges:
        """Return some of the edges."""
        return _Edges(self.x[rows], self.y[rows], self.end_x[rows], self.end_y[rows])


def runs_of_polygons(polygons: Sequence[Points], width: int, height: int) -> NDArray[np.int64]:
    """Return the counts of the union of polygons, each float64 (P, 2), finite.

    Raises:
        DataError: an impossible size, or over 20 million crossings of edges and columns.
    """
    rle.check_size(height, width)
    found = [_spans(polygon, width, height) for polygon in polygons]
    if len(found) == 1:
        return rle.of_spans(*found[0], width * height)
    starts = np.concatenate([np.empty(0, np.int64), *(starts for starts, _ in found)])
    ends = np.concatenate([np.empty(0, np.int64), *(ends for _, ends in found)])
    return rle.of_spans(*union(starts, ends), width * height)


def union(starts: NDArray[np.int64], ends: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Join spans in any order to ascending ones that neither touch nor overlap."""
    order = np.argsort(starts, kind="stable")
    starts, reach = starts[order], np.maximum.accumulate(ends[order]) if len(ends) else ends
    first = np.ones(len(starts), dtype=np.bool_)
    first[1:] = starts[1:] > reach[:-1]
    return starts[first], reach[np.append(first[1:], True)] if len(starts) else reach


def _spans(polygon: Points, width: int, height: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the spans of one polygon, which toggles the pixels between crossings (even-odd)."""
    columns, rows = _crossings(_edges(polygon), width)
    # Fifths to rows: the first whole row at or below, inside of the photo.
    tops = np.clip(-((_MIDDLE - rows) // _SCALE), 0, height)
    at, times = np.unique(columns * height + tops, return_counts=True)
    toggles = at[(times % 2 == 1) & (at < width * height)]
    if len(toggles) % 2:
        toggles = np.append(toggles, width * height)
    return toggles[::2], toggles[1::2]


def _edges(polygon: Points) -> _Edges:
    # C's conversion to int cuts towards zero.
    x, y = np.trunc(_SCALE * polygon + 0.5).astype(np.int64).T
    edges = _Edges(x, y, np.roll(x, -1), np.roll(y, -1))
    turned = np.where(edges.flat, edges.x > edges.end_x, edges.y > edges.end_y)
    return _Edges(
        np.where(turned, edges.end_x, edges.x),
        np.where(turned, edges.end_y, edges.y),
        np.where(turned, edges.x, edges.end_x),
        np.where(turned, edges.y, edges.end_y),
    )


def _crossings(edges: _Edges, width: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the column and the height in fifths of each crossing of an edge with a column's middle."""
    # From fifth 5c + 2 to 5c + 3, or back.
    low, high = np.minimum(edges.x, edges.end_x), np.maximum(edges.x, edges.end_x)
    first = np.maximum(-((_MIDDLE - low) // _SCALE), 0)
    last = np.minimum((high - _MIDDLE - 1) // _SCALE, width - 1)
    numbers = np.maximum(last - first + 1, 0)
    if int(numbers.sum()) > _MAX_CROSSINGS:
        raise DataError(f"the outline crosses columns {int(numbers.sum()):,} times; the limit is {_MAX_CROSSINGS:,}.")
    offsets = np.arange(int(numbers.sum())) - np.repeat(np.cumsum(numbers) - numbers, numbers)
    columns = np.repeat(first, numbers) + offsets
    each = edges.take(np.repeat(np.arange(len(numbers)), numbers))
    flat = each.flat
    rows = np.empty(len(columns), dtype=np.int64)
    rows[flat] = _rows_of_flat(each.take(flat), columns[flat])
    rows[~flat] = _rows_of_steep(each.take(~flat), columns[~flat])
    return columns, rows


def _rows_of_flat(edges: _Edges, columns: NDArray[np.int64]) -> NDArray[np.int64]:
    step = _SCALE * columns + _MIDDLE - edges.x
    slope = (edges.end_y - edges.y) / (edges.end_x - edges.x)
    before, after = (np.trunc(edges.y + slope * at + 0.5).astype(np.int64) for at in (step, step + 1))
    rows: NDArray[np.int64] = np.minimum(before, after)
    return rows


def _rows_of_steep(edges: _Edges, columns: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the step before the one at which x, rounded as the walk rounds it, comes to the other side."""
    slope = (edges.end_x - edges.x) / (edges.end_y - edges.y)
    bound = _SCALE * columns + _MIDDLE
    rising = slope > 0
    guess = np.ceil((bound + 0.5 - edges.x) / slope).astype(np.int64)
    step = guess + 2
    for at in (guess + 1, guess, guess - 1):
        beyond = np.trunc(edges.x + slope * at + 0.5) > bound
        step = np.where(beyond == rising, at, step)
    return edges.y + step - 1
