"""A data set's objects as the truth that detections are compared with."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from vision_cli.core import outline, rle, rle_columns
from vision_cli.core.dataset import ClassMap, Dataset
from vision_cli.core.detections import Floats, Ints, Truth
from vision_cli.core.errors import DataError

DONT_CARE = "DontCare"
"""KITTI's class of regions that nobody labelled; where it is no class of the model, it is a crowd of every class."""
_KEYPOINTS = msgspec.json.Decoder(list[float])


def truth_of(dataset: Dataset, classes: ClassMap, *, masks: bool = False, keypoints: bool = False) -> Truth:
    """Return the objects of a data set's photos, in the order of its annotations.

    Labels of other classes are left out; so are boxes without area, labels without a box and, with `masks`, without an
    outline, and a note counts them.

    Args:
        dataset: its boxes count edges (`Origin.pixels` is `exclusive`).
        classes: of the model; labels are matched by name.
        masks: fill the outlines; without, objects are boxes.
        keypoints: read the keypoints.

    Raises:
        DataError: boxes that count pixels, a photo of unknown size, or an outline that does not fit its photo.
    """
    if any(origin.pixels != "exclusive" for origin in dataset.origins.values()):
        raise DataError(
            "the labels' boxes count pixels, and detections count edges.", hint="Shift them to edges first."
        )
    table = dataset.annotations
    rows, ids = _rows_and_ids(dataset, classes)
    boxes = np.stack([_column(table, name)[rows] for name in ("x", "y", "w", "h")], axis=1)
    usable = (boxes[:, 2:] > 0).all(axis=1)
    texts = table["outline"] if "outline" in table.column_names else pa.nulls(len(table), pa.binary())
    if masks:
        usable &= texts.is_valid().to_numpy()[rows]
    notes = _notes(int((~usable).sum()), masks)
    rows, ids, boxes = rows[usable], ids[usable], boxes[usable]
    photo, sizes = dataset.rows_of(table["image_id"])[rows], _sizes(dataset)
    filled = _filled(texts.take(pa.array(rows)), sizes[photo]) if masks else None
    region = ids < 0
    found = Truth(
        sizes,
        photo,
        np.where(region, 0, ids),
        boxes,
        filled,
        _keypoints(table, rows) if keypoints else None,
        areas=_areas(table, rows, boxes, filled, sizes[photo]),
        crowd=_flag(table, "iscrowd", rows) | region,
        difficult=_flag(table, "difficult", rows),
        notes=notes,
    )
    return _of_every_class(found, region, len(classes)) if region.any() else found


def _rows_and_ids(dataset: Dataset, classes: ClassMap) -> tuple[Ints, Ints]:
    """Return the rows of annotations that count and their class; -1 for a region that nobody labelled."""
    where = {name: index for index, name in enumerate(classes.names)}
    where.setdefault(DONT_CARE, -1)
    new = np.array([where.get(name, -2) for name in dataset.classes.names] + [-2], dtype=np.int64)
    ids = new[dataset.annotations["class_id"].fill_null(-1).to_numpy()]
    rows = np.flatnonzero(ids > -2)
    return rows, ids[rows]


def _column(table: pa.Table, name: str) -> Floats:
    if name not in table.column_names:
        return np.full(len(table), np.nan)
    return np.asarray(table[name].cast(pa.float64()).fill_null(np.nan).to_numpy(), dtype=np.float64)


def _flag(table: pa.Table, name: str, rows: Ints) -> Any:
    if name not in table.column_names:
        return np.zeros(len(rows), dtype=np.bool_)
    return table[name].fill_null(False).to_numpy()[rows].astype(np.bool_)


def _sizes(dataset: Dataset) -> Ints:
    columns = [dataset.images[name].fill_null(0).to_numpy().astype(np.int64) for name in ("width", "height")]
    sizes = np.stack(columns, axis=1)
    unknown = np.flatnonzero(~(sizes > 0).all(axis=1))
    if unknown.size:
        names = [str(name) for name in dataset.images["path"].take(unknown[:10]).to_pylist()]
        raise DataError(f"{unknown.size} photos have no known size.", details=names, hint="Are the photos there?")
    return sizes


def _filled(texts: pa.ChunkedArray, sizes: Ints) -> pa.LargeBinaryArray:
    found = []
    for row, text in enumerate(texts.to_pylist()):
        width, height = sizes[row].tolist()
        found.append(rle.to_text(outline.runs(outline.parse(text), width, height)).encode("ascii"))
    return rle_columns.of_texts(found)


def _areas(table: pa.Table, rows: Ints, boxes: Floats, filled: pa.LargeBinaryArray | None, sizes: Ints) -> Floats:
    """Return the annotations' own areas; where they have none, the mask's pixels or the box's area."""
    told = _column(table, "area")[rows]
    other = boxes[:, 2] * boxes[:, 3] if filled is None else rle_columns.figures(filled, sizes).areas
    return np.asarray(np.where(np.isnan(told), other, told), dtype=np.float64)


def _keypoints(table: pa.Table, rows: Ints) -> Floats | None:
    """Return float64 (N, K, 3); an object without keypoints has zeros.

    Raises:
        DataError: objects with different numbers of keypoints.
    """
    if "keypoints" not in table.column_names:
        return None
    found = [_KEYPOINTS.decode(text) if text else [] for text in table["keypoints"].take(pa.array(rows)).to_pylist()]
    lengths = {len(each) for each in found if each}
    if len(lengths) > 1 or any(length % 3 for length in lengths):
        raise DataError(f"the objects have {sorted(lengths)} numbers of keypoints; all need as many, three each.")
    length = lengths.pop() if lengths else 0
    return np.array([each or [0.0] * length for each in found], dtype=np.float64).reshape(len(found), length // 3, 3)


def _of_every_class(truth: Truth, region: Any, n_classes: int) -> Truth:
    rows = np.concatenate([np.flatnonzero(~region), np.repeat(np.flatnonzero(region), n_classes)])
    found = truth.select(rows)
    kept = int((~region).sum())
    found.class_id[kept:] = np.tile(np.arange(n_classes), int(region.sum()))
    return found


def _notes(number: int, masks: bool) -> tuple[str, ...]:
    if not number:
        return ()
    what = "no box with an area or no outline" if masks else "no box with an area"
    return (f"{number} label{'s' if number > 1 else ''} with {what} left out of the truth.",)
