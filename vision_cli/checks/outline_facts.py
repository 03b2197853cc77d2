"""Figures of the outlines of a data set, a block at a time, each outline decoded once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vision_cli.core import outline, outline_rings
from vision_cli.core.crossing import crosses_itself
from vision_cli.core.crossing_columns import crossing_rings
from vision_cli.core.errors import DataError
from vision_cli.core.outline_rings import Ids, Rings

Faults = list[tuple[int, str]]


@dataclass(frozen=True, slots=True, eq=False)
class OutlineFacts:
    """Of N annotations.

    Attributes:
        bounds: float64 (N, 4), left, top, right, bottom; NaN without an outline.
        crossing: bool (N,), a polygon crosses itself.
        faults: row and reason of outlines that cannot be read.
    """

    bounds: NDArray[np.float64]
    crossing: NDArray[np.bool_]
    faults: Faults

    @classmethod
    def of(cls, column: pa.ChunkedArray) -> OutlineFacts:
        """Read a column of outlines."""
        made = cls(np.full((len(column), 4), np.nan), np.zeros(len(column), np.bool_), [])
        for rows, texts, rings in outline_rings.blocks(column):
            if rings is None:
                made._one_by_one(rows, texts.to_pylist())
            else:
                made._together(rows, rings)
        made.faults.sort()
        return made

    def _together(self, rows: Ids, rings: Rings) -> None:
        starts = rings.starts[rings.object_starts]
        for side, values in enumerate(np.ascontiguousarray(rings.points.T)):  # reduced twice as fast as rows of two
            self.bounds[rows, side] = np.minimum.reduceat(values, starts)
            self.bounds[rows, side + 2] = np.maximum.reduceat(values, starts)
        self.crossing[rows] = np.logical_or.reduceat(crossing_rings(rings), rings.object_starts)

    def _one_by_one(self, rows: Ids, texts: list[bytes]) -> None:
        for row, text in zip(rows.tolist(), texts, strict=True):
            try:
                found = outline.parse(text)
            except DataError as error:
                self.faults.append((row, error.message))
                continue
            left, top, width, height = outline.box(found)
            self.bounds[row] = left, top, left + width, top + height
            if isinstance(found, outline.Polygons):
                self.crossing[row] = any(crosses_itself(ring) for ring in found.rings)
