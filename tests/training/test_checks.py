"""What a training refuses before its first photo."""

from __future__ import annotations

from typing import Literal

import pytest
import torch
from tiny_training import Stripes

from vision_cli.core.config import TrainConfig
from vision_cli.core.errors import UsageError
from vision_cli.training.checks import accelerator, check_precision, freezing_plan


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Let torch say which accelerators are there."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: "cuda" in request.param)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: "mps" in request.param)


@pytest.mark.parametrize(
    ("gpu", "wanted", "found"),
    [
        ("", "auto", "cpu"),
        ("cuda", "auto", "cuda"),
        ("mps", "auto", "mps"),
        ("cuda", "cpu", "cpu"),
        ("mps", "mps", "mps"),
    ],
    indirect=["gpu"],
)
@pytest.mark.usefixtures("gpu")
def test_auto_takes_the_accelerator_that_is_there(wanted: str, found: str) -> None:
    assert accelerator(wanted) == found


@pytest.mark.parametrize(("gpu", "wanted"), [("", "cuda"), ("", "mps"), ("mps", "cuda")], indirect=["gpu"])
@pytest.mark.usefixtures("gpu")
def test_a_device_that_is_not_there_is_refused(wanted: str) -> None:
    with pytest.raises(UsageError, match=f"train.device: there is no {wanted} device here"):
        accelerator(wanted)


@pytest.mark.parametrize(
    ("gpu", "device", "refused"),
    [("", "auto", True), ("cuda", "cpu", True), ("cuda", "auto", False), ("mps", "mps", False)],
    indirect=["gpu"],
)
@pytest.mark.usefixtures("gpu")
def test_half_precision_needs_a_gpu(device: Literal["auto", "cpu", "cuda", "mps"], refused: bool) -> None:
    for precision in ("32", "bf16"):
        check_precision(TrainConfig(device=device, precision=precision))
    half = TrainConfig(device=device, precision="16")
    if not refused:
        check_precision(half)
        return
    with pytest.raises(UsageError, match="16 needs a GPU"):
        check_precision(half)
    with pytest.raises(UsageError, match="bf16 needs a GPU in a family that trains by its own recipe"):
        check_precision(TrainConfig(device=device, precision="bf16"), own_process=True)
    check_precision(TrainConfig(device=device, precision="32"), own_process=True)


def test_no_more_stages_are_frozen_than_there_are() -> None:
    network = Stripes()
    there = len(network.stages)
    assert freezing_plan(TrainConfig(freeze=f"{there} stages"), network, photos=10).stages == there
    with pytest.raises(UsageError, match=f"train.freeze: {there + 1} stages, but the backbone has {there}") as caught:
        freezing_plan(TrainConfig(freeze=f"{there + 1} stages"), network, photos=10)
    assert caught.value.hint == f"Use 0 to {there} stages, or backbone."


@pytest.mark.parametrize(("gpu", "frozen"), [("", True), ("cuda", False)], indirect=["gpu"])
@pytest.mark.usefixtures("gpu")
def test_auto_freezes_a_small_set_only_without_an_accelerator(frozen: bool) -> None:
    assert freezing_plan(TrainConfig(), Stripes(), photos=10).backbone is frozen
