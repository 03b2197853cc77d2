"""Small data sets made of plain dicts, for tests of versions."""

from pathlib import Path
from typing import Any

import pyarrow as pa

from vision_cli.core.columns import ANNOTATION_COLUMNS, IMAGE_COLUMNS, MORE_ANNOTATION_COLUMNS
from vision_cli.core.dataset import ClassMap, Dataset
from vision_cli.core.origin import Origin

TYPES = {field.name: field.type for field in [*IMAGE_COLUMNS, *ANNOTATION_COLUMNS, *MORE_ANNOTATION_COLUMNS]}
Photo = dict[str, Any]


def dataset(photos: list[Photo], classes: list[str], **more: Any) -> Dataset:
    """Return a data set of photos such as {"path": "a.jpg", "labels": [{"class": "cat", "x": 1.0}]}."""
    images = [{"source": "s", "width": 64, "height": 48, **photo, "id": row} for row, photo in enumerate(photos)]
    labels = [
        {**label, "image_id": row, "class_id": None if label.get("class") is None else classes.index(label["class"])}
        for row, photo in enumerate(photos)
        for label in photo.get("labels", [])
    ]
    labels = [{**label, "id": row} for row, label in enumerate(labels)]
    return Dataset(
        table(images, IMAGE_COLUMNS, {"labels", "sha"}),
        table(labels, ANNOTATION_COLUMNS, {"class"}),
        ClassMap(tuple(classes)),
        {"s": Path("/nowhere")},
        origins={"s": Origin("test", **more)},
    )


def table(rows: list[dict[str, Any]], base: pa.Schema, left_out: set[str]) -> pa.Table:
    names = dict.fromkeys([*base.names, *(name for row in rows for name in row if name not in left_out)])
    columns = {name: pa.array([row.get(name) for row in rows], TYPES.get(name)) for name in names}
    return pa.table(columns)


def hashes(photos: list[Photo]) -> pa.ChunkedArray:
    """Return the `sha` of each photo, as the content hash."""
    return pa.chunked_array([pa.array([photo.get("sha") for photo in photos], pa.string())])
