"""Schedules against torch's, and who learns how fast."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from tiny_training import Stripes

from vision_cli.core.config import TrainConfig
from vision_cli.training.average import Average
from vision_cli.training.freezing import SMALL_SET, Freezing, groups, plan
from vision_cli.training.schedule import Plateau, Schedule


def factors(scheduler: Any, optimizer: torch.optim.Optimizer, steps: int) -> list[float]:
    found = []
    for _ in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return found


def sgd() -> torch.optim.Optimizer:
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)


def test_one_cycle_is_torchs() -> None:
    optimizer = sgd()
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1.0, total_steps=40)
    assert [Schedule("one-cycle", 40).factor(step) for step in range(39)] == pytest.approx(
        factors(scheduler, optimizer, 39)
    )


def test_cosine_is_torchs() -> None:
    optimizer = sgd()
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=30)
    expected = factors(scheduler, optimizer, 30)
    assert [Schedule("cosine", 30).factor(step) for step in range(30)] == pytest.approx(expected, abs=1e-9)
    warm = Schedule("cosine", 34, warmup_steps=4)
    assert [warm.factor(step + 4) for step in range(30)] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("name", ["cosine", "plateau", "constant"])
def test_warm_up_is_linear(name: str) -> None:
    found = [Schedule(name, 100, warmup_steps=4).factor(step) for step in range(5)]
    assert found == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])


def test_plateau_is_torchs() -> None:
    losses = [1.0, 0.8, 0.9, 0.85, 0.81, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7]
    optimizer, plateau, found, expected = sgd(), Plateau(2), [], []
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.3, patience=2, threshold=0)
    for loss in losses:
        plateau.see(loss)
        scheduler.step(loss)
        found.append(plateau.factor)
        expected.append(optimizer.param_groups[0]["lr"])
    assert found == pytest.approx(expected)
    assert found[-1] < 0.1


def test_each_stage_learns_slower_than_the_one_above_and_norms_do_not_decay() -> None:
    network: Any = Stripes()
    found = groups(network, TrainConfig(layer_decay=0.5, head_first=False), 0.01, 0.1)
    by_id = {id(parameter): group for group in found for parameter in group["params"]}
    assert len(by_id) == sum(len(group["params"]) for group in found) == len(list(network.parameters()))
    for module, rate in ((network.backbone[0], 0.0025), (network.backbone[1], 0.005), (network.head, 0.01)):
        for name, parameter in module.named_parameters():
            group = by_id[id(parameter)]
            assert group["lr"] == pytest.approx(rate)
            assert group["weight_decay"] == (0.1 if parameter.ndim > 1 else 0.0), name


def test_a_fitted_head_learns_slowly_and_the_backbone_as_before() -> None:
    network: Any = Stripes()
    fitted, fresh = (groups(network, TrainConfig(head_first=first), 0.01, 0.1) for first in (True, False))
    head = {id(parameter) for parameter in network.head.parameters()}
    for one, other in zip(fitted, fresh, strict=True):
        of_head = {id(parameter) for parameter in one["params"]} <= head
        assert one["base_lr"] == one["lr"] == pytest.approx(other["lr"] * (0.05 if of_head else 1))


@pytest.mark.parametrize(
    ("freeze", "photos", "accelerated", "expected"),
    [
        ("auto", SMALL_SET, False, Freezing(backbone=True)),
        ("auto", SMALL_SET + 1, False, Freezing()),
        ("auto", 10, True, Freezing()),
        ("backbone", 10**6, True, Freezing(backbone=True)),
        ("none", 10, False, Freezing()),
        ("3 stages", 10, False, Freezing(stages=3)),
    ],
)
def test_what_freezes(freeze: str, photos: int, accelerated: bool, expected: Freezing) -> None:
    assert plan(TrainConfig(freeze=freeze, norms="learn"), photos=photos, accelerated=accelerated) == expected


def test_gradual_unfreezing_stops_at_the_stages_that_stay_frozen() -> None:
    found = plan(TrainConfig(freeze="2 stages", unfreeze_every=3), photos=10, accelerated=False)
    frozen = [min(found.frozen_at(epoch, 5), 99) for epoch in range(0, 18, 3)]
    assert frozen == [99, 4, 3, 2, 2, 2]


def test_the_average_follows_its_formula() -> None:
    """w' = d * w' + (1 - d) * w, with d = min(decay, (1 + t) / (10 + t))."""
    module = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.constant_(module.weight, 0.0)
    average, expected = Average(module, 0.3), 0.0
    for step, value in enumerate([1.0, 2.0, 4.0, 8.0, 16.0]):
        torch.nn.init.constant_(module.weight, value)
        average.update()
        decay = min(0.3, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * value
    assert float(average.weights["weight"]) == pytest.approx(expected)
    average.swap()
    assert float(module.weight.detach()) == pytest.approx(expected)
    average.swap()
    assert float(module.weight.detach()) == 16.0


@pytest.mark.parametrize(
    ("norms", "photos", "keeps"),
    [("auto", SMALL_SET, True), ("auto", SMALL_SET + 1, False), ("keep", 10**6, True), ("learn", 10, False)],
)
def test_whose_norm_statistics_stay(norms: str, photos: int, keeps: bool) -> None:
    options = TrainConfig.model_validate({"freeze": "none", "norms": norms})
    assert plan(options, photos=photos, accelerated=False).keep_norms is keeps
