"""What people agree on as a data set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from vision_cli.core import outline
from vision_cli.core.columns import ANNOTATION_COLUMNS, IMAGE_COLUMNS, MORE_ANNOTATION_COLUMNS
from vision_cli.core.dataset import Dataset
from vision_cli.labelling.answers import Answers
from vision_cli.labelling.consensus import Agreed, Consensus
from vision_cli.labelling.gathering import Part

_PLACES = ("x", "y", "w", "h", "outline", "outline_parts")
_SCHEMA = pa.schema([*ANNOTATION_COLUMNS, *(MORE_ANNOTATION_COLUMNS.field(name) for name in _PLACES)])


def as_dataset(answers: Answers, found: Consensus, parts: Sequence[Part]) -> Dataset:
    """Return the photos that somebody answered with the consensus as their labels.

    Each photo is the first part's that has it, with its split and group; further columns are left out.
    """
    answered = np.flatnonzero(answers.seen.any(axis=1)).tolist()
    rows = {photo: row for row, photo in enumerate(answered)}
    where: dict[str, tuple[Part, int]] = {}
    for part in reversed(parts):
        where |= {key: (part, row) for row, key in enumerate(part.keys)}
    tables = {id(part): part.dataset.images.select(IMAGE_COLUMNS.names).to_pylist() for part in parts}
    images = []
    for row, photo in enumerate(answered):
        part, place = where[answers.photos[photo]]
        images.append({**tables[id(part)][place], "id": row})
    annotations = [{"id": number, **_row(each, rows)} for number, each in enumerate(found.rows)]
    table = pa.Table.from_pylist(annotations, _SCHEMA)
    if not any(each.box is not None for each in found.rows):
        table = table.select(ANNOTATION_COLUMNS.names)
    roots = {source: root for part in parts for source, root in part.dataset.roots.items()}
    return Dataset(pa.Table.from_pylist(images, IMAGE_COLUMNS), table, answers.classes, roots)


def _row(each: Agreed, rows: dict[int, int]) -> dict[str, Any]:
    row: dict[str, Any] = {
        "image_id": rows[each.photo],
        "class_id": each.class_id if each.class_id >= 0 else None,
        "value": None if np.isnan(each.value) else each.value,
    }
    if each.box is not None:
        left, top, right, bottom = each.box.tolist()
        row |= {"x": left, "y": top, "w": right - left, "h": bottom - top}
    if each.outline is not None:
        row |= {"outline": each.outline, "outline_parts": outline.RUNS_PARTS}
    return row
