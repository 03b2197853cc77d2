"""The data set that Ultralytics trains on: what it says is what the view says, at the size of the network's input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from vision_cli import formats
from vision_cli.core.config import SourceConfig
from vision_cli.core.errors import DataError
from vision_cli.core.preprocess import Preprocess
from vision_cli.core.progress import Silent
from vision_cli.stages import place_truth
from vision_cli.stages.training.yolo_data import write_data

PREPROCESS = Preprocess((64, 64), "letterbox", interpolation="bilinear", mean=(0.0,) * 3, std=(1.0,) * 3)


def coco(folder: Path, annotations: list[dict[str, Any]], size: tuple[int, int] = (128, 96)) -> Any:
    (folder / "photos").mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number in (1, 2):
        pixels = rng.integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / "photos" / f"{number}.jpg")
    images = [{"id": n, "file_name": f"{n}.jpg", "width": size[0], "height": size[1]} for n in (1, 2)]
    names = [{"id": 7, "name": "no"}, {"id": 3, "name": "Ärger: 1"}]
    document = {"images": images, "annotations": annotations, "categories": names}
    (folder / "labels.json").write_text(json.dumps(document))
    source = SourceConfig(path="labels.json", images=str(folder / "photos"))
    return formats.read("data", source, folder / "labels.json")


def boxed(number: int, image: int, category: int, box: list[float], **more: Any) -> dict[str, Any]:
    area = box[2] * box[3]
    return {"id": number, "image_id": image, "category_id": category, "bbox": box, "area": area, "iscrowd": 0} | more


def rows(folder: Path, split: str = "train") -> list[list[list[float]]]:
    files = sorted((folder / split / "labels" / split).glob("*.txt"))
    return [[[float(value) for value in line.split()] for line in file.read_text().splitlines()] for file in files]


def written(dataset: Any, task: str, folder: Path) -> Path:
    dataset = place_truth.prepared(dataset, task)
    nothing = dataset.select(np.zeros(len(dataset), dtype=np.bool_))
    write_data({"train": dataset, "val": nothing}, folder, PREPROCESS, Silent())
    return folder


def test_boxes_are_shares_and_crowds_are_left_out(tmp_path: Path) -> None:
    annotations = [
        boxed(1, 1, 7, [32, 24, 64, 48]),
        boxed(2, 2, 3, [0, 0, 16, 12]),
        boxed(3, 2, 3, [0, 0, 99, 9], iscrowd=1),
    ]
    dataset = coco(tmp_path, annotations)
    folder = written(dataset, "detect", tmp_path / "out")
    first, second = dataset.classes.index("no"), dataset.classes.index("Ärger: 1")
    assert rows(folder) == [[[first, 0.5, 0.5, 0.5, 0.5]], [[second, 0.0625, 0.0625, 0.125, 0.125]]]
    said = json.loads((folder / "data.yaml").read_text())
    assert (said["train"], said["val"]) == ("train/images/train", "train/images/train")
    assert said["names"] == {"0": "class0", "1": "class1"}


def test_photos_are_what_the_network_sees_without_its_border(tmp_path: Path) -> None:
    folder = written(coco(tmp_path, [boxed(1, 1, 7, [32, 24, 64, 48])]), "detect", tmp_path / "out")
    files = sorted((folder / "train" / "images" / "train").iterdir())
    assert [file.name for file in files] == ["0000000.png", "0000001.png"]
    with Image.open(tmp_path / "photos" / "1.jpg") as photo, Image.open(files[0]) as seen:
        assert seen.size == (64, 48)
        expected = np.asarray(photo.resize((64, 48), Image.Resampling.BILINEAR), dtype=float)
        assert np.abs(np.asarray(seen, dtype=float) - expected).mean() < 2


def test_an_outline_of_parts_is_one_polygon_of_their_area(tmp_path: Path) -> None:
    parts = [[10, 10, 40, 10, 40, 40, 10, 40], [60, 50, 90, 50, 90, 80, 60, 80]]
    runs = {"size": [96, 128], "counts": [96 * 20 + 10, 30, 66, 30, 66, 30, 96 * 128 - 96 * 22 - 40]}
    annotations = [
        boxed(1, 1, 7, [10, 10, 80, 70], segmentation=parts),
        boxed(2, 2, 7, [20, 10, 3, 30], segmentation=runs),
    ]
    folder = written(coco(tmp_path, annotations), "instance", tmp_path / "out")
    (one,), (other,) = rows(folder)
    assert abs(area(one[1:]) - (900 + 900)) < 1
    assert abs(area(other[1:]) - 90) < 1


def area(shares: list[float]) -> float:
    x, y = np.array(shares).reshape(-1, 2).T * np.array([[128], [96]])
    return float(abs((x * np.roll(y, -1) - np.roll(x, -1) * y).sum()) / 2)


def test_both_splits_stand_beside_each_other(tmp_path: Path) -> None:
    dataset = place_truth.prepared(coco(tmp_path, [boxed(1, 1, 7, [32, 24, 64, 48])]), "detect")
    parts = {name: dataset.select(np.array(kept)) for name, kept in (("train", [True, False]), ("val", [False, True]))}
    said = json.loads(write_data(parts, tmp_path / "out", PREPROCESS, Silent()).read_text())
    assert (said["train"], said["val"]) == ("train/images/train", "val/images/val")
    assert (rows(tmp_path / "out"), rows(tmp_path / "out", "val")) == ([[[0, 0.5, 0.5, 0.5, 0.5]]], [[]])


def test_a_photo_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    dataset = coco(tmp_path, [boxed(1, 1, 7, [32, 24, 64, 48])])
    (tmp_path / "photos" / "2.jpg").write_bytes(b"<html>")
    with pytest.raises(DataError) as refused:
        written(dataset, "detect", tmp_path / "out")
    assert "2.jpg" in " ".join([refused.value.message, *refused.value.details])
