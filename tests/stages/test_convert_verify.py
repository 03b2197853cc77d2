"""Conversions whose result reads back in another shape than it went in, and is right all the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from vision_cli.stages.converting.convert import Conversion, ConvertRequest, convert

ALL = frozenset({"all"})


def source(folder: Path, names: list[str], annotations: list[dict[str, Any]], classes: str = "xy") -> Path:
    folder.mkdir()
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        Image.new("RGB", (10, 10)).save(folder / name)
    images = [{"id": n, "file_name": name, "width": 10, "height": 10} for n, name in enumerate(names, 1)]
    labels = [{"id": n, "category_id": 1, "iscrowd": 0, **each} for n, each in enumerate(annotations, 1)]
    categories = [{"id": n, "name": name} for n, name in enumerate(classes.split() or classes, 1)]
    document = {"images": images, "annotations": labels, "categories": categories}
    (folder / "instances.json").write_text(json.dumps(document))
    return folder


def run(path: Path, to: str) -> Conversion:
    return convert(ConvertRequest(path, path.parent / to, to, allowed=ALL, verify=True))


def square(image_id: int, left: int, **more: Any) -> dict[str, Any]:
    ring = [left, 1, left + 3, 1, left + 3, 4, left, 4]
    return {"image_id": image_id, "bbox": [left, 1, 3, 3], "area": 9, "segmentation": [ring], **more}


def test_lvis_without_its_own_members_is_found_again(tmp_path: Path) -> None:
    assert run(source(tmp_path / "in", ["a.jpg"], [square(1, 1)], "x"), "lvis").written


def test_objects_of_one_class_that_join_are_one(tmp_path: Path) -> None:
    found = run(source(tmp_path / "in", ["a.png"], [square(1, 1), square(1, 5)], "x"), "masks")
    assert found.written
    assert found.verification is not None
    assert found.verification.annotations == 1
    assert found.report.annotations.changed["objects of one class join"] == 2


@pytest.mark.parametrize("to", ["kitti", "masks", "yolo", "voc"])
def test_photos_that_differ_in_their_suffix_alone(to: str, tmp_path: Path) -> None:
    found = run(source(tmp_path / "in", ["a.jpg", "a.png"], [square(1, 1), square(2, 5)], "x"), to)
    assert found.written
    assert found.report.annotations.after == 2


def test_photos_of_one_name_in_archives(tmp_path: Path) -> None:
    folder = source(tmp_path / "in", ["a/1.jpg", "b/1.jpg"], [square(2, 1), square(1, 5), square(2, 6)], "x")
    assert run(folder, "webdataset").written


def test_keypoints_alone_are_no_row_of_yolo(tmp_path: Path) -> None:
    alone = {"image_id": 1, "keypoints": [1, 2, 2, 3, 4, 2], "num_keypoints": 2}
    found = run(source(tmp_path / "in", ["a.jpg"], [square(1, 1), alone], "x"), "yolo")
    assert found.written
    assert found.report.annotations.dropped == {"keypoints without a box": 1}


def test_objects_of_the_class_background_are_no_objects_of_voc(tmp_path: Path) -> None:
    annotations = [square(1, 1), square(1, 5, category_id=2)]
    found = run(source(tmp_path / "in", ["a.jpg"], annotations, "background car"), "voc-segmentation")
    assert found.written
    assert sum(found.report.annotations.dropped.values()) == 1
