"""Tiles from the project file to the answer: what every part of the product does with a large photo."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import detectors_made as made
import numpy as np
import pytest
import stage_projects as small
import torch
from PIL import Image

from vision_cli.core.artefact import Card
from vision_cli.core.dataset import ClassMap
from vision_cli.core.decoding.answers import PhotoObjects
from vision_cli.core.place_decode import PlaceDecode
from vision_cli.core.preprocess import Preprocess
from vision_cli.core.progress import Silent
from vision_cli.core.tiling import Tiles
from vision_cli.stages.running import loading, place_inference

SIDE = 512
MOST = 200


class RedFinder:
    """A runner that finds red blobs in what it is given, by connected components."""

    runtime, size_mb = "torch", 0.0

    def __init__(self, tiles: Tiles | None) -> None:
        preprocess = Preprocess((SIDE, SIDE), "letterbox", interpolation="bilinear", tiles=tiles)
        self.card = Card(
            "detect", ClassMap(("red",)), preprocess, PlaceDecode("boxes"), "none", {}, "CC0-1.0", "red", ""
        )
        self.batches: list[int] = []

    def run(self, batch: Any) -> Any:
        return self.run_all(batch)[0]

    def run_all(self, batch: Any) -> tuple[Any]:
        self.batches.append(len(batch))
        mean, std = (np.array(each)[:, None, None] for each in (self.card.preprocess.mean, self.card.preprocess.std))
        found = np.zeros((len(batch), MOST, 6), dtype=np.float32)
        found[..., 5] = -1
        for row, photo in enumerate(batch):
            red, green, _ = photo * std + mean
            _, _, blobs, _ = cv2.connectedComponentsWithStats(((red - green) > 0.4).astype(np.uint8))
            for at, (x, y, width, height, area) in enumerate(blobs[1 : MOST + 1].tolist()):
                found[row, at] = x, y, x + width, y + height, min(0.99, 0.5 + area / 1000), 0
        return (found,)


def draw_dots(path: Path, size: tuple[int, int], number: int, seed: int = 0) -> np.ndarray[Any, Any]:
    """Write a grey photo with red dots of 9 to 16 pixels, and return their boxes, left, top, right, bottom."""
    rng = np.random.default_rng(seed)
    photo = np.full((size[1], size[0], 3), 120, np.uint8)
    cells = rng.permutation((size[0] // 40) * (size[1] // 40))[:number]
    corners = np.stack([cells % (size[0] // 40), cells // (size[0] // 40)], axis=1) * 40 + rng.integers(
        0, 20, (number, 2)
    )
    boxes = np.concatenate([corners, corners + rng.integers(9, 17, (number, 2))], axis=1)
    for left, top, right, bottom in boxes.tolist():
        photo[top:bottom, left:right] = (230, 20, 20)
    Image.fromarray(photo).save(path)
    return boxes.astype(np.float64)


def in_order(boxes: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.array(sorted(boxes.tolist()))


def test_dots_of_a_large_photo_are_found_in_tiles_and_not_without(tmp_path: Path) -> None:
    truths = [
        draw_dots(tmp_path / "large.png", (4000, 3000), 400),
        draw_dots(tmp_path / "small.png", (400, 300), 20, 1),
    ]
    paths = [tmp_path / "large.png", tmp_path / "small.png"]
    runner = RedFinder(Tiles((SIDE, SIDE), 0.2))
    answers = list(place_inference.answers(runner, paths, Silent(), what="test"))
    for answer, truth in zip(answers, truths, strict=True):
        assert isinstance(answer, PhotoObjects)
        assert len(answer) == len(truth)
        # Tiles are not resized: exact. The small photo is enlarged.
        assert np.abs(in_order(answer.boxes) - in_order(truth)).max() <= (0.01 if answer is answers[0] else 1.01)
    assert max(runner.batches) == 16
    (whole,) = place_inference.answers(RedFinder(None), paths[:1], Silent(), what="test")
    assert isinstance(whole, PhotoObjects)
    assert len(whole) < 400 or np.abs(in_order(whole.boxes) - in_order(truths[0])).max() > 1


@pytest.mark.parametrize("shift", range(0, 24, 3))
def test_a_dot_on_a_border_of_tiles_is_found_once(tmp_path: Path, shift: int) -> None:
    photo = np.full((700, 1000, 3), 120, np.uint8)
    left = 500 + shift  # The first tile ends at 512, the next ones begin at 244 and 488.
    photo[300:312, left : left + 12] = (230, 20, 20)
    Image.fromarray(photo).save(tmp_path / "a.png")
    runner = RedFinder(Tiles((SIDE, SIDE), 0.04))
    (answer,) = place_inference.answers(runner, [tmp_path / "a.png"], Silent(), what="test")
    assert isinstance(answer, PhotoObjects)
    assert answer.boxes.tolist() == [[left, 300, left + 12, 312]]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A detector that cuts tiles, and photos that are larger than they are."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("tiles")
    made.draw_photos(folder / "photos")
    (folder / "vision.yaml").write_text("version: 1\nname: cells\ntask: detect\n")
    made.save(folder / "model", confidence=0.9, tiles=Tiles((100, 80), 0.25))
    return folder


def test_a_file_that_leaves_the_house_cuts_the_same_tiles(project: Path) -> None:
    small.done(project, "export", "--model", "model", "--photos", "photos", "--format", "onnx")
    assert loading.open_model(project / "exports/cells.onnx").card.preprocess.tiles == Tiles((100, 80), 0.25)
    said = {}
    for model in ("model", "exports/cells.onnx"):
        said[model] = small.done(project, "predict", "photos", "--model", model, "--json").document["predictions"]
    ours, theirs = said.values()
    assert sum(len(row["objects"]) for row in ours) > 20
    for one, other in zip(ours, theirs, strict=True):
        boxes = [
            np.array(sorted([made.CLASSES.index(each["class"]), *each["box"]] for each in row["objects"])).reshape(
                -1, 5
            )
            for row in (one, other)
        ]
        assert np.abs(boxes[0] - boxes[1]).max(initial=0) < 0.1


def write_set(folder: Path, photos: int = 12) -> None:
    """Write photos of dots with their COCO file, and a project that learns from tiles of them."""
    (folder / "photos").mkdir(parents=True)
    document: dict[str, Any] = {"images": [], "annotations": [], "categories": [{"id": 1, "name": "dot"}]}
    for image in range(photos):
        boxes = draw_dots(folder / "photos" / f"{image:02}.png", (200, 160), 5, image)
        document["images"].append({"id": image, "file_name": f"photos/{image:02}.png", "width": 200, "height": 160})
        for left, top, right, bottom in boxes.tolist():
            box = [left, top, right - left, bottom - top]
            number = len(document["annotations"])
            document["annotations"].append(
                {"id": number, "image_id": image, "category_id": 1, "bbox": box, "area": box[2] * box[3], "iscrowd": 0}
            )
    (folder / "instances.json").write_text(json.dumps(document))


def write_project(folder: Path, model: str) -> None:
    (folder / "vision.yaml").write_text(
        f"version: 1\nname: dots\ntask: detect\ndata:\n  sources: {{dots: {{path: instances.json}}}}\n"
        "  split: {train: 0.5, val: 0.25, test: 0.25}\n"
        f"model: {model}\ntrain: {{epochs: 1, workers: 0, batch_size: 8, augment: none, freeze: none}}\n"
    )


TINY = "family: ssdlite, backbone: test_resnet, weights: none, input: {size: 96, tiles: {size: 96, overlap: 0.25}"


def test_training_evaluation_and_prediction_cut_the_same_tiles(tmp_path: Path) -> None:
    write_set(tmp_path)
    write_project(tmp_path, f"{{{TINY}}}}}")
    run = Path(small.done(tmp_path, "train", "--json").document["run"])
    card = loading.open_model(tmp_path / run / "model", threads=1).card
    assert card.preprocess.tiles == Tiles((96, 96), 0.25)
    document = small.done(tmp_path, "eval", "--json").document
    assert document["ok"] is not None
    rows = small.done(tmp_path, "predict", "--data", "all", "--split", "test", "--json").document["predictions"]
    assert len(rows) == 3
    assert {(row["width"], row["height"]) for row in rows} == {(200, 160)}


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (f"{{{TINY}, resize: crop}}}}", "tiles are not cropped"),
        ("{input: {tiles: {size: 16}}}", "between 32 and 8192"),
        ("{input: {tiles: {overlap: 0.5}}}", "size"),
        ("{input: {tiles: {size: 64, overlap: 1.5}}}", "overlap"),
    ],
)
def test_tiles_that_make_no_sense_are_refused(tmp_path: Path, model: str, said: str) -> None:
    write_set(tmp_path, 6)
    write_project(tmp_path, model)
    called = small.call(tmp_path, "train")
    assert called.code in (2, 3)
    assert said in called.err
    assert "Traceback" not in called.err


def test_a_classifier_sees_photos_whole(tmp_path: Path) -> None:
    model = small.TINY.replace("size: 64", "size: 64, tiles: {size: 64}")
    small.class_folders(small.write_project(tmp_path / "home", "photos", model=model) / "photos", 6, ("winter", "no"))
    called = small.call(tmp_path / "home", "train")
    assert called.code == 2
    assert "model.input.tiles" in called.err


def test_a_card_without_tiles_reads_as_before(project: Path) -> None:
    card = loading.open_model(project / "model", threads=1).card
    plain = replace(card, preprocess=replace(card.preprocess, tiles=None))
    document = plain.as_json()
    assert "tiles" not in document["preprocess"]
    assert Card.from_json(json.loads(json.dumps(document)), where="test").preprocess == plain.preprocess
