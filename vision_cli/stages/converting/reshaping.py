"""What a conversion does to boxes before they are written: another convention, boxes where none are, boxes alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vision_cli.core.dataset import Dataset
from vision_cli.core.origin import Pixels
from vision_cli.formats import conserving

Floats = np.ndarray[Any, np.dtype[np.float64]]

# What x and y of the first pixel are, and what is missing in w and h of a box that counts its last pixel.
_FIRST: dict[Pixels, float] = {"exclusive": 0.0, "inclusive-0": 0.0, "inclusive-1": 1.0}
_SHORT: dict[Pixels, float] = {"exclusive": 0.0, "inclusive-0": 1.0, "inclusive-1": 1.0}
_OF_OUTLINES = ("outline", "outline_parts")


def in_pixels(dataset: Dataset, source: Pixels, target: Pixels) -> Dataset:
    """Return the same boxes in another convention; numbers that are whole stay exact."""
    if "x" not in dataset.annotations.column_names:
        return dataset
    table = dataset.annotations
    for name, step in (("x", _FIRST), ("y", _FIRST), ("w", _SHORT), ("h", _SHORT)):
        by = step[target] - step[source] if step is _FIRST else step[source] - step[target]
        if by:
            column = pa.array(_column(table, name) + by, mask=~conserving.valid(table, name))
            table = table.set_column(table.schema.get_field_index(name), name, column)
    origins = {source: replace(origin, pixels=target) for source, origin in dataset.origins.items()}
    return replace(dataset, annotations=table, origins=origins)


def with_boxes(dataset: Dataset, carries: frozenset[str]) -> Dataset:
    """Return the data set with what a target that holds boxes counts on.

    The columns of boxes are there, each outline has a box, and rotated boxes are upright where the target holds none.

    Raises:
        DataError: an outline cannot be read.
    """
    if "box" not in carries:
        return dataset
    dataset = _around_outlines(_with_columns(dataset))
    return dataset if "rotation" in carries else _upright(dataset)


def without_outlines(dataset: Dataset) -> Dataset:
    """Return the data set with boxes alone; the source's own bytes of objects that had an outline are left out, too."""
    table = dataset.annotations
    kinds = conserving.shapes(table)
    had = kinds.polygons | kinds.mask
    if "record" in table.column_names and had.any():
        own = pc.if_else(pa.array(had), pa.scalar(None, table["record"].type), table["record"])
        table = table.set_column(table.schema.get_field_index("record"), "record", own)
    kept = [name for name in table.column_names if name not in _OF_OUTLINES]
    return replace(dataset, annotations=table.select(kept))


def _with_columns(dataset: Dataset) -> Dataset:
    table = dataset.annotations
    for name in "xywh":
        if name not in table.column_names:
            table = table.append_column(name, pa.nulls(table.num_rows, pa.float64()))
    return replace(dataset, annotations=table)


def _around_outlines(dataset: Dataset) -> Dataset:
    kinds = conserving.shapes(dataset.annotations)
    rows = np.flatnonzero(~kinds.box & (kinds.polygons | kinds.mask) & conserving.valid(dataset.annotations, "outline"))
    if not rows.size:
        return dataset
    from vision_cli.core import outline

    outlines = dataset.annotations["outline"].take(pa.array(rows)).to_pylist()
    return _with(dataset, rows, np.array([outline.box(outline.parse(data)) for data in outlines]))


def _upright(dataset: Dataset) -> Dataset:
    """Put the smallest upright box around each rotated one."""
    table = dataset.annotations
    degrees = conserving.numbers(table, "rotation_deg", 0)
    rows = np.flatnonzero((degrees != 0) & conserving.valid(table, "x"))
    if not rows.size:
        return dataset
    x, y, w, h = (_column(table, name)[rows] for name in "xywh")
    angle = np.radians(degrees[rows])
    cos, sin = np.abs(np.cos(angle)), np.abs(np.sin(angle))
    wide, high = w * cos + h * sin, w * sin + h * cos
    boxes = np.stack([x + w / 2 - wide / 2, y + h / 2 - high / 2, wide, high], axis=1)
    upright = _with(dataset, rows, boxes)
    return replace(upright, annotations=upright.annotations.drop_columns(["rotation_deg"]))


def _with(dataset: Dataset, rows: np.ndarray[Any, np.dtype[np.int64]], boxes: Floats) -> Dataset:
    """Put boxes float64 (R, 4) into some rows."""
    table = dataset.annotations
    known = conserving.valid(table, "x")
    known[rows] = True
    for index, name in enumerate("xywh"):
        column = _column(table, name)
        column[rows] = boxes[:, index]
        table = table.set_column(table.schema.get_field_index(name), name, pa.array(column, mask=~known))
    return replace(dataset, annotations=table)


def _column(table: pa.Table, name: str) -> Floats:
    return conserving.numbers(table, name, 0.0).copy()
