"""Repairs of a data set's tables: each mends what a check finds, and says what it changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from vision_cli.checks import find, repair_photos, turning
from vision_cli.checks.boxes import twins
from vision_cli.checks.finding import Finding, Floats, Ids
from vision_cli.checks.repair import Change, Repaired, Work
from vision_cli.checks.request import Boxes, floats
from vision_cli.core.catalogue import suggestion
from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import UsageError


@dataclass(frozen=True, slots=True)
class Repair:
    """One line of the table of repairs.

    Attributes:
        apply: changes tables, or marks photos.
        summary: one line.
        photos: the photos must be decoded to know.
        asked: runs only when it is named, for somebody has to decide.
    """

    apply: Callable[[Work], Repaired]
    summary: str
    photos: bool = False
    asked: bool = False


def _rows(work: Work, check: str) -> Ids:
    """Return the annotations that a check finds, ascending."""
    found: list[Finding] = find(check, work.request)
    rows = np.concatenate([np.empty(0, np.int64), *(each.where.annotations for each in found)]).astype(np.int64)
    return np.unique(rows)


def drop_unclassed(work: Work) -> Repaired:
    """Drop annotations without a class of the class map."""
    return _dropped(work, _rows(work, "class-outside"), "drop-unclassed", "no class")


def drop_flat_boxes(work: Work) -> Repaired:
    """Drop boxes without area, and their outlines with them."""
    return _dropped(work, _rows(work, "box-without-area"), "drop-flat-boxes", "no area")


def drop_outside_boxes(work: Work) -> Repaired:
    """Drop boxes that have no pixel on their photo."""
    return _dropped(work, _rows(work, "box-outside"), "drop-outside-boxes", "beside the photo")


def drop_twin_boxes(work: Work) -> Repaired:
    """Drop boxes that stand twice exactly; those that nearly do need a look."""
    _first, second, iou = twins(work.request)
    exact = iou >= 1
    return _dropped(work, np.unique(second[exact]), "drop-twin-boxes", "stands twice")


def drop_broken_outlines(work: Work) -> Repaired:
    """Take broken outlines away; their boxes stay."""
    rows = _rows(work, "outline-broken")
    if not len(rows):
        return Repaired(work.dataset)
    table = work.dataset.annotations
    keep = np.ones(table.num_rows, dtype=np.bool_)
    keep[rows] = False
    for name in ("outline", "outline_parts", "record"):
        if name in table.column_names:
            column = pa.compute.if_else(pa.array(keep), table[name], pa.scalar(None, table[name].type))
            table = table.set_column(table.schema.get_field_index(name), name, column)
    changes = [
        Change("drop-broken-outlines", int(work.request.rows[row]), row, "a broken outline", "no outline")
        for row in rows.tolist()
    ]
    return Repaired(replace(work.dataset, annotations=table), changes)


def clip_boxes(work: Work) -> Repaired:
    """Cut boxes that stick out at the edge of their photo."""
    rows, boxes, sizes = _rows(work, "box-over-edge"), work.request.boxes, work.request.sizes
    width, height = sizes[rows].T
    left, right = np.clip(boxes.left[rows], 0, width), np.clip(boxes.right[rows], 0, width)
    top, bottom = np.clip(boxes.top[rows], 0, height), np.clip(boxes.bottom[rows], 0, height)
    return _moved(work, rows, np.stack([left, top, right, bottom], axis=1), "clip-boxes")


def boxes_from_outlines(work: Work) -> Repaired:
    """Put boxes around their outlines where the two disagree."""
    rows, facts = _rows(work, "outline-off-box"), work.request.outlines
    if facts is None or not len(rows):
        return Repaired(work.dataset)
    return _moved(work, rows, facts.bounds[rows], "boxes-from-outlines")


REPAIRS: Mapping[str, Repair] = {
    "turn-labels": Repair(
        turning.turn_labels, "Turn boxes that were drawn before the EXIF turn of their photo", photos=True
    ),
    "boxes-from-outlines": Repair(
        boxes_from_outlines, "Put boxes around their outlines where they disagree", asked=True
    ),
    "drop-broken-outlines": Repair(drop_broken_outlines, "Take broken outlines away, keep their boxes"),
    "drop-unclassed": Repair(drop_unclassed, "Drop annotations without a class of the map"),
    "drop-outside-boxes": Repair(drop_outside_boxes, "Drop boxes that have no pixel on their photo"),
    "clip-boxes": Repair(clip_boxes, "Cut boxes that stick out at the photo's edge"),
    "drop-flat-boxes": Repair(drop_flat_boxes, "Drop boxes of no width or no height"),
    "drop-twin-boxes": Repair(drop_twin_boxes, "Drop boxes that stand twice exactly"),
    "drop-missing-photos": Repair(repair_photos.drop_missing, "Drop labels whose photo is not there"),
    "drop-broken-photos": Repair(
        repair_photos.drop_broken, "Drop photos that are empty or cannot be decoded", photos=True
    ),
    "drop-twin-photos": Repair(
        repair_photos.drop_twins, "Drop photos that stand twice in a split, if their labels agree", photos=True
    ),
    "leaks-to-one-split": Repair(
        repair_photos.leaks_to_one_split, "Move photos that leak between splits to one of them", photos=True, asked=True
    ),
    "right-suffix": Repair(repair_photos.right_suffix, "Name photos by their content", photos=True),
    "upright-photos": Repair(repair_photos.upright, "Store photos with an EXIF turn upright", photos=True, asked=True),
}
"""By name, in the order in which they run."""


def chosen(names: Iterable[str] = ()) -> list[str]:
    """Return the repairs to run, in their order; without names all that nobody has to decide on.

    Raises:
        UsageError: a name is unknown.
    """
    wanted = list(names)
    for name in wanted:
        if name not in REPAIRS:
            guess = suggestion(name, list(REPAIRS))
            raise UsageError(
                f"no repair is called '{name}'.",
                hint=f"Did you mean '{guess}'?" if guess else f"Known: {', '.join(REPAIRS)}.",
            )
    return [name for name in REPAIRS if (name in wanted if wanted else not REPAIRS[name].asked)]


def _dropped(work: Work, rows: Ids, repair: str, why: str) -> Repaired:
    if not len(rows):
        return Repaired(work.dataset)
    table = work.dataset.annotations
    keep = np.ones(table.num_rows, dtype=np.bool_)
    keep[rows] = False
    texts = _texts(work.dataset, rows)
    changes = [
        Change(repair, int(work.request.rows[row]), row, text, f"dropped: {why}")
        for row, text in zip(rows.tolist(), texts, strict=True)
    ]
    return Repaired(replace(work.dataset, annotations=table.filter(pa.array(keep))), changes)


def _moved(work: Work, rows: Ids, edges: Floats, repair: str) -> Repaired:
    """Give annotations new boxes.

    Args:
        work: the data set.
        rows: of the annotations.
        edges: float64 (M, 4), left, top, right, bottom, exclusive, 0 at the photo's left top corner.
        repair: its name.
    """
    if not len(rows):
        return Repaired(work.dataset)
    before = _texts(work.dataset, rows)
    values = np.round(_in_convention(work.request.boxes, work.dataset, rows, edges), 6)
    dataset = with_boxes(work.dataset, rows, values)
    after = _texts(dataset, rows)
    photos = work.request.rows[rows].tolist()
    changes = [Change(repair, *item) for item in zip(photos, rows.tolist(), before, after, strict=True)]
    return Repaired(dataset, changes)


def _in_convention(boxes: Boxes, dataset: Dataset, rows: Ids, edges: Floats) -> Floats:
    """Return x, y, w, h as the source counts them; what stays where it was keeps its number to the last bit."""
    table = dataset.annotations
    x, y, w, h = (floats(table, name, np.nan)[rows] for name in "xywh")
    old = np.stack([boxes.left, boxes.top, boxes.right, boxes.bottom], axis=1)[rows]
    left, top, right, bottom = (edges - old).T
    return np.stack([x + left, y + top, w + right - left, h + bottom - top], axis=1)


def with_boxes(dataset: Dataset, rows: Ids, values: Floats) -> Dataset:
    """Return a data set in which some annotations have other boxes; areas that were their box's follow.

    Args:
        dataset: what is to change.
        rows: int64 (M,), of the annotations.
        values: float64 (M, 4), x, y, w, h as the source counts them.
    """
    table = dataset.annotations
    old = [floats(table, name, np.nan) for name in "xywh"]
    if "area" in table.column_names:
        area = floats(table, "area", np.nan)
        own = np.isclose(area[rows], old[2][rows] * old[3][rows], rtol=1e-6)
        table = _with(table, "area", rows[own], (values[:, 2] * values[:, 3])[own])
    for at, name in enumerate("xywh"):
        table = _with(table, name, rows, values[:, at])
    return replace(dataset, annotations=table)


def _with(table: pa.Table, name: str, rows: Ids, values: Any) -> pa.Table:
    column = floats(table, name, np.nan).copy()
    column[rows] = values
    made = pa.array(column, mask=np.isnan(column), type=pa.float64())
    return table.set_column(table.schema.get_field_index(name), name, made)


def _texts(dataset: Dataset, rows: Ids) -> list[str]:
    """Return class and box of annotations, in words."""
    table = dataset.annotations
    ids = table["class_id"].take(pa.array(rows)).to_pylist()
    names = [
        dataset.classes.names[each] if each is not None and 0 <= each < len(dataset.classes) else "no class"
        for each in ids
    ]
    if "x" not in table.column_names:
        return names
    boxes = zip(*(floats(table, name, np.nan)[rows].tolist() for name in "xywh"), strict=True)
    return [f"{name} [{', '.join(f'{side:.10g}' for side in box)}]" for name, box in zip(names, boxes, strict=True)]
