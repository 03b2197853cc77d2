"""Small sets to show, and what a page hands over."""

import json
import os
from pathlib import Path

from PIL import Image

from vision_cli.stages.named_source import DataRequest
from vision_cli.stages.showing import show as stage


class NoProject:
    root = Path()


def request(path, out, **more):
    data = DataRequest(
        os.fspath(path), NoProject, more.pop("format", None), need=stage.NEED, where=more.pop("where", None)
    )
    return stage.ShowRequest(data, out, workers=2, **more)


def values(page, name):
    """Return what a data file hands over."""
    text = (page / "data" / f"{name}.js").read_text()
    assert text.startswith("vision(")
    assert text.endswith(")\n")
    return json.loads(text[7:-2])


def coco_set(tmp_path):
    """Three photos, the last without annotation; a box, an outline, a mask and keypoints."""
    folder = tmp_path / "coco"
    folder.mkdir()
    for number, size in ((1, (400, 200)), (2, (100, 300)), (3, (64, 48))):
        Image.new("RGB", size, (200, 30 * number, 90)).save(folder / f"{number}.jpg")
    annotations = [
        {"id": 11, "image_id": 1, "category_id": 5, "bbox": [10, 20, 30.123, 40], "area": 1200, "iscrowd": 0},
        {"id": 12, "image_id": 1, "category_id": 8, "bbox": [0, 0, 9, 9], "area": 40, "iscrowd": 0,
         "segmentation": [[0, 0, 9.06, 0, 9, 9]]},
        {"id": 13, "image_id": 2, "category_id": 8, "bbox": [0, 0, 1, 300], "area": 300, "iscrowd": 1,
         "segmentation": {"size": [300, 100], "counts": [0, 300, 29700]}},
    ]  # fmt: skip
    document = {
        "images": [
            {"id": number, "file_name": f"{number}.jpg", "width": width, "height": height, "scene": "city"}
            for number, (width, height) in ((1, (400, 200)), (2, (100, 300)), (3, (64, 48)))
        ],
        "annotations": annotations,
        "categories": [{"id": 5, "name": "car"}, {"id": 8, "name": "van"}],
    }
    (folder / "labels.json").write_text(json.dumps(document))
    return folder


def results(tmp_path, *rows):
    path = tmp_path / "results.json"
    path.write_text(json.dumps([{"image_id": i, "category_id": c, "bbox": b, "score": s} for i, c, b, s in rows]))
    return path
