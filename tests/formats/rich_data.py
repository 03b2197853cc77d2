"""A small data set with everything in it, made here: what a format does with it is compared with what it says."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
from PIL import Image

from vision_cli.core import outline
from vision_cli.core.columns import ANNOTATION_COLUMNS, IMAGE_COLUMNS, MORE_ANNOTATION_COLUMNS
from vision_cli.core.dataset import ClassMap, Dataset
from vision_cli.core.origin import Origin

WIDTH_PX, HEIGHT_PX = 64, 48
PATHS = ("a.jpg", "b.jpg", "sub/c.jpg", "sub/Straße.jpg", "empty.jpg", "crowd.jpg")
SPLITS = ("train", "train", "val", "val", "test", "train")
CLASSES = ("cat", "dog", "Kühe", "unused")

_KIND = dict(zip(MORE_ANNOTATION_COLUMNS.names, MORE_ANNOTATION_COLUMNS.types, strict=True))


def photos(root: Path, paths=PATHS) -> None:
    """Write the photos."""
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (WIDTH_PX, HEIGHT_PX), (90, 120, 30)).save(root / path, "JPEG")


def images(paths=PATHS, splits=SPLITS) -> pa.Table:
    count = len(paths)
    columns = [range(count), ["data"] * count, paths, [WIDTH_PX] * count, [HEIGHT_PX] * count, splits, [None] * count]
    return pa.table(dict(zip(IMAGE_COLUMNS.names, columns, strict=True)), schema=IMAGE_COLUMNS)


def annotations(rows: list[dict]) -> pa.Table:
    """Return a table of rows; only columns that a row names are there, and the base ones."""
    kinds = dict(zip(ANNOTATION_COLUMNS.names, ANNOTATION_COLUMNS.types, strict=True))
    named = [name for name in _KIND if any(name in row for row in rows)]
    rows = [{"id": number, **row} for number, row in enumerate(rows)]
    types = {**kinds, **{name: _KIND[name] for name in named}}
    return pa.table({name: pa.array([row.get(name) for row in rows], type=kind) for name, kind in types.items()})


def box(x, y, w, h):
    return dict(zip("xywh", map(float, (x, y, w, h)), strict=True))


def polygons(*rings):
    return {"outline": json.dumps([list(map(float, ring)) for ring in rings]).encode(), "outline_parts": len(rings)}


def run_mask(left, top, right, bottom):
    mask = np.zeros((HEIGHT_PX, WIDTH_PX), dtype=np.bool_)
    mask[top:bottom, left:right] = True
    return {"outline": outline.of_mask(mask), "outline_parts": -1}


def objects() -> list[dict]:
    """Return objects of every kind."""
    pose = json.dumps([10.0, 10.0, 2, 20.5, 20.25, 1, 0.0, 0.0, 0]).encode()
    return [
        {"image_id": 0, "class_id": 0, **box(1, 2, 10, 12), "alpha": -1.5, "z_m": 12.25, "rotation_y": 0.5},
        {"image_id": 0, "class_id": 1, **box(20.5, 3.25, 10.125, 8.5), "truncated": 0.25, "occluded": 1},
        {"image_id": 0, "class_id": 0, **box(30, 20, 5, 5), "difficult": True, "attributes": '{"colour": "red"}'},
        {"image_id": 1, "class_id": 2, **box(4, 4, 16, 10), **polygons((4, 4, 20, 4, 20, 14))},
        {
            "image_id": 1,
            "class_id": 1,
            **box(2, 20, 30, 20),
            **polygons((2, 20, 12, 20, 12, 40), (22, 20, 32, 20, 32, 40)),
        },
        {"image_id": 2, "class_id": 0, **box(8, 8, 12, 16), **run_mask(8, 8, 20, 24)},
        {"image_id": 2, "class_id": 0, **box(8, 8, 30, 30), "keypoints": pose},
        {"image_id": 2, "class_id": 1, **box(3, 3, 9, 9), "score": 0.75, "annotator": "ann", "track_id": 7},
        {"image_id": 3, "class_id": 1, **box(10, 10, 20, 8), "rotation_deg": 30.0},
        {"image_id": 3, "class_id": 2, **box(5, 5, 0, 0)},
        {"image_id": 3, "class_id": 2, **box(100, 5, 10, 10)},
        {"image_id": 3, "class_id": 2, **box(40, 30, 10, 10), "area": 77.0},
        {"image_id": 5, "class_id": 0, **box(2, 2, 40, 30), **run_mask(2, 2, 42, 32), "iscrowd": True},
    ]


def whole_photo() -> list[dict]:
    """Return classes of photos; one photo has two, one has none."""
    return [{"image_id": photo, "class_id": which} for photo, which in ((0, 0), (1, 1), (1, 2), (2, 0), (3, 2), (5, 1))]


def values() -> list[dict]:
    """Return one number a photo."""
    return [{"image_id": photo, "value": photo * 1.5 - 2} for photo in range(len(PATHS))]


SETS = {"objects": objects, "labels": whole_photo, "values": values}


def rich(root: Path, name: str = "objects") -> Dataset:
    """Return one of `SETS`, its photos below a folder."""
    photos(root)
    classes = ClassMap(() if name == "values" else CLASSES)
    return Dataset(images(), annotations(SETS[name]()), classes, {"data": root}, (), {"data": Origin("made")})


def plain(root: Path, paths=("a.jpg", "b.jpg"), classes=("cat", "dog")) -> Dataset:
    """Return one box a photo."""
    photos(root, paths)
    rows = [{"image_id": at, "class_id": at % len(classes), **box(1, 2, 10, 12)} for at in range(len(paths))]
    table = images(paths, ["train"] * len(paths))
    return Dataset(table, annotations(rows), ClassMap(tuple(classes)), {"data": root}, (), {"data": Origin("made")})


def tree(folder: Path) -> dict[str, str]:
    """Return a hash of each file below a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def per_class(dataset: Dataset) -> dict[str, int]:
    """Return the number of annotations by class name, without empty ones."""
    ids = [index for index in dataset.annotations["class_id"].to_pylist() if index is not None]
    return {name: ids.count(index) for index, name in enumerate(dataset.classes.names) if index in ids}
