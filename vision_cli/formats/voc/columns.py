"""Objects of VOC annotations as columns, the same for who reads them and who compares them with what is there now."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vision_cli.formats.edges import extents
from vision_cli.formats.voc.text import unspelled
from vision_cli.formats.voc.xml import VocObject

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_EDGES = ("xmin", "ymin", "xmax", "ymax")
_NOTHING = ("0", "0", "0", "0")
Report = Callable[[int, str, str], None]
Floats = np.ndarray[Any, np.dtype[np.float64]]


def columns_of(objects: Sequence[VocObject], report: Report) -> dict[str, pa.Array]:
    """Return columns of `annotations`: box, flags, attributes; flags and attributes only where any object has them.

    Args:
        objects: of any number of photos.
        report: is told the row, the kind and the text of what is refused; the columns are of no use then.
    """
    texts, edges = _edges(objects, report)
    columns = {"x": pa.array(edges[0]), "y": pa.array(edges[1])}
    sound = bool(np.isfinite(edges).all())
    columns["w"] = pa.array(extents(edges[0], edges[2], texts[0], texts[2]) if sound else edges[2])
    columns["h"] = pa.array(extents(edges[1], edges[3], texts[1], texts[3]) if sound else edges[3])
    columns["truncated"] = pc.cast(pa.array([item.truncated for item in objects], pa.string()), pa.float64())
    columns["occluded"] = pc.cast(pa.array([item.occluded for item in objects], pa.string()), pa.int8())
    columns["difficult"] = pc.equal(pa.array([item.difficult for item in objects], pa.string()), "1")
    columns["attributes"] = pa.array([item.attributes for item in objects], pa.string())
    return {name: column for name, column in columns.items() if name in "xywh" or column.null_count < len(column)}


def names_of(objects: Sequence[VocObject]) -> list[str]:
    """Return the class of each object."""
    return [unspelled(item.name) for item in objects]


def _edges(objects: Sequence[VocObject], report: Report) -> tuple[list[pa.StringArray], list[Floats]]:
    for row, item in enumerate(objects):
        if not item.name:
            report(row, "objects without a name", "has no <name>")
        if item.box is None:
            report(row, "objects without a box", "has no <bndbox>")
    boxes = [item.box or _NOTHING for item in objects]
    texts = [pa.array([box[index] for box in boxes], pa.string()) for index in range(4)]
    edges = [_numbers(column, name, report) for column, name in zip(texts, _EDGES, strict=True)]
    turned = (edges[2] < edges[0]) | (edges[3] < edges[1])
    for row in np.flatnonzero(turned).tolist():
        report(row, "boxes turned over", "xmax is less than xmin, or ymax less than ymin")
    return texts, edges


def _numbers(texts: pa.StringArray, name: str, report: Report) -> Floats:
    try:
        numbers = pc.cast(texts, pa.float64()).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:
        plain = [text if _NUMBER.fullmatch(text) else "nan" for text in texts.to_pylist()]
        numbers = np.array([float(text) for text in plain], dtype=np.float64)
    for row in np.flatnonzero(~np.isfinite(numbers)).tolist():
        report(row, "bad numbers", f"{name} is {texts[row].as_py()[:40]!r}, not a plain finite number")
    return np.where(np.isfinite(numbers), numbers, np.nan)
