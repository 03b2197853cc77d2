"""Turn labels with their photo: boxes and outlines that were drawn on the stored photo, before its EXIF turn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import msgspec
import numpy as np
import pyarrow as pa

from vision_cli.checks import find
from vision_cli.checks.finding import Floats, Ids
from vision_cli.checks.photo_facts import PhotoFacts, PhotoRecord
from vision_cli.checks.repair import Repaired, Work, of_photos
from vision_cli.core import outline
from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError

Turn = Callable[[Floats, Floats, float, float], tuple[Floats, Floats]]

_TURNS: dict[int, Turn] = {
    5: lambda x, y, _w, _h: (y, x),
    6: lambda x, y, _w, h: (h - y, x),
    7: lambda x, y, w, h: (h - y, w - x),
    8: lambda x, y, w, _h: (y, w - x),
}
"""Place on the upright photo of a place on the stored one of width w and height h, by EXIF orientation."""


def turn_labels(work: Work) -> Repaired:
    """Turn boxes and polygons of photos whose labels have the size of the stored photo."""
    found = [each for each in find("photo-orientation", work.request) if each.severity == "error"]
    rows = np.concatenate([np.empty(0, np.int64), *(each.where.images for each in found)]).astype(np.int64)
    rows = rows[[not work.gone[row] and _turnable(work, row) for row in rows.tolist()]] if len(rows) else rows
    if not len(rows) or work.request.photos is None:
        return Repaired(work.dataset)
    dataset = work.dataset
    for row in rows.tolist():
        dataset = _turned(work, dataset, row)
    records = [work.request.photos.records[row] for row in rows.tolist()]
    dataset = _with_sizes(dataset, rows, records)
    before = [f"boxes on {each.height} x {each.width}" for each in records]
    after = [f"boxes on {each.width} x {each.height}, turned" for each in records]
    return Repaired(dataset, of_photos("turn-labels", rows.tolist(), before, after))


def _turnable(work: Work, row: int) -> bool:
    """Keypoints, masks and rotated boxes are not turned here, and so neither is their photo."""
    table = work.dataset.annotations.filter(pa.array(work.request.rows == row))
    masks = "outline" in table.column_names and any((text or b"[")[:1] != b"[" for text in table["outline"].to_pylist())
    others = any(
        name in table.column_names and table[name].null_count < table.num_rows for name in ("keypoints", "rotation_deg")
    )
    return not masks and not others


def _turned(work: Work, dataset: Dataset, row: int) -> Dataset:
    from vision_cli.checks.repairs import with_boxes

    at = np.flatnonzero(work.request.rows == row)
    record = (work.request.photos or PhotoFacts(())).records[row]
    turn, width, height = _TURNS[record.orientation], float(record.height), float(record.width)
    boxes = work.request.boxes
    ones = turn(boxes.left[at], boxes.top[at], width, height)
    others = turn(boxes.right[at], boxes.bottom[at], width, height)
    left, top = np.minimum(ones[0], others[0]), np.minimum(ones[1], others[1])
    right, bottom = np.maximum(ones[0], others[0]), np.maximum(ones[1], others[1])
    shift_x, shift_y = _column(dataset, "x")[at] - boxes.left[at], _column(dataset, "y")[at] - boxes.top[at]
    short = boxes.width[at] - _column(dataset, "w")[at]
    values = np.stack([left + shift_x, top + shift_y, right - left - short, bottom - top - short], axis=1)
    return _with_outlines(with_boxes(dataset, at, np.round(values, 6)), at, lambda x, y: turn(x, y, width, height))


def _column(dataset: Dataset, name: str) -> Floats:
    from vision_cli.checks.request import floats

    return floats(dataset.annotations, name, np.nan)


def _with_outlines(dataset: Dataset, rows: Ids, turn: Callable[[Floats, Floats], tuple[Floats, Floats]]) -> Dataset:
    table = dataset.annotations
    if "outline" not in table.column_names:
        return dataset
    texts = table["outline"].to_pylist()
    for row in rows.tolist():
        if texts[row]:
            texts[row] = _turned_outline(texts[row], turn)
    index = table.schema.get_field_index("outline")
    return replace(dataset, annotations=table.set_column(index, "outline", pa.array(texts, pa.binary())))


def _turned_outline(text: bytes, turn: Callable[[Floats, Floats], tuple[Floats, Floats]]) -> bytes:
    try:
        found = outline.parse(text)
    except DataError:
        return text
    rings = found.rings if isinstance(found, outline.Polygons) else ()
    turned = [np.round(np.stack(turn(ring[:, 0], ring[:, 1]), axis=1), 6).ravel().tolist() for ring in rings]
    return msgspec.json.encode(turned)


def _with_sizes(dataset: Dataset, rows: Ids, records: Sequence[PhotoRecord]) -> Dataset:
    """Give photos their upright size."""
    images = dataset.images
    for name, values in (("width", [each.width for each in records]), ("height", [each.height for each in records])):
        column = images[name].to_numpy().copy()
        column[rows] = values
        images = images.set_column(images.schema.get_field_index(name), name, pa.array(column, pa.int32()))
    return replace(dataset, images=images)
