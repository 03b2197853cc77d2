"""Which networks learn at other sizes than their own, and that the others are refused before any work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from vision_cli import models
from vision_cli.core.config import InputConfig, ModelConfig
from vision_cli.core.dataset import ClassMap
from vision_cli.core.errors import UsageError
from vision_cli.core.progress import Silent
from vision_cli.core.project import load
from vision_cli.models.cards import tasks_of
from vision_cli.stages.data import load_view
from vision_cli.stages.training import fitting
from vision_cli.training.places import sizes
from vision_cli.training.places.lesson import rescaled

SMALL = "mobilenetv3_small_050"
CLASSES = ClassMap(("square", "disc", "ground"))
EVERY = [
    name for name, card in models.FAMILIES.cards().items() if "classify" not in tasks_of(card) and "yolo" not in name
]
ORDINARY = ("ssd", "maskrcnn")


def network_of(family: str, backbone: str = SMALL, side: int | None = 128) -> tuple[Any, str]:
    torch.manual_seed(0)
    (task, *_) = tasks_of(models.FAMILIES.card(family))
    inputs = InputConfig(size=None if side is None else (side, side), resize="stretch")
    config = ModelConfig(family=family, backbone=backbone, weights="none", input=inputs)
    return models.build_places(config, models.PlaceRequest(task, CLASSES, things=(0, 1))), task  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "family", [name if name in ORDINARY else pytest.param(name, marks=pytest.mark.slow) for name in EVERY]
)
def test_every_family_over_timm_learns_at_other_sizes(family: str) -> None:
    network, task = network_of(family)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    drawn = torch.random.get_rng_state()
    sizes.check_multi_scale(network, task, SMALL)
    assert torch.equal(drawn, torch.random.get_rng_state())
    assert network.training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    one = sizes._one_object(task, 128, 128)
    inputs, targets = rescaled(torch.rand(1, 3, 128, 128), one, 1.25)
    assert inputs.shape == (1, 3, 160, 160)
    loss = torch.stack(list(network.eval().losses(inputs, targets).values())).sum()
    loss.backward()
    assert torch.isfinite(loss)
    assert all(torch.isfinite(each.grad).all() for each in network.parameters() if each.grad is not None)


def test_a_network_of_one_size_is_refused() -> None:
    network, task = network_of("ssd", "ssd300_vgg16", None)
    with pytest.raises(UsageError, match=r"multi_scale: 'ssd300_vgg16' does not learn at .* px, only at 300 x 300"):
        sizes.check_multi_scale(network, task, "ssd300_vgg16")


@pytest.mark.parametrize("side", [320, 600])
def test_an_input_of_another_size_is_refused_when_it_is_built(side: int) -> None:
    with pytest.raises(UsageError, match=r"model\.input\.size") as caught:
        network_of("ssd", "ssd300_vgg16", side)
    assert ("300 x 300" in caught.value.hint) == (side == 320)  # type: ignore[operator]


def test_it_is_refused_before_a_run_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL import Image

    (tmp_path / "photos").mkdir()
    for number in range(4):
        Image.fromarray(np.full((40, 40, 3), 60 * number, np.uint8)).save(tmp_path / "photos" / f"{number}.png")
    lines = "".join(f"{number}.png,5,5,20,20,square\n" for number in range(4))
    (tmp_path / "labels.csv").write_text("path,x,y,w,h,class\n" + lines)
    (tmp_path / "vision.yaml").write_text(
        "version: 1\nname: one\ntask: detect\ndata:\n  sources:\n    one: {path: labels.csv, images: photos}\n"
        f"model: {{family: ssd, backbone: {SMALL}, weights: none, input: {{size: 64}}}}\ntrain: {{multi_scale: true}}\n"
    )
    project = load(tmp_path / "vision.yaml")
    data = load_view(project, remember=False)
    asked: list[str] = []
    monkeypatch.setattr(
        "vision_cli.stages.training.place_fitting.check_multi_scale", lambda *given: asked.append(given[2])
    )
    fitting.build(project, data, Silent(), offline=True)
    assert asked == [SMALL]
