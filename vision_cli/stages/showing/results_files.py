"""A list of COCO results as a layer of the page to browse photos."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from vision_cli.core import outline
from vision_cli.core.dataset import Dataset
from vision_cli.core.detections import Floats, Ints
from vision_cli.core.errors import DataError
from vision_cli.reports.browse_labels import Layer
from vision_cli.stages import coco_results
from vision_cli.stages.coco_results import Results


def read(dataset: Dataset, text: bytes, path: Path, least: float) -> tuple[Layer, tuple[int, ...], tuple[str, ...]]:
    """Return the results, the rows of photos that any of them is of, and notes of what was left out.

    Args:
        dataset: its photos have a `source_id`, its origin the ids of the classes.
        text: of the file.
        path: for messages.
        least: results below this score are left out.

    Raises:
        DataError: no list of results, an unknown category, a bad box, or results of other photos only.
    """
    results = coco_results.parse(text, path)
    photos = coco_results.rows_of(results.image_ids, dataset.images["source_id"].to_pylist())
    if len(results) and photos.max() < 0:
        raise DataError(
            f"{path}: none of its {len(results):,} results is of these photos.", hint="Is it the right file?"
        )
    there, sure = photos >= 0, results.scores >= least
    kept = np.flatnonzero(there & sure)
    ids = coco_results.classes_of(results.category_ids[kept], photos[kept], dataset, path)
    counts = {
        "of other photos": int((~there).sum()),
        f"below a score of {least:g}": int((there & ~sure).sum()),
        "of classes that these photos do without": int((ids == coco_results.LEFT_OUT).sum()),
    }
    notes = tuple(f"Results {what}, left out: {count:,}." for what, count in counts.items() if count)
    known = ids != coco_results.LEFT_OUT
    asked = tuple(np.unique(photos[there]).tolist())
    return _layer(results, kept[known], photos[kept[known]], ids[known]), asked, notes


def _layer(results: Results, rows: Ints, photos: Ints, ids: Ints) -> Layer:
    outlines = [results.outlines[row] for row in rows.tolist()]
    return Layer(
        rows=photos,
        class_ids=ids,
        boxes=_boxes(results.boxes[rows], outlines),
        scores=results.scores[rows],
        outlines=_column(outlines),
        keypoints=_column([results.keypoints[row] for row in rows.tolist()]),
    )


def _boxes(boxes: Floats, outlines: Sequence[bytes | None]) -> Floats:
    """Return the boxes; of an outline without one, the box around it."""
    for row in np.flatnonzero(np.isnan(boxes[:, 0])).tolist():
        text = outlines[row]
        if text is not None:
            boxes[row] = outline.box(outline.parse(text))
    return boxes


def _column(values: Sequence[Any]) -> pa.ChunkedArray | None:
    return pa.chunked_array([pa.array(values, pa.binary())]) if any(values) else None
