"""From a data set's columns to what a page draws."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vision_cli.core.columns import IMAGE_COLUMNS, MORE_IMAGE_COLUMNS
from vision_cli.core.dataset import Dataset
from vision_cli.reports.browse_labels import Floats, Layer
from vision_cli.stages.converting.reshaping import in_pixels, with_boxes
from vision_cli.views.pixels import convention

_MORE = {
    "value": "value",
    "source_id": "id",
    "area": "area",
    "truncated": "truncated",
    "occluded": "occluded",
    "difficult": "difficult",
    "iscrowd": "crowd",
    "annotator": "annotator",
    "track_id": "track",
    "rotation_deg": "rotation_deg",
    "height_m": "height_m",
    "width_m": "width_m",
    "length_m": "length_m",
    "attributes": "attributes",
}
"""Columns of the table of a photo, and what they are called there."""

_FLAGS = frozenset(("truncated", "occluded"))
"""Nothing is said of an object whose number is 0."""

_MOST_COLUMNS = 100


def layer(dataset: Dataset) -> Layer:
    """Return the annotations of a data set; boxes count edges, whatever the source's convention."""
    dataset = in_pixels(dataset, convention(dataset), "exclusive")
    table = dataset.annotations
    return Layer(
        rows=dataset.rows_of(table["image_id"]),
        class_ids=pc.fill_null(table["class_id"], -1).to_numpy().astype(np.int64),
        boxes=boxes(table),
        scores=_numbers(table, "score"),
        outlines=_there(table, "outline"),
        keypoints=_there(table, "keypoints"),
        more={text: _column(table, name) for name, text in _MORE.items() if _there(table, name) is not None},
    )


def judged(dataset: Dataset) -> Layer:
    """Return the annotations as predictions are compared with them: an outline without a box has the box around it.

    Raises:
        DataError: an outline cannot be read.
    """
    if _there(dataset.annotations, "outline") is None:
        return layer(dataset)
    return layer(with_boxes(dataset, frozenset(("box", "rotation"))))


def boxes(table: pa.Table) -> Floats | None:
    """Return float64 (A, 4), NaN without a box; None where nobody has one."""
    if _there(table, "w") is None:
        return None
    return np.stack([np.asarray(table[name].to_numpy(), dtype=np.float64) for name in "xywh"], axis=1)


def metadata(images: pa.Table) -> pa.Table:
    """Return the metadata columns, the first hundred of them."""
    ours = {*IMAGE_COLUMNS.names, *MORE_IMAGE_COLUMNS.names}
    return images.select([name for name in images.column_names if name not in ours][:_MOST_COLUMNS])


def sizes(images: pa.Table) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return int64 (N, 2), width and height; 0 where they are not known."""
    sides = [pc.fill_null(images[name], 0).to_numpy().astype(np.int64) for name in ("width", "height")]
    return np.stack(sides, axis=1)


def crowd(table: pa.Table) -> np.ndarray[Any, np.dtype[np.bool_]] | None:
    """Return bool (A,), which annotations are crowds; None where nobody says."""
    column = _there(table, "iscrowd")
    return None if column is None else pc.fill_null(column, False).to_numpy()


def _numbers(table: pa.Table, name: str) -> Floats | None:
    column = _there(table, name)
    return None if column is None else np.asarray(column.to_numpy(), dtype=np.float64)


def _there(table: pa.Table, name: str) -> pa.ChunkedArray | None:
    if name not in table.column_names or table[name].null_count == table.num_rows:
        return None
    return table[name]


def _column(table: pa.Table, name: str) -> pa.ChunkedArray:
    column = table[name]
    return pc.if_else(pc.equal(column, 0), None, column) if name in _FLAGS else column
