"""The loss of places: what a batch of one photo does to norms that need two."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from vision_cli.core.errors import UsageError
from vision_cli.core.place_targets import PlaceTargets
from vision_cli.training.places.lesson import PlaceLesson


def lesson() -> PlaceLesson:
    return PlaceLesson(lambda: pytest.fail("nothing is judged"))


def targets(photos: int) -> PlaceTargets:
    nothing = torch.zeros(0, dtype=torch.int64)
    return PlaceTargets(photos, nothing, torch.zeros(0, 4), nothing, torch.zeros(0, dtype=torch.bool), None, None)


def test_norms_of_one_value_are_refused_with_a_way_out() -> None:
    norm = torch.nn.BatchNorm2d(3)
    pooled = SimpleNamespace(losses=lambda inputs, _: {"all": norm(inputs.mean((2, 3), keepdim=True)).square().mean()})
    rng = np.random.default_rng(0)
    assert float(lesson().loss(pooled, torch.rand(2, 3, 8, 8), targets(2), rng).detach()) > 0
    with pytest.raises(UsageError, match="batch_size"):
        lesson().loss(pooled, torch.rand(1, 3, 8, 8), targets(1), rng)


def test_other_mistakes_stay_what_they_are() -> None:
    def wrong(inputs: torch.Tensor, _: PlaceTargets) -> None:
        raise ValueError("something else")

    with pytest.raises(ValueError, match="something else"):
        lesson().loss(SimpleNamespace(losses=wrong), torch.rand(1, 3, 8, 8), targets(1), np.random.default_rng(0))
