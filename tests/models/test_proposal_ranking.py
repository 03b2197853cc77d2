"""Proposals are ranked alike whatever the last bit of a score is."""

from __future__ import annotations

import pytest
import torch

from vision_cli.models.places import ranking


def test_the_order_is_that_of_the_logits_where_they_differ() -> None:
    logits = torch.linspace(-12, 12, 700)[torch.randperm(700, generator=torch.Generator().manual_seed(1))]
    places, ranks = ranking.best_first(logits, 300)
    assert places.tolist() == logits.sort(descending=True).indices[:300].tolist()
    assert (ranks.diff() < 0).all()
    assert (ranks >= 0).all()
    assert (ranks == ranks.round()).all()


@pytest.mark.parametrize("noise", [1e-7, 1e-6])
def test_equal_logits_keep_the_order_of_the_anchors_under_noise(noise: float) -> None:
    logits = torch.tensor([3.2, -1.0, 3.2, 0.7, 3.2, 9.5, 3.2])
    expected = [5, 0, 2, 4, 6, 3, 1]
    for seed in range(20):
        shaken = logits + noise * torch.randn(7, generator=torch.Generator().manual_seed(seed))
        assert ranking.best_first(shaken, 10)[0].tolist() == expected


def test_ranks_of_levels_of_any_length_compare() -> None:
    _, long = ranking.best_first(torch.tensor([2.0, 1.0, 0.0, -3.0]), 1000)
    _, short = ranking.best_first(torch.tensor([1.5]), 1000)
    assert long[0] > short[0] > long[1]


@pytest.mark.parametrize("extreme", [-500.0, 500.0])
def test_extreme_logits_stay_exact(extreme: float) -> None:
    _, ranks = ranking.best_first(torch.full((1000,), extreme), 1000)
    assert len(set(ranks.tolist())) == 1000
    assert ranks.max() < 2**24


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_ranks_by_anchor_among_equals(dtype: torch.dtype) -> None:
    logits = torch.zeros(5000, dtype=dtype)
    logits[4321] = 2.0
    places, ranks = ranking.best_first(logits, 5000)
    assert places.tolist() == [4321, *(place for place in range(5000) if place != 4321)]
    assert len(set(ranks.tolist())) == 5000
