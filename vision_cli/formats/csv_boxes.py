"""CSV with one row an object: `path,label,xmin,ymin,xmax,ymax` and whatever else a data set has.

Boxes are corners, `x,y,w,h` from the left top corner, or centre and size; in pixels, or as shares of the photo where no
number is over 1 and no columns of photo sizes stand beside them. A photo stands in as many rows as it has objects;
empty box cells are a label of the whole photo, and with an empty label, too, a photo without anything.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from vision_cli.core.columns import ANNOTATION_COLUMNS, MORE_ANNOTATION_COLUMNS
from vision_cli.core.containment import Containment
from vision_cli.core.dataset import ClassMap, Dataset
from vision_cli.core.errors import DataError
from vision_cli.core.origin import Origin
from vision_cli.core.photo_labels import PhotoColumns
from vision_cli.formats import ReadOptions, photos
from vision_cli.formats.csv_table import EDGES, SIDES, Header, Row, rows_of
from vision_cli.formats.edges import extents
from vision_cli.formats.problems import Problems

CARRIES = frozenset(
    {
        *("class", "classes", "value", "box", "polygon", "polygons", "mask", "crowd", "keypoints", "rotation", "3d"),
        *("truncated", "occluded", "difficult", "score", "track", "annotator", "attributes", "area", "ids"),
        *("unlabelled", "split", "group", "metadata", "no-area", "out-of-frame", "no-class"),
    }
)
METADATA_PREFIX = "metadata."
IMAGE_ID = "image_id"
KEPT = tuple(name for name in MORE_ANNOTATION_COLUMNS.names if name not in ("record", *"xywh"))

_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_WHOLE = re.compile(r"[0-9]{1,6}")
_HINT = "A box is four numbers, and its right and bottom are not before its left and top."


@dataclass(frozen=True, slots=True)
class _Objects:
    """One entry a row: its photo, its label and value, and the texts of its box, None without one."""

    rows: list[Row]
    photo_rows: list[int]
    labels: list[str]
    values: list[float | None]
    boxes: list[tuple[str, ...] | None]


def read_boxes(file: Path, text: str, header: Header, options: ReadOptions) -> Dataset:
    """Read a CSV with boxes; classes are sorted by their code points.

    Raises:
        DataError: rows are bad: all at once, by line.
    """
    root, problems = options.images or file.parent, Problems(file)
    rows = list(rows_of(text, header, problems))
    places, firsts, owners = _paths(rows, header, Containment(root), problems)
    objects = _objects(rows, header, owners, problems)
    sizes = _sizes(root, places, [rows[row] for row in firsts], (header, problems))
    problems.refuse(f"rows of {len(rows)}")
    if not rows:
        raise DataError(f"{file}: there is no row below the header.", hint="Write one row an object.")
    names = tuple(sorted({label for label in objects.labels if label}))
    boxes, notes = _boxes(objects, header, np.array(sizes, dtype=np.float64), problems)
    problems.refuse(f"rows of {len(rows)}")
    metadata, further = _further(objects, header, len(places))
    splits = [_split(rows[row], header, problems) for row in firsts]
    problems.refuse(f"rows of {len(rows)}")
    ids = metadata.pop(IMAGE_ID, None)
    images = PhotoColumns(places, sizes, splits, metadata).table(options.source)
    if ids is not None:
        images = images.append_column("source_id", pa.array(ids, pa.string()))
    annotations = _annotations(objects, names, boxes, further)
    origin = Origin("csv", pixels=options.pixels or "exclusive")
    all_notes = (*(note for note in header.notes), *notes)
    return Dataset(images, annotations, ClassMap(names), {options.source: root}, all_notes, {options.source: origin})


def _paths(
    rows: Sequence[Row], header: Header, fence: Containment, problems: Problems
) -> tuple[list[str], list[int], list[int]]:
    """Return the photos, the first row of each, and the photo of each row."""
    known: dict[str, int] = {}
    firsts, owners = [], []
    for number, row in enumerate(rows):
        text = row.cell(header, "path")
        at = known.get(text)
        if at is None:
            at = known[text] = len(known)
            firsts.append(number)
            if not text.strip() or ".." in text.split("/") or not fence.holds(text):
                problems.add("paths out of the folder", f"{text!r} is not below {fence.root}", line=row.line)
        owners.append(at)
    return list(known), firsts, owners


def _objects(rows: list[Row], header: Header, owners: list[int], problems: Problems) -> _Objects:
    labels = [row.cell(header, "label") if "label" in header.roles else "" for row in rows]
    values: list[float | None] = [None] * len(rows)
    boxes: list[tuple[str, ...] | None] = []
    for number, row in enumerate(rows):
        if "value" in header.roles and (text := row.cell(header, "value").strip()):
            values[number] = _number(text, row, problems)
        cells = tuple(row.cell(header, edge).strip() for edge in EDGES)
        for cell in cells if any(cells) else ():
            _number(cell, row, problems)
        boxes.append(cells if any(cells) else None)
    return _Objects(rows, owners, labels, values, boxes)


def _number(text: str, row: Row, problems: Problems) -> float:
    value = float(text) if _NUMBER.fullmatch(text) else math.nan
    if not math.isfinite(value):
        problems.add("bad numbers", f"{text!r} is not a finite number", line=row.line, hint=_HINT)
    return value


def _sizes(
    root: Path, places: Sequence[str], rows: Sequence[Row], context: tuple[Header, Problems]
) -> list[photos.Size]:
    """Return the size of each photo: of its columns where they say it, else of its file; the file must be there."""
    header, problems = context
    stated = set(SIDES) <= header.roles.keys()
    found: list[photos.Size | None] = [None] * len(places)
    for at, row in enumerate(rows if stated else ()):
        sides = [row.cell(header, side).strip() for side in SIDES]
        if all(_WHOLE.fullmatch(side) and int(side) > 0 for side in sides):
            found[at] = int(sides[0]), int(sides[1])
    there = [(root / place).is_file() if _is_short(place) else False for place in places]
    for at, row in enumerate(rows):
        if not there[at]:
            hint = "Check the folder: set `images` if the paths start elsewhere."
            problems.add("missing photos", f"{places[at]} is not in {root}", line=row.line, hint=hint)
    wanted = [at for at, size in enumerate(found) if size is None and there[at]]
    for at, size in zip(wanted, photos.sizes([root / places[at] for at in wanted]), strict=True):
        if isinstance(size, DataError):
            problems.add("unreadable photos", size.message, line=rows[at].line)
        else:
            found[at] = size
    return [size or (0, 0) for size in found]


def _is_short(place: str) -> bool:
    return (
        "\0" not in place and len(place.encode()) < 4096 and all(len(part.encode()) < 256 for part in place.split("/"))
    )


def _boxes(
    objects: _Objects, header: Header, sizes: np.ndarray[Any, np.dtype[np.float64]], problems: Problems
) -> tuple[list[Any], list[str]]:
    """Return x, y, w, h columns in pixels, and what is to be noted."""
    kind, sized = header.boxes, set(SIDES) <= header.roles.keys()
    rows = [row for row, box in enumerate(objects.boxes) if box is not None]
    texts = [[box[edge] for box in objects.boxes if box is not None] for edge in range(4)]
    numbers = np.array([[float(text) for text in column] for column in texts]).reshape(4, len(rows))
    fits = bool(len(rows)) and bool(((numbers >= 0) & (numbers <= 1)).all())
    is_shares = fits and not sized and any("." in text for column in texts for text in column)
    if kind == "corners":
        arrays = [pa.array(column, pa.string()) for column in texts]
        near, far = (0, 1), (2, 3)
        sides = [extents(numbers[a], numbers[b], arrays[a], arrays[b]) for a, b in zip(near, far, strict=True)]
        columns = np.stack([numbers[0], numbers[1], *sides])
    elif kind == "centre":
        columns = np.stack([numbers[0] - numbers[2] / 2, numbers[1] - numbers[3] / 2, numbers[2], numbers[3]])
    else:
        columns = numbers
    for at in np.flatnonzero((columns[2:] < 0).any(axis=0)).tolist():
        row = objects.rows[rows[at]]
        problems.add(
            "boxes with the right before the left", f"box {objects.boxes[rows[at]]}", line=row.line, hint=_HINT
        )
    notes = []
    if is_shares:
        columns = columns * np.tile(sizes[[objects.photo_rows[row] for row in rows]].T, (2, 1))
        notes.append("No number of a box is over 1: they are read as shares of the photo's width and height.")
    result: list[Any] = [[None] * len(objects.rows) for _ in range(4)]
    for column, target in zip(columns.tolist(), result, strict=True):
        for at, value in zip(rows, column, strict=True):
            target[at] = value
    return result, notes


def _split(row: Row, header: Header, problems: Problems) -> str | None:
    text = row.cell(header, "split").strip() if "split" in header.roles else ""
    split = photos.split_of(text)
    if text and split is None:
        problems.add("unknown splits", f"{text!r} is no split", line=row.line, hint="Splits are train, val and test.")
    return split


def _further(objects: _Objects, header: Header, number: int) -> tuple[dict[str, Any], dict[str, list[Any]]]:
    """Return the further columns: of photos where each photo has one value in all its rows, else of objects."""
    metadata: dict[str, Any] = {}
    further: dict[str, list[Any]] = {}
    attributes: list[dict[str, Any]] = [{} for _ in objects.rows]
    for name, index in header.metadata.items():
        cells = [row.cells[index] or None for row in objects.rows]
        known = _known(name, cells)
        if known is not None:
            further[name] = known
            continue
        values: list[str | None] = [None] * number
        for owner, cell in reversed(list(zip(objects.photo_rows, cells, strict=True))):
            values[owner] = cell
        if all(values[owner] == cell for owner, cell in zip(objects.photo_rows, cells, strict=True)):
            metadata[name.removeprefix(METADATA_PREFIX)] = values
            continue
        for attribute, cell in zip(attributes, cells, strict=True):
            attribute |= {name: cell} if cell is not None else {}
    if any(attributes):
        texts = [msgspec.json.encode(attribute).decode() if attribute else None for attribute in attributes]
        own = further.get("attributes") or [None] * len(texts)
        further["attributes"] = [text or before for text, before in zip(texts, own, strict=True)]
    return metadata, further


def _known(name: str, cells: Sequence[str | None]) -> list[Any] | None:
    """Return the values of a column of ours; None where it is another, or a cell does not fit."""
    if name not in KEPT:
        return None
    kind = MORE_ANNOTATION_COLUMNS.field(name).type
    convert = _JSON.get(name) or _CONVERSIONS.get(kind, str)
    try:
        values = [None if cell is None else convert(cell) for cell in cells]
        pa.array(values, kind)
    except (ValueError, KeyError, OverflowError, pa.ArrowException):
        return None
    return values


def _finite(text: str) -> float:
    if not _NUMBER.fullmatch(text) or not math.isfinite(float(text)):
        raise ValueError(text)
    return float(text)


def _whole(text: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,19}", text):
        raise ValueError(text)
    return int(text)


def _json_bytes(text: str) -> bytes:
    msgspec.json.decode(text)
    return text.encode()


def _json_object(text: str) -> str:
    if not isinstance(msgspec.json.decode(text), dict):
        raise ValueError(text)
    return text


_FLAGS = {"true": True, "false": False, "1": True, "0": False, "True": True, "False": False}
_CONVERSIONS: Mapping[pa.DataType, Callable[[str], Any]] = {
    pa.float64(): _finite,
    pa.int8(): _whole,
    pa.int16(): _whole,
    pa.int64(): _whole,
    pa.bool_(): _FLAGS.__getitem__,
}
_JSON: Mapping[str, Callable[[str], Any]] = {
    "outline": _json_bytes,
    "keypoints": _json_bytes,
    "attributes": _json_object,
}


def _annotations(
    objects: _Objects, names: Sequence[str], boxes: Sequence[list[Any]], further: Mapping[str, list[Any]]
) -> pa.Table:
    """Return the rows that say anything of an object."""
    where = {name: index for index, name in enumerate(names)}
    columns: dict[str, Any] = {
        "image_id": objects.photo_rows,
        "class_id": [where.get(label) for label in objects.labels],
        "value": objects.values,
        **dict(zip("xywh", boxes, strict=True)),
        **further,
    }
    said = [column for name, column in columns.items() if name != "image_id"]
    rows = [row for row in range(len(objects.rows)) if any(column[row] is not None for column in said)]
    kept = {name: [column[row] for row in rows] for name, column in columns.items()}
    fields = [*ANNOTATION_COLUMNS, *(field for field in MORE_ANNOTATION_COLUMNS if field.name in columns)]
    return pa.table({"id": range(len(rows)), **kept}, schema=pa.schema(fields))
