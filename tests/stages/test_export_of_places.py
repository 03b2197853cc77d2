"""`vision export` of detectors: parity on decisions, suppression in the file, networks that a format cannot hold."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import stage_projects as small
import torch
from PIL import Image

from vision_cli import models
from vision_cli.core import artefact
from vision_cli.core.artefact import Card, Golden
from vision_cli.core.config import ModelConfig
from vision_cli.core.dataset import ClassMap
from vision_cli.imaging import prepare
from vision_cli.models.places.request import PlaceRequest
from vision_cli.stages.running import loading

FAMILY = "ssdlite"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A detector that was not trained, and six photos of other sizes than its input."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("places")
    rng = np.random.default_rng(0)
    (folder / "photos").mkdir()
    for index in range(6):
        blocks = rng.integers(0, 255, (5 + index, 7, 3), dtype=np.uint8).repeat(30, axis=0).repeat(40, axis=1)
        Image.fromarray(blocks).save(folder / "photos" / f"{index}.png")
    (folder / "vision.yaml").write_text("version: 1\nname: cells\ntask: detect\n")
    save(folder / "model")
    return folder


def save(folder: Path) -> None:
    torch.manual_seed(0)
    classes = ClassMap(("platelets", "red", "white"))
    config = ModelConfig.model_validate(
        {"family": FAMILY, "backbone": "test_resnet", "weights": "none", "input": {"size": 96}}
    )
    request = PlaceRequest("detect", classes, np.random.default_rng(0).uniform(10, 60, (50, 2)))
    network: Any = models.build_places(config, request, offline=True)
    with torch.no_grad():
        for name, parameter in network.head.named_parameters():
            if name.endswith("bias") and parameter.ndim == 1:
                parameter.normal_(0, 2)
    card = Card(
        task="detect",
        classes=classes,
        preprocess=network.preprocess,
        decode=network.decode,
        family=FAMILY,
        model=models.options(config, network),
        licence=network.licence,
        name="cells",
        created="2025-01-01T00:00:00Z",
    )
    seen = np.zeros((*network.preprocess.size_px[::-1], 3), np.uint8)
    with torch.no_grad():
        raw = network.eval()(torch.from_numpy(prepare.normalise(seen, network.preprocess)[None]))
    golden = Golden(seen, tuple(each.numpy() for each in raw))
    artefact.save(folder, card, golden=golden, weights=loading.weights_of(network), weights_file="model.safetensors")


@pytest.mark.slow
def test_a_detector_is_exported_and_compared_on_its_boxes(project: Path) -> None:
    words = ("export", "--model", "model", "--photos", "photos", "--format", "all", "--json")
    document = small.done(project, *words).document
    assert [each["format"] for each in document["files"]] == ["onnx", "tflite"]
    for each in document["files"]:
        assert each["parity"]["passed"]
        assert each["parity"]["agreement"] >= 0.99
        assert each["parity"]["n_photos"] == each["photos"] == 6
        assert each["parity"]["n_compared"] >= 20


def test_suppression_goes_into_a_file_of_its_own_name(project: Path) -> None:
    words = (
        "export",
        "--model",
        "model",
        "--photos",
        "photos",
        "--format",
        "onnx",
        "--nms",
        "--output",
        "nms",
        "--json",
    )
    (file,) = small.done(project, *words).document["files"]
    assert file["parity"]["agreement"] == 1.0
    assert file["parity"]["n_compared"] >= 20
    card = loading.open_model(project / "nms" / "cells-nms.onnx", threads=1).card
    assert card.place_decode.layout == "boxes"


def test_suppression_is_refused_before_any_work_where_there_is_none(project: Path) -> None:
    before = small.listing(project)
    called = small.call(project, "export", "--model", "model", "--photos", "photos", "--format", "tflite", "--nms")
    assert called.code == 2
    assert "tflite files cannot hold suppression (--nms)" in called.err
    assert "onnx" in called.err
    assert small.listing(project) == before


def test_a_file_that_finds_other_boxes_is_not_published(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from vision_cli.exporters import conversion

    def moved(network: Any) -> Any:
        module = copy.deepcopy(network).eval()
        with torch.no_grad():
            for name, parameter in module.head.named_parameters():
                parameter.add_(0.2 if name.endswith("bias") and parameter.ndim == 1 else 0)
        return module

    monkeypatch.setattr(conversion, "traceable", moved)
    words = ("export", "--model", "model", "--photos", "photos", "--format", "onnx", "--output", "wrong")
    called = small.call(project, *words)
    assert called.code == 4
    assert "does not answer as the torch model does on 6 photos" in called.err
    assert "have their like at IoU 0.99 (needed 99.00%); the smallest IoU is 0." in called.err
    assert list((project / "wrong").iterdir()) == []


@pytest.mark.parametrize("dry_run", [(), ("--dry-run",)])
def test_a_network_that_cannot_be_exported_says_why_before_any_work(
    dry_run: tuple[str, ...], project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = models.FAMILIES.load(FAMILY)
    monkeypatch.setattr(module, "EXPORTS", {"onnx": None, "tflite": "LiteRT has no such operator"}, raising=False)
    before = small.listing(project)
    words = ("export", "--model", "model", "--photos", "photos", "--format", "all", *dry_run)
    called = small.call(project, *words)
    assert called.code == 3
    assert f"'{FAMILY}' cannot be exported to tflite" in called.err
    assert "tflite: LiteRT has no such operator" in called.err
    assert "--format onnx" in called.err
    assert small.listing(project) == before
