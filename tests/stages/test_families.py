"""The other families, weights of an earlier run, and other channels, from photos to an evaluated model."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import stage_projects as small
from PIL import Image
from safetensors.torch import load_file

Copy = Callable[[Path], Path]


def trained(folder: Path, *words: str) -> dict[str, Any]:
    """Train with other settings and return the evaluation of the test split."""
    small.done(folder, "train", "kpis=[]", *words)
    return small.done(folder, "eval", "kpis=[]", "--json").document


@pytest.mark.parametrize("classifier", ["svm", "logistic", "knn"])
def test_shallow_classifiers(seasons: Path, copy: Copy, classifier: str) -> None:
    folder = copy(seasons)
    words = ("model.family=features", f"model.features.classifier={classifier}")
    document = trained(folder, *words)
    assert document["model"]["family"] == "features"
    assert document["metrics"]["top1"] > 2 / len(small.COLOURS)
    (how,) = json.loads((folder / "runs/train/latest/result.json").read_text())["how"]
    assert how.startswith(f"{classifier} on 96 features of ")


def test_a_shallow_classifier_is_exported_and_decides_alike(seasons: Path, copy: Copy) -> None:
    folder = copy(seasons)
    torch = trained(folder, "model.family=features", "model.features={classifier: svm, pca: 10}")
    small.done(folder, "export", "--format", "onnx")
    onnx = small.done(folder, "eval", "--model", "exports/tiny.onnx", "kpis=[]", "--json").document
    assert onnx["confusion"] == torch["confusion"]
    assert onnx["metrics"]["log_loss"] == pytest.approx(torch["metrics"]["log_loss"], abs=1e-4)


@pytest.mark.parametrize(("project", "metric"), [("labels", "map"), ("values", "mae")])
def test_shallow_classifiers_of_other_tasks(
    project: str, metric: str, copy: Copy, request: pytest.FixtureRequest
) -> None:
    document = trained(copy(request.getfixturevalue(project)), "model.family=features")
    assert document["metrics"][metric] > 0


def test_torchvision(seasons: Path, copy: Copy) -> None:
    words = ("model.family=torchvision", "model.backbone=squeezenet1_1", "model.input.size=64", "train.epochs=1")
    document = trained(copy(seasons), *words)
    assert document["model"]["family"] == "torchvision"
    assert document["data"]["photos"] == 43


def test_a_frozen_backbone_trains_its_head_only(seasons: Path, copy: Copy) -> None:
    folder = copy(seasons)
    start = folder / "runs/train/latest/model/model.safetensors"
    before = load_file(start)
    small.done(folder, "train", f"model.weights={start.resolve()}", "train.freeze=backbone")
    after = load_file(folder / "runs/train/latest/model/model.safetensors")
    backbone = [name for name in before if name.startswith("backbone.") and not name.endswith("num_batches_tracked")]
    assert backbone
    assert all((before[name] == after[name]).all() for name in backbone)
    assert any((before[name] != after[name]).any() for name in before if name not in backbone)


def test_weights_of_an_earlier_run_are_where_learning_goes_on(seasons: Path, copy: Copy) -> None:
    folder = copy(seasons)
    (folder / "runs/train/latest/model/model.safetensors").rename(folder / "start.safetensors")
    (folder / "below").mkdir()
    words = ("train", "model.weights=start.safetensors", "train.epochs=1", "train.learning_rate=1e-6", "--json")
    metrics = small.done(folder / "below", *words).document["metrics"]
    small.done(folder, "train", "train.epochs=1", "train.learning_rate=1e-6")
    fresh = json.loads((folder / "runs/train/latest/result.json").read_text())["metrics"]
    assert metrics["top1"] > 0.5 > fresh["top1"]


def test_grey_photos_reach_every_runtime(seasons: Path, copy: Copy) -> None:
    folder = copy(seasons)
    torch = trained(folder, "model.input.channels=1", "train.epochs=2")
    small.done(folder, "export", "--format", "onnx")
    onnx = small.done(folder, "eval", "--model", "exports/tiny.onnx", "kpis=[]", "--json").document
    assert onnx["confusion"] == torch["confusion"]
    pixels = np.asarray(Image.open(folder / "photos/winter/00.jpg").convert("L"))
    Image.fromarray(pixels).save(folder / "photo.png")
    small.done(folder, "predict", "photo.png")


def test_without_validation_photos_the_last_epoch_is_kept(seasons: Path, copy: Copy) -> None:
    folder = copy(seasons)
    called = small.done(folder, "train", "data.split={train: 0.8, val: 0, test: 0.2}", "train.epochs=2", "--json")
    assert called.document["metrics"] == {}
    assert "no validation photos" in called.err
    assert small.done(folder, "eval", "--split", "all", "kpis=[]", "--json").document["data"]["photos"] == 144
