"""Kept predictions as rows of one table: one a photo, of detectors one an object."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from vision_cli.core.errors import DataError

SEPARATOR = "|"
"""Between the classes that a photo shows."""
_FIGURES = ("miou", "pixel_accuracy", "boundary_f1", "pq", "sq", "rq")
_COUNTS = {"found": "segments_found", "false": "segments_false", "missed": "segments_missed"}
"""Columns of a file, and what they are called where `false` is a word of the language."""
ROWS = pa.schema(
    [
        ("path", pa.string()),
        ("truth", pa.string()),  # of the photo; null for objects
        ("predicted", pa.string()),
        ("confidence", pa.float64()),
        ("scores", pa.list_(pa.float64())),
        *((name, pa.float64()) for name in ("x", "y", "w", "h")),  # pixels, edges counted
        *((name, pa.float64()) for name in _FIGURES),
        *((name, pa.int64()) for name in _COUNTS.values()),
    ]
)


def read(path: Path) -> pa.Table:
    """Return the rows of a file of predictions, of schema `ROWS`; what its task does not say is null.

    Raises:
        DataError: it is no file of predictions.
    """
    try:
        table = pq.read_table(path)
        if "boxes" in table.column_names:
            found = _of_objects(table)
        elif "confidence" in table.column_names:
            names = ("path", "truth", "predicted", "confidence", "scores")
            found = {name: table[name] for name in names}
        else:
            found = _of_pixels(table)
        return _filled(found)
    except (pa.ArrowException, OSError, KeyError) as error:
        raise DataError(f"{path}: is no file of predictions: {error}.", hint="Evaluate again.") from error


def _of_objects(table: pa.Table) -> dict[str, pa.Array]:
    """Return one row an object that was found; photos where nothing is found have none."""
    counts = pc.list_value_length(table["predicted"]).combine_chunks()
    photos = pa.array(np.repeat(np.arange(len(table)), counts.to_numpy(zero_copy_only=False)), pa.int64())
    columns = {
        "path": table["path"].combine_chunks().take(photos),
        "predicted": pc.list_flatten(table["predicted"]).combine_chunks(),
        "confidence": pc.list_flatten(table["confidence"]).combine_chunks(),
    }
    sides = pc.list_flatten(table["boxes"].cast(pa.list_(pa.list_(pa.float64())))).combine_chunks()
    if any(len(column) != len(photos) for column in (*columns.values(), sides)):
        raise KeyError("a photo has not as many classes as boxes")
    return columns | {name: pc.list_element(sides, at) for at, name in enumerate("xywh")}


def _of_pixels(table: pa.Table) -> dict[str, pa.Array]:
    """Return one row a photo, with the classes that it shows and its own figures."""
    labels = {name: _joined(table[name]) for name in ("truth", "predicted")}
    figures = {name: table[name] for name in _FIGURES if name in table.column_names}
    if not figures:
        raise KeyError("confidence")
    counts = {ours: table[name] for name, ours in _COUNTS.items() if name in table.column_names}
    return {"path": table["path"], **labels, **figures, **counts}


def _joined(lists: pa.ChunkedArray) -> pa.Array:
    return pc.binary_join(lists.cast(pa.list_(pa.string())), SEPARATOR)


def _filled(found: dict[str, pa.Array]) -> pa.Table:
    number = len(found["path"])
    return pa.table(
        {each.name: found[each.name].cast(each.type) if each.name in found else pa.nulls(number, each.type)
         for each in ROWS}
    )  # fmt: skip
