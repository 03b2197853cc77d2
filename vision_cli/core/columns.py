"""The columns of a data set's two tables: those that every set has, and those that a format may bring along.

A reader adds only the optional columns that its source carries; a missing column means that nothing is known. Any other
column of `images` is metadata (`captured_at`, `scene`, `camera` ...), of whatever type it has.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

IMAGE_COLUMNS = pa.schema(
    [
        ("id", pa.int64()),
        ("source", pa.string()),
        ("path", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("split", pa.string()),
        ("group", pa.string()),
    ]
)
"""`id` counts from 0 in row order; `path` is relative to the source's root, with `/`; pixels after EXIF orientation."""

ANNOTATION_COLUMNS = pa.schema(
    [
        ("id", pa.int64()),
        ("image_id", pa.int64()),
        ("class_id", pa.int32()),
        ("value", pa.float64()),
    ]
)
"""`class_id` indexes the class map, null where the label is a `value`."""

MORE_IMAGE_COLUMNS = pa.schema(
    [
        ("source_id", pa.string()),  # the photo's id in its source, as text: "42", "a1b2"
        ("record", pa.binary()),  # the source's own record, byte for byte; only the same format reads it
        ("mask", pa.string()),  # path of a photo's mask file, relative to the root (semantic, panoptic)
    ]
)

MORE_ANNOTATION_COLUMNS = pa.schema(
    [
        ("source_id", pa.string()),  # the annotation's id in its source, as text
        ("record", pa.binary()),  # the source's own record, byte for byte; only the same format reads it
        ("x", pa.float64()),  # left edge in pixels, in the convention of `Origin.pixels`; null without a box
        ("y", pa.float64()),  # top edge
        ("w", pa.float64()),  # right edge minus left edge, whatever the convention
        ("h", pa.float64()),  # bottom edge minus top edge
        ("rotation_deg", pa.float64()),  # clockwise, about the box's centre
        ("area", pa.float64()),  # square pixels, as the source says
        (
            "outline",
            pa.binary(),
        ),  # JSON: [[x, y, x, y ...] ...] or {"size": [h, w], "counts": ...}: core/outline.py
        ("outline_parts", pa.int16()),  # polygons of the outline; -1 for a run-length mask, 0 for none
        ("keypoints", pa.binary()),  # JSON: [x, y, visibility ...], COCO's order and meaning
        ("iscrowd", pa.bool_()),
        ("truncated", pa.float64()),  # share outside of the photo, 0 to 1; a flag is 0 or 1
        ("occluded", pa.int8()),  # KITTI's 0 visible, 1 partly, 2 largely, 3 unknown; a flag is 0 or 1
        ("difficult", pa.bool_()),
        ("score", pa.float64()),  # 0 to 1, of a prediction
        ("annotator", pa.string()),
        ("track_id", pa.int64()),  # the same object in several frames
        ("alpha", pa.float64()),  # radians: the angle under which KITTI's camera sees the object, -pi to pi
        ("height_m", pa.float64()),  # metres: the object's own size, as `width_m` and `length_m`
        ("width_m", pa.float64()),
        ("length_m", pa.float64()),
        ("x_m", pa.float64()),  # metres, in camera coordinates: right, as `y_m` down and `z_m` forward
        ("y_m", pa.float64()),
        ("z_m", pa.float64()),
        ("rotation_y", pa.float64()),  # radians about the camera's y axis, -pi to pi
        ("attributes", pa.string()),  # JSON object of all that has no column, in the source's order
    ]
)

BOX_3D = ("alpha", "height_m", "width_m", "length_m", "x_m", "y_m", "z_m", "rotation_y")
"""The annotation columns of an object's place in space."""


def from_numpy(values: NDArray[Any], missing: NDArray[np.bool_] | None = None) -> pa.Array:
    """Return a numpy column as one of Arrow, on the same memory unless it holds flags.

    `pa.array` does the same, but imports `numpy.ma` for the first one: 13 ms, a tenth of a small conversion.

    Args:
        values: numbers or flags, (N,).
        missing: bool (N,), where there are nulls.
    """
    valid = None if missing is None else _bits(~missing)
    data = _bits(values) if values.dtype == np.bool_ else pa.py_buffer(np.ascontiguousarray(values))
    return pa.Array.from_buffers(pa.from_numpy_dtype(values.dtype), len(values), [valid, data])


def _bits(flags: NDArray[np.bool_]) -> pa.Buffer:
    return pa.py_buffer(np.packbits(flags, bitorder="little"))
