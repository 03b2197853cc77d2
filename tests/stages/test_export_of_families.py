"""`vision export` of a family of each group: written, compared with torch on its decisions, and published.

`bench/export_matrix.py` does it for every family, trained; its table is in docs/families.md.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import detectors_made as made
import numpy as np
import pytest
import stage_projects as small
import torch

from vision_cli import models
from vision_cli.core import artefact
from vision_cli.core.artefact import Card, Golden
from vision_cli.core.config import ModelConfig
from vision_cli.core.dataset import ClassMap
from vision_cli.imaging import prepare
from vision_cli.models.places.request import PlaceRequest
from vision_cli.stages.running import loading

GROUPS = {"fcos": "detect", "maskrcnn": "instance", "lraspp": "semantic", "panopticfpn": "panoptic"}
"""Dense, two-stage, pixels and both; `ssdlite` is in test_export_of_places.py."""
SLOW = [
    ("fcos", "tflite", "float32"),
    ("lraspp", "tflite", "float16"),
    ("maskrcnn", "tflite", "float32"),
    ("panopticfpn", "onnx", "float32"),
    ("panopticfpn", "tflite", "float32"),
]
"""Not float16 of boxes: this untrained fcos kept 57 % of them. Trained networks are measured by the bench."""
CASES = [
    ("fcos", "onnx", "float32"),
    ("lraspp", "onnx", "float32"),
    ("maskrcnn", "onnx", "float32"),
    *(pytest.param(*case, marks=[pytest.mark.slow, pytest.mark.timeout(1800)]) for case in SLOW),
]


def save(folder: Path, family: str) -> None:
    """Write the model folder of a network that was not trained, and is sure of much."""
    torch.manual_seed(0)
    task: Any = GROUPS[family]
    classes = ClassMap(("platelets", "red", "white"))
    config = ModelConfig.model_validate(
        {"family": family, "backbone": "test_resnet", "weights": "none", "input": {"size": 96}}
    )
    network: Any = models.build_places(config, PlaceRequest(task, classes, things=(0, 1)), offline=True)
    with torch.no_grad():
        for name, parameter in network.head.named_parameters():
            if "cls" in name and parameter.ndim > 1:
                parameter.mul_(20)
            if name.endswith("bias") and parameter.ndim == 1:
                parameter.normal_(0, 0.5)
    seen = np.zeros((*network.preprocess.size_px[::-1], 3), np.uint8)
    with torch.no_grad():
        raw = network.eval()(torch.from_numpy(prepare.normalise(seen, network.preprocess)[None]))
    card = Card(
        task=task,
        classes=classes,
        preprocess=network.preprocess,
        decode=network.decode,
        family=family,
        model=models.options(config, network),
        licence=network.licence,
        name="cells",
        created="2025-01-01T00:00:00Z",
    )
    golden = Golden(seen, tuple(each.numpy() for each in raw))
    artefact.save(folder, card, golden=golden, weights=loading.weights_of(network), weights_file="model.safetensors")


@pytest.mark.parametrize(("family", "form", "precision"), CASES)
def test_a_family_is_exported_and_decides_alike(family: str, form: str, precision: str, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    made.draw_photos(tmp_path / "photos")
    (tmp_path / "vision.yaml").write_text(f"version: 1\nname: cells\ntask: {GROUPS[family]}\n")
    save(tmp_path / "model", family)
    words = ("export", "--model", "model", "--photos", "photos", "--format", form, "--precision", precision, "--json")
    (file,) = small.done(tmp_path, *words).document["files"]
    parity = file["parity"]
    assert parity["passed"]
    assert parity["n_photos"] == 4
    assert parity["agreement"] >= 0.99
    assert parity["n_compared"] >= 20
    assert Path(file["path"]).is_file()
