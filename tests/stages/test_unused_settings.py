"""A setting that this kind of training has no use for is said, and one that it has is not."""

from __future__ import annotations

import json
from pathlib import Path

import detectors_made as made
import pytest
import stage_projects as small

from vision_cli.core.config import ProjectConfig
from vision_cli.stages.training import unused


@pytest.mark.parametrize(
    ("family", "frozen", "train", "expected"),
    [
        ("timm", True, {"augment": "strong", "layer_decay": 0.5, "epochs": 3}, ["train.augment", "train.layer_decay"]),
        ("timm", True, {"augment": "none"}, []),
        ("timm", True, {"augment": "medium", "freeze": "auto"}, []),
        ("timm", False, {"augment": "strong", "layer_decay": 0.5}, []),
        ("timm", False, {"mosaic": 0.5, "multi_scale": True}, ["train.mosaic", "train.multi_scale"]),
        ("features", True, {"epochs": 7, "freeze": "none", "batch_size": 8}, ["train.epochs", "train.freeze"]),
        ("features", True, {"augment": "medium", "device": "cpu"}, []),
    ],
)
def test_settings_without_effect_are_named(
    family: str, frozen: bool, train: dict[str, object], expected: list[str]
) -> None:
    config = ProjectConfig.model_validate({"model": {"family": family}, "train": train})
    assert unused.in_photos(config.train, of_features=family == "features", frozen=frozen) == expected


@pytest.mark.parametrize(
    ("task", "train", "expected"),
    [
        ("detect", {"copy_paste": 0.3, "mosaic": 0.5, "multi_scale": True}, ["train.copy_paste"]),
        ("semantic", {"copy_paste": 0.3, "mosaic": 0.5, "sampling": "balanced"}, ["train.copy_paste"]),
        ("instance", {"copy_paste": 0.3, "class_weights": "balanced"}, ["train.class_weights"]),
        ("panoptic", {"head_first": True, "interpolate": True}, ["train.head_first", "train.interpolate"]),
        ("detect", {"head_first": False, "interpolate": False, "mixup": 0.2}, ["train.mixup"]),
        ("detect", {"epochs": 3, "layer_decay": 0.5, "freeze": "2 stages"}, []),
    ],
)
def test_settings_that_places_do_not_have_are_named(task: str, train: dict[str, object], expected: list[str]) -> None:
    assert unused.in_places(ProjectConfig.model_validate({"train": train}).train, task) == expected


@pytest.mark.parametrize(
    ("task", "train", "expected"),
    [
        ("detect", {"copy_paste": 0.3, "mosaic": 0.5, "freeze": "backbone"}, ["train.copy_paste", "train.freeze"]),
        ("instance", {"copy_paste": 0.3, "head_first": True, "ema": 0.9}, ["train.ema", "train.head_first"]),
        ("instance", {"epochs": 3, "head_first": False, "optimizer": "sgd"}, []),
    ],
)
def test_settings_that_a_recipe_of_its_own_does_not_have_are_named(
    task: str, train: dict[str, object], expected: list[str]
) -> None:
    assert unused.in_recipe(ProjectConfig.model_validate({"train": train}).train, task) == expected


@pytest.mark.parametrize(
    ("task", "model", "expected"),
    [
        ("detect", {"family": "ssdlite", "dropout": 0.5, "upsample": "learned"}, ["model.dropout", "model.upsample"]),
        ("semantic", {"family": "fcn", "upsample": "learned"}, []),
        ("classify", {"family": "timm", "dropout": 0.5, "features": {"classifier": "knn"}}, ["model.features"]),
        ("classify", {"family": "features", "features": {"classifier": "knn"}}, []),
    ],
)
def test_settings_of_other_families_are_named(task: str, model: dict[str, object], expected: list[str]) -> None:
    assert unused.in_model(ProjectConfig.model_validate({"model": model}).model, task) == expected


@pytest.mark.parametrize("overfit", [(), ("--overfit", "2")], ids=["dry", "by heart"])
def test_a_dry_run_says_what_has_no_effect(tmp_path: Path, overfit: tuple[str, ...]) -> None:
    """Planning switches `head_first` off by itself, which is nobody's wish; a trial switches more off."""
    made.draw_photos(tmp_path / "cells" / "photos")
    annotations = [
        {"id": at, "image_id": at, "category_id": 1, "bbox": [5, 6, 40, 50], "area": 2000, "iscrowd": 0}
        for at in range(4)
    ]
    images = [{"id": at, "file_name": f"photos/{at}.png", "width": 240, "height": 120 + 30 * at} for at in range(4)]
    document = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "cell"}]}
    (tmp_path / "cells" / "instances.json").write_text(json.dumps(document))
    (tmp_path / "vision.yaml").write_text(
        "version: 1\nname: cells\ntask: detect\ndata:\n  sources: {cells: {path: cells/instances.json}}\n"
        "  split: {train: 0.5, val: 0.5, test: 0}\n"
        "model: {family: ssdlite, backbone: test_resnet, weights: none, input: {size: 96}, dropout: 0.4}\n"
        "train: {copy_paste: 0.5, mixup: 0.1, mosaic: 0.5}\n"
    )
    called = small.done(tmp_path, "train", "--dry-run", *overfit)
    told = [line for line in called.err.splitlines() if "without effect" in line]
    assert len(told) == (0 if overfit else 2)
    if told:
        assert "train.copy_paste, train.mixup: without effect with the task detect." in told[0]
        assert "model.dropout: without effect with the family ssdlite." in told[1]
        assert "head_first" not in called.err
