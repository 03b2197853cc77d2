"""What a report says of settings that the project file leaves open is what the training took."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from vision_cli.core.progress import Silent
from vision_cli.core.project import Project, load
from vision_cli.stages.data import TaskData, load_view
from vision_cli.stages.evaluating import report
from vision_cli.stages.training import fitting, used_settings
from vision_cli.training import freezing, whole
from vision_cli.training.request import WEIGHT_DECAY


def made(folder: Path, train: str = "{}", weights: str = "none") -> tuple[Project, TaskData]:
    for index in range(8):
        (folder / "photos" / "ab"[index % 2]).mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (48, 48), (index * 20, 0, 0)).save(folder / "photos" / "ab"[index % 2] / f"{index}.png")
    (folder / "vision.yaml").write_text(
        "version: 1\nname: two\ntask: classify\ndata: {sources: {two: {path: photos}}}\n"
        f"model: {{backbone: test_resnet, weights: {weights}, input: {{size: 32}}}}\ntrain: {train}\n"
    )
    project = load(folder / "vision.yaml")
    return project, load_view(project, remember=False)


def test_settings_that_are_open_get_what_the_optimizer_gets(tmp_path: Path) -> None:
    project, data = made(tmp_path)
    network: Any = fitting.build(project, data, Silent(), offline=True)
    found = used_settings.used(project.config, data, network)
    assert {"epochs", "learning_rate", "weight_decay", "ema", "label_smoothing"} == set(found)
    options = fitting.train_options(project.config)
    groups = freezing.groups(network, options, found["learning_rate"], found["weight_decay"])
    assert max(each["weight_decay"] for each in groups) == WEIGHT_DECAY == found["weight_decay"]
    assert found["epochs"] == whole.EPOCHS


@pytest.mark.parametrize(("name", "value"), [("learning_rate", 0.01), ("weight_decay", 0.0), ("epochs", 3)])
def test_what_is_set_is_not_said_twice(tmp_path: Path, name: str, value: float) -> None:
    project, data = made(tmp_path, f"{{{name}: {value}}}")
    network = fitting.build(project, data, Silent(), offline=True)
    assert name not in used_settings.used(project.config, data, network)
    config = project.config.model_dump(mode="json", by_alias=True)
    assert dict(report._settings(config, {name: "another"}))[f"train.{name}"] == str(value)


def test_a_frozen_backbone_has_other_values(tmp_path: Path) -> None:
    project, data = made(tmp_path)
    network = fitting.build(project, data, Silent(), offline=True)
    frozen = project.config.model_copy(
        update={
            "model": project.config.model.model_copy(update={"weights": "imagenet"}),
            "train": project.config.train.model_copy(update={"freeze": "backbone"}),
        }
    )
    found = used_settings.used(frozen, data, network)
    assert (found["learning_rate"], found["epochs"], found["ema"]) == (0.001, 100, 0.0)
    features = frozen.model_copy(update={"model": frozen.model.model_copy(update={"family": "features"})})
    assert used_settings.used(features, data, network) == {}


def test_the_page_has_values_and_no_none(tmp_path: Path) -> None:
    project, data = made(tmp_path)
    network = fitting.build(project, data, Silent(), offline=True)
    used = used_settings.used(project.config, data, network)
    shown = dict(report._settings(project.config.model_dump(mode="json", by_alias=True), used))
    assert shown["train.learning_rate"] == "0.0005 by default"
    assert shown["train.workers"] == "by default"
    assert "None" not in shown.values()


@pytest.mark.parametrize(
    ("task", "score"), [("classify", "accuracy"), ("regress", "r2"), ("detect", "ap50"), ("panoptic", "pq")]
)
def test_the_score_has_a_name(tmp_path: Path, task: str, score: str) -> None:
    project, data = made(tmp_path)
    network = fitting.build(project, replace(data), Silent(), offline=True)
    assert used_settings.score_of(task, network) == score
