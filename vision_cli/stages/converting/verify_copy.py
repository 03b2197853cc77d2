"""Read a converted data set back and compare it with what went in: boxes to the last bit, outlines by IoU."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from vision_cli.core import outline
from vision_cli.core.conservation import Mask
from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError
from vision_cli.formats import Written, conserving

Floats = np.ndarray[Any, np.dtype[np.float64]]
Ids = np.ndarray[Any, np.dtype[np.int64]]

MIN_IOU = 0.98
"""Of an outline that was written in other numbers than it came in, such as shares of the photo's size."""

RESHAPES_BOX = frozenset({"box", "bounds", "out-of-frame", "overlaps"})
RESHAPES_OUTLINE = frozenset({"polygon", "polygons", "mask", "holes", "bounds", "overlaps", "out-of-frame"})
RENUMBERS = frozenset({"ids"})
"""Names of losses of details that box, outline or id do not come back the same with; the report tells of them."""

JOINS = frozenset({"instances"})
"""Names of losses of details that make one annotation of all of a class on a photo."""

FREE = (RESHAPES_BOX, RESHAPES_OUTLINE, RENUMBERS, JOINS)
"""In the order of `Sent`."""

_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Verification:
    """What reading back found.

    Attributes:
        images: photos that were compared.
        annotations: annotations that were compared.
        boxes: boxes among them.
        exact_boxes: boxes whose four numbers are the same to the last bit.
        largest_difference_px: of any box number.
        outlines: outlines among them.
        lowest_iou: of any outline; 1 without outlines.
        differences: what is not as it was, the first ten.
    """

    images: int = 0
    annotations: int = 0
    boxes: int = 0
    exact_boxes: int = 0
    largest_difference_px: float = 0.0
    outlines: int = 0
    lowest_iou: float = 1.0
    differences: Sequence[str] = ()


@dataclass(slots=True)
class _Found:
    """Collects while it compares."""

    differences: list[str] = field(default_factory=list)

    def add(self, rows: Ids, text: str, number: int | None = None) -> None:
        """Note a kind of difference, if there is any row of it."""
        count = len(rows) if number is None else number
        if count:
            self.differences.append(f"{count} {text}")


@dataclass(frozen=True, slots=True)
class _Rows:
    """Annotations as comparable arrays, (N,) each.

    Attributes:
        photo: row of the photo in the data set that was written.
        class_id: in the class map of the data set that was written, -1 without a class, -2 for an unknown name.
        box: float64 (N, 4), NaN without a box.
        value: float64, NaN without a value.
        table: the annotations themselves.
        free_box: bool, boxes that may be others.
        free_outline: bool, outlines that may be others.
        free_id: bool, ids that may be others.
    """

    photo: Ids
    class_id: Ids
    box: Floats
    value: Floats
    table: pa.Table
    free_box: Mask
    free_outline: Mask
    free_id: Mask

    def take(self, order: Ids) -> _Rows:
        """Return the rows in another order."""
        return _Rows(
            self.photo[order],
            self.class_id[order],
            self.box[order],
            self.value[order],
            self.table.take(pa.array(order)),
            self.free_box[order],
            self.free_outline[order],
            self.free_id[order],
        )


@dataclass(frozen=True, slots=True)
class Sent:
    """What went in.

    Attributes:
        dataset: what the writer got.
        written: what it said.
        folder: where it wrote.
        reshaped_boxes: bool (N,), annotations whose box is another now, as the report says.
        reshaped_outlines: likewise, of outlines.
        renumbered: likewise, of ids.
        joined: bool (N,), annotations that become one with the others of their class on their photo.
    """

    dataset: Dataset
    written: Written
    folder: Path
    reshaped_boxes: Mask
    reshaped_outlines: Mask
    renumbered: Mask
    joined: Mask


def compare(sent: Sent, back: Dataset, format: Any) -> Verification:
    """Compare what was read back with what was written.

    Args:
        sent: what went in.
        back: what the reader makes of the new folder.
        format: the module of the format; `CARRIES` says what is compared, `READ_BACK_PX` how far an edge
            may be away in a format that stores shares of the photo's sides.
    """
    found, dataset = _Found(), sent.dataset
    photos = _photo_rows(sent, back)
    found.add(np.flatnonzero(photos < 0), "photos were read back that nobody wrote")
    absent = np.setdiff1d(np.arange(len(dataset)), photos)
    found.add(absent, f"photos are missing, such as {_name(dataset, absent)}")
    if "order" in format.CARRIES and not _in_order(back.classes.names, dataset.classes.names):
        found.differences.append("the order of the classes is another")
    before = _before(sent, format.CARRIES)
    after = _after(back, photos, dataset)
    if "box" not in format.CARRIES:
        after.box[:] = np.nan
    if len(before.photo) != len(after.photo):
        found.differences.append(f"{len(before.photo)} annotations were written and {len(after.photo)} read back")
        return Verification(len(dataset), differences=tuple(found.differences[:_SHOWN]))
    before, after = _aligned(before, after, _limits(before, format))
    return _details(dataset, before, after, found, format)


