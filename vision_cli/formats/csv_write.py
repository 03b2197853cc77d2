r"""Write a CSV: a row a photo where labels are all there is, else a row an object with every column of the data set.

RFC 4180 in UTF-8, lines end with `\n`; photos lie in `images/`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vision_cli.core.columns import IMAGE_COLUMNS, MORE_IMAGE_COLUMNS
from vision_cli.core.dataset import Dataset
from vision_cli.formats import WriteOptions, Written
from vision_cli.formats.csv_boxes import IMAGE_ID, KEPT, METADATA_PREFIX
from vision_cli.formats.csv_table import is_role
from vision_cli.formats.edges import far_edges
from vision_cli.formats.label_files import write_files
from vision_cli.formats.placing import photo_names

_FILE = "labels.csv"
_SEPARATOR = "|"
_PHOTO_COLUMNS = frozenset({*IMAGE_COLUMNS.names, *MORE_IMAGE_COLUMNS.names})

Column = Sequence[Any]


def write(dataset: Dataset, folder: Path, options: WriteOptions) -> Written:
    """Write `labels.csv` beside the folder `images`."""
    paths = [f"images/{name}" for name in photo_names(dataset)]
    columns = _by_photo(dataset, paths) or _by_object(dataset, paths)
    stream = io.StringIO(newline="")
    _write_rows(stream, columns)
    write_files(folder, [(_FILE, stream.getvalue().encode())])
    return Written(paths, {})


def _write_rows(stream: io.StringIO, columns: dict[str, Column]) -> None:
    r"""Write names and rows. Python's writer leaves a cell with `\r` bare before 3.13, where readers end the row."""
    plain = csv.writer(stream, lineterminator="\n")
    quoted = csv.writer(stream, lineterminator="\n", quoting=csv.QUOTE_ALL)
    for row in ([*columns], *zip(*columns.values(), strict=True)):
        broken = any(isinstance(cell, str) and "\r" in cell for cell in row)
        (quoted if broken else plain).writerow(row)


def _by_photo(dataset: Dataset, paths: Sequence[str]) -> dict[str, Column] | None:
    """Return a row a photo with its labels or its value; None where that cannot say it all."""
    table = dataset.annotations
    if set(table.column_names) & {"x", *KEPT} or "source_id" in dataset.images.column_names or table.num_rows == 0:
        return None
    labels: list[list[str]] = [[] for _ in paths]
    values: list[list[float]] = [[] for _ in paths]
    columns = (dataset.rows_of(table["image_id"]).tolist(), table["class_id"].to_pylist(), table["value"].to_pylist())
    for row, class_id, value in zip(*columns, strict=True):
        if class_id is not None:
            labels[row].append(dataset.classes.names[class_id])
        if value is not None:
            values[row].append(value)
    has_values, has_labels = any(values), any(labels)
    named = [name for names in labels for name in names]
    if any(name != name.strip() or _SEPARATOR in name for name in named) or any(len(set(n)) < len(n) for n in labels):
        return None
    several = any(len(names) > 1 for names in labels)
    if (has_labels and not several and not all(labels)) or (has_values and any(len(v) != 1 for v in values)):
        return None
    result: dict[str, Column] = {"path": paths}
    result |= {"label": [_SEPARATOR.join(names) for names in labels]} if has_labels else {}
    result |= {"value": [repr(value[0]) for value in values]} if has_values else {}
    texts = [*paths, *(cell for column in _of_photos(dataset).values() for cell in column)]
    return None if any(text != text.strip() for text in texts) else result | _of_photos(dataset)


def _of_photos(dataset: Dataset) -> dict[str, list[str]]:
    """Return split, group and metadata, where they say anything."""
    images = dataset.images
    names = [name for name in images.column_names if name in ("split", "group") or name not in _PHOTO_COLUMNS]
    return {_metadata_name(name): _texts(images[name]) for name in names if images[name].null_count < len(images)}


def _metadata_name(name: str) -> str:
    """Return a name that is read as metadata again."""
    ours = name in ("split", "group")
    return name if ours or not (is_role(name) or name in KEPT or name == IMAGE_ID) else METADATA_PREFIX + name


def _by_object(dataset: Dataset, paths: Sequence[str]) -> dict[str, Column]:
    """Return a row an object, and one of each photo that has none."""
    table = dataset.annotations
    owners = dataset.rows_of(table["image_id"])
    bare = np.setdiff1d(np.arange(len(paths)), owners)
    # Rows stay in their order where photos are then met in theirs; else they go photo by photo.
    met = owners[np.sort(np.unique(owners, return_index=True)[1])]
    keys = np.maximum.accumulate(owners) if len(owners) and (np.diff(met) > 0).all() else owners
    order = np.argsort(np.concatenate([keys, bare]), kind="stable")
    photos = np.concatenate([owners, bare])[order]
    images = {"path": list(paths)}
    if "source_id" in dataset.images.column_names:
        images[IMAGE_ID] = _texts(dataset.images["source_id"])
    images |= {name: _texts(dataset.images[name]) for name in ("width", "height")}
    result: dict[str, Column] = {name: [cells[row] for row in photos] for name, cells in images.items()}
    names = pa.array(dataset.classes.names, pa.string())
    objects = {"label": _texts(pc.take(names, table["class_id"])), **_edges(table)}
    objects |= {"value": _texts(table["value"])} if table["value"].null_count < len(table) else {}
    objects |= {name: _texts(table[name]) for name in KEPT if name in table.column_names}
    for name, cells in objects.items():
        result[name] = [cells[row] if row < len(cells) else "" for row in order.tolist()]
    return result | {name: [cells[row] for row in photos] for name, cells in _of_photos(dataset).items()}


def _edges(table: pa.Table) -> dict[str, list[str]]:
    """Return left, top, right and bottom as texts whose differences are exactly width and height."""
    if "x" not in table.column_names:
        return {name: [""] * len(table) for name in ("xmin", "ymin", "xmax", "ymax")}
    columns = {name: table[name].to_numpy() for name in "xywh"}
    rows = np.flatnonzero(np.isfinite(columns["x"]))
    texts = [
        *(_texts(table[name].take(pa.array(rows))) for name in "xy"),
        *(far_edges(columns[near][rows], columns[side][rows]).to_pylist() for near, side in ("xw", "yh")),
    ]
    result = {name: [""] * len(table) for name in ("xmin", "ymin", "xmax", "ymax")}
    for column, target in zip(texts, result.values(), strict=True):
        for row, text in zip(rows.tolist(), column, strict=True):
            target[row] = text
    return result


def _texts(column: pa.ChunkedArray | pa.Array) -> list[str]:
    """Return cells: nothing for null, the shortest text of a number, JSON as it is."""
    return [_text(value) for value in column.to_pylist()]


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    return value.decode() if isinstance(value, bytes) else str(value)
