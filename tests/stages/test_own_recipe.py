"""Families with a recipe of their own, through the whole of `vision train`."""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from vision_cli.core import artefact, files, policy, run
from vision_cli.core.config import TrainConfig
from vision_cli.core.errors import MissingPartError, UsageError
from vision_cli.core.preprocess import Preprocess
from vision_cli.core.progress import Silent
from vision_cli.core.project import Project, load
from vision_cli.models.ultralytics import training
from vision_cli.models.ultralytics.published import INTERPRETER
from vision_cli.models.ultralytics.recipe import Recipe
from vision_cli.stages.training.train import TrainRequest, train

there = bool(os.environ.get(INTERPRETER)) or importlib.util.find_spec("ultralytics") is not None
needs_ultralytics = pytest.mark.skipif(not there, reason="needs Ultralytics, or VISION_YOLO_PYTHON")
SIDE = 64


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the command line starts: libraries that are imported send nothing."""
    for name, value in policy.QUIET_SWITCHES.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Eight photos of a bright square or a dark disc."""
    rng, annotations = np.random.default_rng(0), []
    (tmp_path / "photos").mkdir()
    for number in range(8):
        photo = Image.fromarray(rng.integers(90, 140, (SIDE, SIDE, 3), dtype=np.uint8))
        x, y, side = (int(value) for value in rng.integers((4, 4, 24), (24, 24, 34)))
        box = (x, y, x + side - 1, y + side - 1)
        draw = ImageDraw.Draw(photo)
        draw.rectangle(box, fill=(250, 250, 250)) if number % 2 else draw.ellipse(box, fill=(10, 10, 10))
        photo.save(tmp_path / "photos" / f"{number}.png")
        corners = [x, y, x + side, y, x + side, y + side, x, y + side]
        annotations.append(
            {"id": number, "image_id": number, "category_id": number % 2, "bbox": [x, y, side, side]}
            | {"area": side * side, "iscrowd": 0, "segmentation": [corners]}
        )
    images = [{"id": n, "file_name": f"{n}.png", "width": SIDE, "height": SIDE} for n in range(8)]
    names = [{"id": 0, "name": "disc"}, {"id": 1, "name": "square"}]
    labels = {"images": images, "annotations": annotations, "categories": names}
    (tmp_path / "labels.json").write_text(json.dumps(labels))
    return project_of(tmp_path, "yolo", "detect")


def project_of(folder: Path, family: str, task: str, weights: str = "none") -> Project:
    backbone = "yolo26n" if family == "yolo" else "yolo11n-seg"
    (folder / "vision.yaml").write_text(
        f"version: 1\nname: shapes\ntask: {task}\n"
        "data:\n  sources:\n    shapes: {path: labels.json, images: photos}\n"
        "  split: {train: 0.5, val: 0.25, test: 0.25}\n"
        f"model: {{family: {family}, backbone: {backbone}, weights: {weights}, input: {{size: {SIDE}}}}}\n"
        "train: {epochs: 1, batch_size: 2, device: cpu}\n"
    )
    return load(folder / "vision.yaml")


