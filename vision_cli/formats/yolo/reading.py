"""Read YOLO: every label file once, all rows as arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from vision_cli.core.columns import ANNOTATION_COLUMNS, IMAGE_COLUMNS
from vision_cli.core.dataset import ClassMap, Dataset
from vision_cli.core.errors import DataError
from vision_cli.core.origin import Origin
from vision_cli.formats import ReadOptions, photos
from vision_cli.formats.label_walk import read_small
from vision_cli.formats.problems import Problems
from vision_cli.formats.yolo.check import check
from vision_cli.formats.yolo.layout import Layout, find, label_names
from vision_cli.formats.yolo.rows import Floats, Forms, Geometry, Integers, Rows, concatenate, forms, geometry, parse
from vision_cli.formats.yolo.yaml import HEADER

_BATCH_BYTES = 1 << 22
_NAMED = 5

_NO_LABELS = "Labels stand in `labels` where photos stand in `images`, or else beside them; empty files will do."
_DOTA = (
    "labelTxt holds DOTA's corners and names in pixels, which are no YOLO rows: export 'YOLOv8 Oriented Bounding "
    "Boxes', or describe them with --mapping (docs/formats_of_your_own.md)."
)


def read(path: Path, options: ReadOptions) -> Dataset:
    """Read photos and their label files; see `yolo_layout` for where they are looked for.

    Raises:
        DataError: what is wrong, all at once, with file and line.
    """
    problems = Problems(path)
    layout = find(path, options.images, problems)
    files, rows, notes = _load(layout, problems)
    found = forms(rows, layout.keypoints)
    indices = None if layout.names is None else {number: index for index, number in enumerate(layout.ids)}
    check(rows, found, indices, [layout.labels[file] for file in files], problems)
    sizes = _sizes(layout, problems)
    problems.refuse(f"photos and rows of {len(layout.paths)} photos")
    places = np.array(files, dtype=np.int64)[rows.texts] if files else rows.texts
    wants_outline = options.need is None or bool(options.need & {"polygon", "polygons", "mask"})
    shapes = geometry(rows, found, sizes[places], outlines=wants_outline)
    classes, class_ids = _classes(layout, rows)
    blanks = {files[text]: content for text, content in rows.blanks.items()}
    return Dataset(
        _images(options.source, layout, sizes, blanks),
        _annotations(rows, found, shapes, places, class_ids),
        classes,
        {options.source: layout.photo_root},
        (*layout.notes, *notes),
        {options.source: _origin(layout, classes)},
    )


def _has_dota(layout: Layout) -> bool:
    folders = {(layout.root / label).parent for label in layout.labels}
    return any((folder.parent / "labelTxt").is_dir() or folder.name == "labelTxt" for folder in folders)


def _load(layout: Layout, problems: Problems) -> tuple[list[int], Rows, list[str]]:
    """Return the photos that have a label file, its rows (`texts` counts those photos), and what is to be noted."""
    there, orphans = label_names(layout)
    photos_with = [row for row, label in enumerate(layout.labels) if label in there]
    if not photos_with:
        raise DataError(
            f"{layout.root}: none of {len(layout.paths)} photos has a label file.",
            details=[f"{layout.paths[0]}: {layout.labels[0]} was looked for.", *layout.notes],
            hint=_DOTA if _has_dota(layout) else _NO_LABELS,
        )
    parts, numbers, batch, size = [], [], [], 0
    for row in photos_with:
        text = _content(layout.root, layout.labels[row], problems)
        batch.append(text)
        size += len(text)
        if size > _BATCH_BYTES:
            parts.append(parse(batch))
            numbers.append(len(batch))
            batch, size = [], 0
    parts.append(parse(batch))
    numbers.append(len(batch))
    return photos_with, concatenate(parts, numbers), _label_notes(layout, len(photos_with), orphans)


def _content(root: Path, name: str, problems: Problems) -> bytes:
    try:
        return read_small(f"{root}/{name}")
    except DataError as error:
        problems.add("unreadable label files", error.message, hint=error.hint)
        return b""


def _label_notes(layout: Layout, labelled: int, orphans: Sequence[str]) -> list[str]:
    notes = []
    if without := len(layout.paths) - labelled:
        notes.append(f"{without} photos have no label file: nothing is on them.")
    if orphans:
        more = f" and {len(orphans) - _NAMED} more" if len(orphans) > _NAMED else ""
        shown = ", ".join(orphans[:_NAMED]) + more
        notes.append(f"{len(orphans)} label files have no photo and are left out: {shown}.")
    return notes


def _sizes(layout: Layout, problems: Problems) -> Floats:
    """Return float64 (N, 2): width and height of each photo; shares mean nothing without."""
    root = layout.photo_root
    sizes = np.zeros((len(layout.paths), 2), dtype=np.float64)
    for row, found in enumerate(photos.sizes([root / path for path in layout.paths])):
        if isinstance(found, DataError):
            problems.add("unreadable photos", found.message)
        else:
            sizes[row] = found
    return sizes


def _classes(layout: Layout, rows: Rows) -> tuple[ClassMap, Integers]:
    """Return the class map, and the index of each row's class."""
    numbers = rows.classes.astype(np.int64)
    if layout.names is None:
        count = int(numbers.max()) + 1 if len(numbers) else 0
        return ClassMap(tuple(map(str, range(count)))), numbers
    ids = np.array(layout.ids, dtype=np.int64)
    return ClassMap(layout.names), np.searchsorted(ids, numbers)


def _images(source: str, layout: Layout, sizes: Floats, blanks: Mapping[int, bytes]) -> pa.Table:
    """Return the photos; `record` is the content of a label file without rows, null where rows or nothing is there."""
    number = len(layout.paths)
    widths, heights = sizes.astype(np.int32).T
    columns = [
        *(pa.array(range(number), pa.int64()), pa.array([source] * number, pa.string())),
        *(pa.array(layout.paths, pa.string()), pa.array(widths), pa.array(heights)),
        *(pa.array(layout.splits, pa.string()), pa.nulls(number, pa.string())),
    ]
    images = pa.table(columns, schema=IMAGE_COLUMNS)
    records = [blanks.get(row) for row in range(number)]
    return images.append_column("record", pa.array(records, pa.binary()))


def _annotations(rows: Rows, found: Forms, shapes: Geometry, places: Integers, class_ids: Integers) -> pa.Table:
    number = len(rows.records)
    columns: dict[str, Any] = {
        "id": pa.array(np.arange(number)),
        "image_id": pa.array(places),
        "class_id": pa.array(class_ids.astype(np.int32)),
        "value": pa.nulls(number, pa.float64()),
        "record": pa.array(rows.records, pa.binary()),
    }
    columns |= {name: pa.array(column) for name, column in zip("xywh", shapes.boxes.T, strict=True)}
    if found.polygons.any():
        columns["outline"] = pa.array(shapes.outlines, pa.binary())
        columns["outline_parts"] = pa.array(found.polygons.astype(np.int16))
    if found.keypoints.any():
        columns["keypoints"] = pa.array(shapes.keypoints, pa.binary())
    if found.scores.any():
        columns["score"] = pa.array(shapes.scores, from_pandas=True)
    table = pa.table(columns)
    return table.cast(pa.schema([*ANNOTATION_COLUMNS, *(table.schema.field(name) for name in table.column_names[4:])]))


def _origin(layout: Layout, classes: ClassMap) -> Origin:
    ids = layout.ids if layout.names is not None else range(len(classes))
    header = {} if layout.header is None else {HEADER: layout.header}
    return Origin("yolo", class_ids=dict(zip(classes.names, ids, strict=True)), header=header)
