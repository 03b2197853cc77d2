"""Which ids a COCO file cannot hold: texts, unless its own records hold texts, and those that stand several times."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vision_cli.core.conservation import Loss, Mask
from vision_cli.core.dataset import SPLITS, Dataset
from vision_cli.formats.coco.writing import FAMILY, ids

_WHOLE = r"^(0|-?[1-9][0-9]{0,17})$"


def losses(dataset: Dataset) -> list[Loss]:
    """Return photos and annotations that get another id, which nobody needs to allow."""
    origins = list(dataset.origins.values())
    has_records = len(origins) == 1 and origins[0].format in FAMILY
    images, annotations = dataset.images, dataset.annotations
    reason = "id -> new number"
    found = []
    if not _fit(images):
        found.append(Loss("ids", "image-detail", reason, _lost(images, dataset.splits(), has_records), allowed=True))
    if not _fit(annotations):
        splits = dataset.splits()[dataset.rows_of(annotations["image_id"])]
        found.append(Loss("ids", "detail", reason, _lost(annotations, splits, has_records), allowed=True))
    return [loss for loss in found if loss.rows.any()]


def _fit(table: pa.Table) -> bool:
    """Tell quickly whether there is no id, or all are distinct whole numbers."""
    if "source_id" not in table.column_names or table["source_id"].null_count == table.num_rows:
        return True
    column = table["source_id"]
    whole = column.null_count == 0 and pc.all(pc.match_substring_regex(column, _WHOLE)).as_py()
    return bool(whole) and pc.count_distinct(column).as_py() == len(column)


def _lost(table: pa.Table, splits: np.ndarray[Any, np.dtype[np.str_]], has_records: bool) -> Mask:
    """Return the rows whose id is another in the file of their split."""
    lost = np.zeros(table.num_rows, dtype=np.bool_)
    for split in (*SPLITS, ""):
        rows = np.flatnonzero(splits == split)
        part = table.select([name for name in ("source_id", "record") if name in table.column_names]).take(
            pa.array(rows)
        )
        now = ids(part, has_records=has_records)
        texts = part["source_id"].to_pylist()
        lost[rows] = [text is not None and str(new) != text for text, new in zip(texts, now, strict=True)]
    return lost
