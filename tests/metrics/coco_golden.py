"""The published COCO sample as columns, and figures that others computed from it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from vision_cli.core import outline, rle, rle_columns
from vision_cli.core.detections import Detections, Truth

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
FOLDER = SHARED / "coco_golden"
FILES = {
    "boxes": "instances_val2014_fakebbox100_results.json",
    "masks": "instances_val2014_fakesegm100_results.json",
}
NAMES = ("AP", "AP50", "AP75", "AP_small", "AP_medium", "AP_large")


def expected(kind: str) -> list[float]:
    """Return the twelve published numbers."""
    found = json.loads((SHARED / "expected.json").read_text(encoding="utf-8"))["coco_golden"]
    return list(found["bbox" if kind == "boxes" else "segm"])


def _load(name: str) -> Any:
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


def read(kind: str) -> tuple[Truth, Detections, int]:
    """Return truth, detections and the number of classes."""
    document, results = _load("instances_val2014_100.json"), _load(FILES[kind])
    photos = {image["id"]: row for row, image in enumerate(sorted(document["images"], key=lambda image: image["id"]))}
    sizes = np.zeros((len(photos), 2), np.int64)
    for image in document["images"]:
        sizes[photos[image["id"]]] = image["width"], image["height"]
    classes = {entry["id"]: row for row, entry in enumerate(sorted(document["categories"], key=lambda e: e["id"]))}
    rows = document["annotations"]
    photo = np.array([photos[row["image_id"]] for row in rows])
    filled = None
    if kind == "masks":
        filled = rle_columns.of_texts(
            [_text(row["segmentation"], sizes[at]) for row, at in zip(rows, photo, strict=True)]
        )
    truth = Truth(
        sizes,
        photo,
        np.array([classes[row["category_id"]] for row in rows]),
        np.array([row["bbox"] for row in rows]),
        filled,
        areas=np.array([row["area"] for row in rows], dtype=np.float64),
        crowd=np.array([bool(row["iscrowd"]) for row in rows]),
        difficult=np.zeros(len(rows), np.bool_),
    )
    masks = (
        rle_columns.of_texts([row["segmentation"]["counts"].encode() for row in results]) if kind == "masks" else None
    )
    where = np.array([photos[row["image_id"]] for row in results])
    boxes = (
        rle_columns.figures(masks, sizes[where]).boxes
        if masks is not None
        else np.array([row["bbox"] for row in results], dtype=np.float64)
    )
    detections = Detections(
        sizes,
        where,
        np.array([classes[row["category_id"]] for row in results]),
        boxes,
        masks,
        scores=np.array([row["score"] for row in results], dtype=np.float64),
    )
    return truth, detections, len(classes)


def _text(segmentation: Any, size: Any) -> bytes:
    width, height = size.tolist()
    runs = outline.runs(outline.parse(json.dumps(segmentation).encode()), width, height)
    return rle.to_text(runs).encode()
