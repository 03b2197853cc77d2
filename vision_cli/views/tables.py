"""A data set as the tables `images`, `annotations` and `classes` that SQL sees, without copying its columns."""

from __future__ import annotations

import pyarrow as pa

from vision_cli.core.dataset import ClassMap, Dataset

NAMES = ("images", "annotations", "classes")
_INNER = ("record",)
_TEXTS = ("outline", "keypoints")


def tables(dataset: Dataset) -> dict[str, pa.Table]:
    """Return the tables by name; `class` stands beside `class_id`, outlines are JSON text, records are left out."""
    return {
        "images": _readable(dataset.images),
        "annotations": _readable(_with_class(dataset.annotations, dataset.classes)),
        "classes": class_table(dataset.classes),
    }


def class_table(classes: ClassMap) -> pa.Table:
    """Return the class map as `id` and `name`."""
    return pa.table({"id": pa.array(range(len(classes)), pa.int32()), "name": pa.array(classes.names, pa.string())})


def _with_class(annotations: pa.Table, classes: ClassMap) -> pa.Table:
    names = pa.array(classes.names, pa.string())
    at = annotations.schema.get_field_index("class_id")
    chunks = [pa.DictionaryArray.from_arrays(chunk, names) for chunk in annotations["class_id"].chunks]
    return annotations.add_column(at + 1, "class", pa.chunked_array(chunks, pa.dictionary(pa.int32(), pa.string())))


def _readable(table: pa.Table) -> pa.Table:
    table = table.drop_columns([name for name in _INNER if name in table.column_names])
    for name in _TEXTS:
        at = table.schema.get_field_index(name)
        if at >= 0:
            table = table.set_column(at, name, table[name].cast(pa.string()))
    return table