def test_training_without_ultralytics_ends_before_any_work(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(INTERPRETER, "/nowhere/python")
    with pytest.raises(MissingPartError, match=INTERPRETER):
        train(TrainRequest(project), Silent())
    assert not (project.root / "runs").exists()


@needs_ultralytics
@pytest.mark.slow
@pytest.mark.parametrize(("family", "task"), [("yolo", "detect"), ("yolo-seg", "instance")])
def test_one_epoch_ends_in_an_artefact_of_ours(project: Project, family: str, task: str) -> None:
    project = project_of(project.root, family, task)
    done = train(TrainRequest(project), Silent())
    assert done.model is not None
    card = artefact.load_card(done.model)
    assert (card.licence, card.family, card.task) == ("AGPL-3.0", family, task)
    assert card.classes.names == ("disc", "square")
    assert done.measurement is not None
    assert "ap50" in done.measurement.values
    assert sorted(path.name for path in (done.run / "ultralytics").iterdir()) == ["own"]  # type: ignore[operator]
    assert not (done.run / "ultralytics-data").exists()  # type: ignore[operator]
    assert [path.name for path in (done.run / "pictures").iterdir()] == ["val-best.jpg"]  # type: ignore[operator]
    assert not list(project.root.rglob("*.pt"))
    with pytest.raises(UsageError, match="nothing to resume"):
        train(TrainRequest(project, resume=True), Silent())


class StopsAfter:
    """Progress that is interrupted when an epoch is told."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def say(self, text: str) -> None:
        pass

    def warn(self, text: str) -> None:
        pass

    def step(self, name: str, done: int, total: int, values: Any = None) -> None:
        if name == "train" and done == self.epoch:
            raise KeyboardInterrupt


@needs_ultralytics
@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("family", ["yolo", "yolo-seg"])
def test_a_training_that_was_stopped_goes_on(project: Project, family: str) -> None:
    project_of(project.root, family, "instance" if family == "yolo-seg" else "detect")
    file = project.root / "vision.yaml"
    file.write_text(file.read_text().replace("epochs: 1", "epochs: 3"))
    whole = train(TrainRequest(load(file)), Silent())
    with pytest.raises(KeyboardInterrupt):
        train(TrainRequest(load(file)), StopsAfter(1))
    record = run.latest(project.root, "train")
    assert record.folder != whole.run
    assert sorted(path.name for path in (record.folder / "checkpoints").iterdir()) == ["best.safetensors", "last.ckpt"]
    first = record.metrics()
    done = train(TrainRequest(load(file), resume=True), Silent())
    assert done.run == record.folder
    rows = record.metrics()
    assert rows[0] == first[0]
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    assert whole.run is not None
    uninterrupted = files.read_json_lines(whole.run / run.METRICS)
    assert [row["learning_rate"] for row in rows] == [row["learning_rate"] for row in uninterrupted]
    assert done.measurement is not None
    assert not list(project.root.rglob("*.pt"))


def settings(by_heart: bool = False, weights: Path | None = None, **options: Any) -> dict[str, Any]:
    preprocess = Preprocess((SIDE, SIDE), "letterbox", mean=(0.0,) * 3, std=(1.0,) * 3)
    recipe = Recipe("yolo", "yolo11n", "detect", 2, preprocess, weights=weights)
    train_config = TrainConfig(**options)
    lesson = training.Lesson(Path("d.yaml"), ("a", "b"), Path("run"), train_config, "cpu", by_heart, lambda _: None)
    return training.settings(recipe, lesson)


def test_its_own_recipe_is_left_alone_where_nothing_is_said() -> None:
    found = settings()
    assert not {"batch", "lr0", "optimizer", "mosaic", "hsv_h", "patience", "weight_decay", "nbs"} & set(found)
    assert (found["epochs"], found["imgsz"], found["pretrained"], found["plots"]) == (100, SIDE, False, False)


def test_what_the_project_file_says_is_done() -> None:
    found = settings(epochs=7, batch_size=4, learning_rate=0.01, optimizer="sgd", augment="none", accumulate=2)
    assert (found["epochs"], found["batch"], found["lr0"], found["optimizer"]) == (7, 4, 0.01, "SGD")
    assert (found["mosaic"], found["fliplr"], found["nbs"]) == (0.0, 0.0, 8)
    assert settings(learning_rate=0.01)["warmup_bias_lr"] == 0.0
    assert settings(by_heart=True, batch_size=8)["nbs"] == 2
    assert settings(by_heart=True)["lr0"] == 1e-3
    assert settings(by_heart=True, learning_rate=0.01)["lr0"] == 0.01
    assert "lr0" not in settings(by_heart=True, weights=Path("yolo11n.pt"))
    assert settings(precision="bf16")["amp"] == "bf16"
