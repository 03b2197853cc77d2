"""One photo with one label, in formats that name photos in four ways: by folder, beside labels, in CSV, in JSON."""

from __future__ import annotations

import json
from pathlib import Path

from PIL import Image


def photo(path: Path) -> Path:
    """Write one photo."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (64, 48), (90, 120, 30)).save(path, "JPEG")
    return path


def text(path: Path, content: str) -> None:
    """Write one label file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def imagefolder(root: Path) -> Path:
    photo(root / "cat" / "a.jpg")
    photo(root / "dog" / "b.jpg")
    return root


def kitti(root: Path) -> Path:
    photo(root / "training" / "image_2" / "a.jpg")
    text(root / "training" / "label_2" / "a.txt", "Car 0 0 -10 1 2 30 40 -1 -1 -1 -1000 -1000 -1000 -10\n")
    return root


def voc(root: Path) -> Path:
    photo(root / "JPEGImages" / "a.jpg")
    box = "<bndbox><xmin>1</xmin><ymin>2</ymin><xmax>30</xmax><ymax>40</ymax></bndbox>"
    content = f"<annotation><filename>a.jpg</filename><object><name>car</name>{box}</object></annotation>"
    text(root / "Annotations" / "a.xml", content)
    return root


def yolo(root: Path) -> Path:
    photo(root / "images" / "a.jpg")
    text(root / "labels" / "a.txt", "0 0.5 0.5 0.25 0.25\n")
    text(root / "data.yaml", "train: images\nnames: [car]\n")
    return root


def coco(root: Path) -> Path:
    photo(root / "images" / "a.jpg")
    document = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 64, "height": 48}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "iscrowd": 0, "area": 12}],
        "categories": [{"id": 1, "name": "car"}],
    }
    text(root / "annotations" / "instances.json", json.dumps(document))
    return root


def csv(root: Path) -> Path:
    photo(root / "images" / "a.jpg")
    text(root / "labels.csv", "path,label\nimages/a.jpg,cat\n")
    return root


MAKERS = {"imagefolder": imagefolder, "kitti": kitti, "voc": voc, "yolo": yolo, "coco": coco, "csv": csv}