def _details(dataset: Dataset, before: _Rows, after: _Rows, found: _Found, format: Any) -> Verification:
    limit = _limits(before, format)
    found.add(np.flatnonzero(before.class_id != after.class_id), "annotations have another class")
    found.add(np.flatnonzero(_differs(before.value, after.value)), "values are others")
    after.box[before.free_box] = before.box[before.free_box]
    away = np.abs(before.box - after.box)
    lost = np.isnan(before.box) != np.isnan(after.box)
    wrong = (np.nan_to_num(away, nan=0.0) > limit).any(axis=1) | lost.any(axis=1)
    rows = np.flatnonzero(wrong)
    found.add(
        rows, f"boxes are others, such as one of {_name(dataset, before.photo[rows])}: {_pair(before, after, rows)}"
    )
    if "ids" in format.CARRIES:
        other = _other_ids(before.table, after.table) & ~before.free_id
        found.add(np.flatnonzero(other), "annotations have another id")
    boxed = ~np.isnan(before.box[:, 0])
    ious = _ious(dataset, before, after, found, format.CARRIES)
    return Verification(
        images=len(dataset),
        annotations=len(before.photo),
        boxes=int(boxed.sum()),
        exact_boxes=int((away[boxed] == 0).all(axis=1).sum()),
        largest_difference_px=float(np.nan_to_num(away).max(initial=0.0)),
        outlines=len(ious),
        lowest_iou=float(ious.min(initial=1.0)),
        differences=tuple(found.differences[:_SHOWN]),
    )


def _photo_rows(sent: Sent, back: Dataset) -> Ids:
    """Return for each photo that was read back its row in what was written, -1 for strangers."""
    names = sent.written.photos
    if sent.written.held:
        names = sent.written.held
    elif all(name is None for name in names):
        return _unplaced_rows(sent.dataset, back)
    where = {name: row for row, name in enumerate(names) if name is not None}
    held = bool(sent.written.held)  # photos that lie in a cache, by their names in the format's own files
    prefixes = {source: "" if held else _prefix(root, sent.folder) for source, root in back.roots.items()}
    columns = (back.images["source"].to_pylist(), back.images["path"].to_pylist())
    found = [where.get(prefixes[source] + path, -1) for source, path in zip(*columns, strict=True)]
    return np.array(found, dtype=np.int64)


def _unplaced_rows(dataset: Dataset, back: Dataset) -> Ids:
    """Match photos that the format holds itself: by their paths, by their names, or as they stand."""
    paths = (dataset.images["path"].to_pylist(), back.images["path"].to_pylist())
    for name_of in (str, _stem):
        before, after = ([name_of(path) for path in each] for each in paths)
        if len(set(before)) == len(before) and sorted(before) == sorted(after):
            where = {name: row for row, name in enumerate(before)}
            return np.array([where[name] for name in after], dtype=np.int64)
    return np.arange(len(back)) if len(back) == len(dataset) else np.full(len(back), -1)


def _stem(path: str) -> str:
    return path.rpartition("/")[2].rpartition(".")[0]


def _prefix(root: Path, folder: Path) -> str:
    relative = root.resolve().relative_to(folder.resolve()).as_posix() if root.resolve() != folder.resolve() else ""
    return f"{relative}/" if relative else ""


def _before(sent: Sent, carries: frozenset[str]) -> _Rows:
    dataset = sent.dataset
    rows = _rows(dataset, dataset.rows_of(dataset.annotations["image_id"]), {})
    rows = replace(rows, free_box=sent.reshaped_boxes, free_outline=sent.reshaped_outlines, free_id=sent.renumbered)
    if "box" not in carries:
        rows.box[:] = np.nan
    return _as_one(rows, sent.joined)


def _as_one(rows: _Rows, joined: Mask) -> _Rows:
    """Return the first of the joined annotations of each photo and class in place of them all, of any shape and id."""
    keys = np.stack([rows.photo, rows.class_id, np.where(joined, -1, np.arange(len(joined)))], axis=1)
    first = np.sort(np.unique(keys, axis=0, return_index=True)[1])
    free = (rows.free_box | joined, rows.free_outline | joined, rows.free_id | joined)
    return replace(rows, free_box=free[0], free_outline=free[1], free_id=free[2]).take(first)


def _after(back: Dataset, photos: Ids, dataset: Dataset) -> _Rows:
    where = {name: index for index, name in enumerate(dataset.classes.names)}
    names = {index: where.get(name, -2) for index, name in enumerate(back.classes.names)}
    return _rows(back, photos[back.rows_of(back.annotations["image_id"])], names)


