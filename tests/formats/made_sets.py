"""Data sets made by hypothesis or by hand, with photos on disk, for formats that carry nearly everything."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st
from PIL import Image

from vision_cli.core.columns import ANNOTATION_COLUMNS, IMAGE_COLUMNS, MORE_ANNOTATION_COLUMNS, MORE_IMAGE_COLUMNS
from vision_cli.core.dataset import ClassMap, Dataset
from vision_cli.core.origin import Origin

TYPES = {f.name: f.type for f in [*IMAGE_COLUMNS, *MORE_IMAGE_COLUMNS, *ANNOTATION_COLUMNS, *MORE_ANNOTATION_COLUMNS]}
NAMES = ["cat", "Bär", "<script>alert(1)</script>", "[/]", "two\nlines", "😀", "../x", "0", " spaced ", "x" * 300]

texts = st.text(max_size=12)
sides = st.floats(-1e4, 1e4, allow_nan=False)
lengths = st.floats(0, 1e4, allow_nan=False)
numbers = st.floats(allow_nan=False, allow_infinity=False)
attributes = st.dictionaries(texts, st.one_of(texts, st.integers(-(2**53), 2**53), st.booleans()), max_size=3)
polygons = st.lists(st.lists(st.integers(-50, 50).map(float), min_size=6, max_size=6), min_size=1, max_size=3)


@st.composite
def annotation(draw: st.DrawFn, classes: int) -> dict[str, Any]:
    """Return the columns of one object, each there or not."""
    row: dict[str, Any] = {"class_id": draw(st.integers(0, classes - 1))}
    if draw(st.booleans()):
        row |= {"x": draw(sides), "y": draw(sides), "w": draw(lengths), "h": draw(lengths)}
    if draw(st.booleans()):
        rings = draw(polygons)
        row |= {"outline": json.dumps(rings).encode(), "outline_parts": len(rings)}
    more: dict[str, st.SearchStrategy[Any]] = {
        "source_id": st.one_of(st.integers(-5, 10**12).map(str), st.text(min_size=1, max_size=5)),
        "area": numbers,
        "rotation_deg": numbers,
        "keypoints": st.lists(st.integers(0, 9), min_size=3, max_size=3).map(lambda v: json.dumps(v).encode()),
        "iscrowd": st.booleans(),
        "truncated": st.floats(0, 1),
        "occluded": st.integers(0, 3),
        "difficult": st.booleans(),
        "score": st.floats(0, 1),
        "annotator": texts,
        "track_id": st.integers(-(2**63), 2**63 - 1),
        "attributes": attributes.map(lambda found: json.dumps(found, ensure_ascii=False)),
    }
    for name in draw(st.sets(st.sampled_from(sorted(more)), max_size=4)):
        row[name] = draw(more[name])
    return row


@st.composite
def datasets(draw: st.DrawFn, *, named: bool = True) -> Dataset:
    """Return a data set of up to five photos `p0.jpg` ..., without files and without root.

    Args:
        named: class names may be of any kind.
    """
    names = tuple(draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True)))
    images, rows = [], []
    splits = draw(st.sampled_from([(None,), ("train",), ("train", "val", None)]))
    for number in range(draw(st.integers(0 if named else 1, 5))):
        image = {"path": f"p{number}.jpg", "width": 4 + number, "height": 3, "split": splits[number % len(splits)]}
        if draw(st.booleans()):
            image["source_id"] = draw(st.one_of(st.integers(0, 99).map(str), st.just("a/b"), st.just("007")))
        image["group"] = draw(st.one_of(st.none(), texts))
        images.append({"id": number, "source": "s", **image})
        found = draw(st.lists(annotation(len(names)), max_size=3))
        rows += [{"image_id": number, **row} for row in found]
    metadata = {"scene": draw(st.lists(texts, min_size=len(images), max_size=len(images)))} if images else {}
    return dataset_of(images, rows, names, metadata)


def dataset_of(
    images: list[dict[str, Any]], rows: list[dict[str, Any]], names: tuple[str, ...], metadata: dict[str, list[Any]]
) -> Dataset:
    """Return a data set of rows; columns that no row has are left out."""
    table = _table(images, IMAGE_COLUMNS, MORE_IMAGE_COLUMNS)
    for name, values in metadata.items():
        table = table.append_column(name, pa.array(values))
    rows = [{"id": number, "value": None, **row} for number, row in enumerate(rows)]
    annotations = _table(rows, ANNOTATION_COLUMNS, MORE_ANNOTATION_COLUMNS)
    return Dataset(table, annotations, ClassMap(names), {"s": Path("nowhere")}, (), {"s": Origin("made")})


def _table(rows: list[dict[str, Any]], base: pa.Schema, more: pa.Schema) -> pa.Table:
    names = [*base.names, *(name for name in more.names if any(name in row for row in rows))]
    return pa.table({name: pa.array([row.get(name) for row in rows], TYPES[name]) for name in names})


def with_photos(dataset: Dataset, folder: Path) -> Dataset:
    """Return the same data set with its photos below a folder."""
    for image in dataset.images.to_pylist():
        path = folder / image["path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (image["width"], image["height"]), (200, image["id"] * 20, 60)).save(path)
    return replace(dataset, roots={"s": folder})


def values(dataset: Dataset) -> dict[str, Any]:
    """Return all that a data set says, by photo: nothing of ids that only join tables, nor of order among photos.

    A photo is known by the name of its file without suffix.
    """
    images = {image["id"]: image for image in dataset.images.to_pylist()}
    found: dict[str, Any] = {}
    for image in images.values():
        key = image["path"].rpartition("/")[2].partition(".")[0]
        said = {n: v for n, v in image.items() if v is not None and n not in ("id", "source", "path", "record")}
        found[key] = {"image": said, "annotations": []}
    for row in dataset.annotations.to_pylist():
        key = images[row["image_id"]]["path"].rpartition("/")[2].partition(".")[0]
        said = {n: v for n, v in row.items() if v is not None and n not in ("id", "image_id", "class_id", "record")}
        for name in ("outline", "keypoints", "attributes"):
            if name in said:
                said[name] = json.loads(said[name])
        label = None if row["class_id"] is None else dataset.classes.names[row["class_id"]]
        found[key]["annotations"].append({"label": label, **said})
    return found
