"""Small COCO documents for tests, and a slow parser of what they say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from vision_cli.core.dataset import Dataset
from vision_cli.formats import ReadOptions, coco

SQUARE = [[10.0, 10.0, 30.5, 10.0, 30.5, 20.25, 10.0, 20.25]]
RUNS = {"size": [48, 64], "counts": [480, 960, 1632]}

Json = dict[str, Any]


def photo(number: Any = 1, **more: Any) -> Json:
    return {"id": number, "width": 64, "height": 48, "file_name": f"{number}.jpg", **more}


def box(number: Any = 1, image: Any = 1, category: Any = 1, **more: Any) -> Json:
    return {
        "id": number,
        "image_id": image,
        "category_id": category,
        "segmentation": SQUARE,
        "area": 210.125,
        "bbox": [10.0, 10.0, 20.5, 10.25],
        "iscrowd": 0,
        **more,
    }


def document(annotations: list[Any] | None = None, **more: Any) -> Json:
    return {
        "info": {"year": 2017, "note": "é"},
        "licenses": [],
        "images": [photo(1), photo(2)],
        "annotations": [box()] if annotations is None else annotations,
        "categories": [{"id": 1, "name": "cat", "supercategory": "animal"}, {"id": 7, "name": "dog"}],
        **more,
    }


def save(path: Path, content: Json | list[Any] | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


def read(path: Path, **options: Any) -> Dataset:
    return coco.read(path, ReadOptions("s", **options))


def said(data: Dataset) -> list[tuple[Any, ...]]:
    """Return (photo's path, class name, box, outline, area, crowd) of each annotation, as plain values."""
    paths = dict(zip(data.images["id"].to_pylist(), data.images["path"].to_pylist(), strict=True))
    rows = []
    for row in data.annotations.to_pylist():
        outline = None if row.get("outline") is None else json.loads(row["outline"])
        sides = tuple(row.get(side) for side in "xywh")
        name = data.classes.names[row["class_id"]]
        rows.append((paths[row["image_id"]], name, sides, outline, row.get("area"), bool(row.get("iscrowd"))))
    return rows


def slowly(content: Json) -> list[tuple[Any, ...]]:
    """Return the same from the document itself, by the words of COCO's description of its format."""
    paths = {image["id"]: image["file_name"] for image in content["images"]}
    names = {category["id"]: category["name"] for category in content["categories"]}
    rows = []
    for a in content["annotations"]:
        sides = tuple(float(v) for v in a["bbox"]) if a.get("bbox") else (None,) * 4
        where = (paths[a["image_id"]], names[a["category_id"]])
        rows.append((*where, sides, a.get("segmentation") or None, a.get("area"), bool(a.get("iscrowd"))))
    return rows