def _rows(dataset: Dataset, photo: Ids, names: dict[int, int]) -> _Rows:
    table = dataset.annotations
    class_id = conserving.numbers(table, "class_id", -1).astype(np.int64)
    if names:
        lookup = np.array([names[index] for index in range(len(names))] + [-1], dtype=np.int64)
        class_id = lookup[class_id]
    box = np.stack([conserving.numbers(table, name, np.nan) for name in "xywh"], axis=1)
    nothing = np.zeros(table.num_rows, dtype=np.bool_)
    return _Rows(photo, class_id, box, conserving.numbers(table, "value", np.nan), table, nothing, nothing, nothing)


def _in_order(names: Sequence[str], of: Sequence[str]) -> bool:
    """Tell whether names that both have stand in one order; classes without annotations may be missing."""
    where = {name: index for index, name in enumerate(of)}
    rows = [where[name] for name in names if name in where]
    return rows == sorted(rows)


def _limits(rows: _Rows, format: Any) -> Floats:
    """Return how far each box number may be away, float64 (N, 4).

    A format that stores right and bottom edges rounds x + w once; one that stores shares says what it promises.
    """
    sums = np.abs(rows.box[:, :2]) + np.abs(rows.box[:, 2:])
    limits: Floats = 2 * np.spacing(np.nan_to_num(np.tile(sums, 2)))
    return limits + 2 * float(getattr(format, "READ_BACK_PX", 0.0))


def _aligned(before: _Rows, after: _Rows, limit: Floats) -> tuple[_Rows, _Rows]:
    """Bring both to one order: photo by photo as they stand, or where that does not fit, by class and box."""
    plain = [np.argsort(rows.photo, kind="stable") for rows in (before, after)]
    one, other = before.take(plain[0]), after.take(plain[1])
    near = (np.nan_to_num(np.abs(one.box - other.box)) <= limit[plain[0]]).all()
    if near and (one.class_id == other.class_id).all() and (one.photo == other.photo).all():
        return one, other
    return before.take(_sorted(before)), after.take(_sorted(after))


def _sorted(rows: _Rows) -> Ids:
    keys = np.round(np.nan_to_num(rows.box, nan=-1.0), 6)
    value = np.nan_to_num(rows.value)
    return np.lexsort((value, keys[:, 3], keys[:, 2], keys[:, 1], keys[:, 0], rows.class_id, rows.photo))


def _other_ids(before: pa.Table, after: pa.Table) -> Mask:
    """Return which ids are others; those that stand several times, once a photo, cannot all be kept everywhere."""
    if "source_id" not in before.column_names or "source_id" not in after.column_names:
        return np.zeros(before.num_rows, dtype=np.bool_)
    ids = before["source_id"].to_pylist()
    times = Counter(ids)
    pairs = zip(ids, after["source_id"].to_pylist(), strict=True)
    return np.array([one is not None and one != other and times[one] == 1 for one, other in pairs], dtype=np.bool_)


def _ious(dataset: Dataset, before: _Rows, after: _Rows, found: _Found, carries: frozenset[str]) -> Floats:
    """Return the IoU of each outline that the format carries; equal bytes are 1 without a look."""
    rows = _outlined(before.table, before.free_outline, carries)
    if not rows.size:
        return np.ones(0)
    if "outline" not in after.table.column_names:
        found.add(rows, "outlines are missing")
        return np.zeros(len(rows))
    pairs = [table["outline"].take(pa.array(rows)).to_pylist() for table in (before.table, after.table)]
    sizes = [
        conserving.numbers(dataset.images, name, 0)[before.photo[rows]].astype(int) for name in ("width", "height")
    ]
    ious = np.array([_iou(*each) for each in zip(*pairs, *(side.tolist() for side in sizes), strict=True)])
    found.add(np.flatnonzero(ious < MIN_IOU), f"outlines overlap less than {MIN_IOU} with what they were")
    return ious


def _outlined(table: pa.Table, free: Mask, carries: frozenset[str]) -> Ids:
    kinds = conserving.shapes(table)
    rows = np.zeros(table.num_rows, dtype=np.bool_)
    if "polygons" in carries:
        rows |= kinds.polygons
    elif "polygon" in carries:
        rows |= kinds.polygons & ~kinds.several
    if "mask" in carries:
        rows |= kinds.mask | kinds.polygons
    return np.flatnonzero(rows & ~free & conserving.valid(table, "outline"))


def _iou(before: bytes, after: bytes | None, width: int, height: int) -> float:
    if after is None or before == after:
        return float(after is not None)
    try:
        return outline.iou(outline.parse(before), outline.parse(after), width, height)
    except DataError:
        return 0.0


def _differs(before: Floats, after: Floats) -> Mask:
    return np.asarray((before != after) & ~(np.isnan(before) & np.isnan(after)), dtype=np.bool_)


def _name(dataset: Dataset, photos: Ids) -> str:
    return str(dataset.images["path"][int(photos[0])].as_py()) if len(photos) else ""


def _pair(before: _Rows, after: _Rows, rows: Ids) -> str:
    if not len(rows):
        return ""
    one, other = before.box[rows[0]].tolist(), after.box[rows[0]].tolist()
    return f"{one} became {other}"
