"""The loss of a class for each pixel, and upsampling that learns, against slow references."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from vision_cli.core.place_targets import IGNORED
from vision_cli.models.semantic import pixel_loss
from vision_cli.models.semantic.upsampling import Bilinear, Learned


def total(losses: dict[str, torch.Tensor]) -> torch.Tensor:
    return torch.stack(list(losses.values())).sum()


def test_pixels_without_a_label_have_no_gradient() -> None:
    torch.manual_seed(0)
    logits = torch.randn(2, 3, 8, 8, requires_grad=True)
    pixels = torch.randint(0, 3, (2, 8, 8))
    pixels[0, :4] = IGNORED
    total(pixel_loss.losses(logits, pixels)).backward()
    gradient: Any = logits.grad
    assert float(gradient[0, :, :4].abs().max()) == 0
    assert (gradient[0, :, 4:].abs().sum(dim=0) > 0).all()
    assert (gradient[1].abs().sum(dim=0) > 0).all()


def test_the_pixel_loss_is_its_formula() -> None:
    torch.manual_seed(0)
    logits = torch.randn(2, 4, 5, 6)
    pixels = torch.randint(-1, 3, (2, 5, 6))
    found = pixel_loss.losses(logits, pixels)
    chances = logits.softmax(dim=1)
    entropy, count = 0.0, 0
    sums = {k: [0.0, 0.0, 0.0] for k in range(4)}
    for photo, y, x in np.ndindex(2, 5, 6):
        label = int(pixels[photo, y, x])
        if label < 0:
            continue
        count += 1
        entropy -= float(chances[photo, label, y, x].log())
        for k in range(4):
            chance = float(chances[photo, k, y, x])
            sums[k][0] += chance * (k == label)
            sums[k][1] += chance
            sums[k][2] += k == label
    shares = [1 - (2 * both + 1) / (ours + there + 1) for both, ours, there in sums.values() if there]
    assert len(shares) == 3
    assert float(found["pixel"]) == pytest.approx(entropy / count, rel=1e-5)
    assert float(found["dice"]) == pytest.approx(sum(shares) / 3, rel=1e-5)


@pytest.mark.parametrize("size", [(40, 56), (33, 20), (10, 14)])
def test_logits_grow_as_torch_interpolates(size: tuple[int, int]) -> None:
    """Inside of a training at bf16, too: neither the weights nor the logits may be rounded."""
    torch.manual_seed(0)
    logits = torch.randn(2, 5, 10, 14, requires_grad=True)
    expected = functional.interpolate(logits, size, mode="bilinear", align_corners=False)
    with torch.autocast("cpu", torch.bfloat16):
        found = pixel_loss.at_size(logits, torch.zeros(2, *size, dtype=torch.int64))
    torch.testing.assert_close(found, expected, rtol=0, atol=2e-6)
    pull = torch.randn_like(expected)
    (wanted,) = torch.autograd.grad(expected, logits, pull)
    (gradient,) = torch.autograd.grad(found, logits, pull)
    torch.testing.assert_close(gradient, wanted, rtol=0, atol=2e-5)


def test_a_perfect_answer_costs_nothing() -> None:
    pixels = torch.randint(0, 3, (1, 6, 6))
    logits = 50 * functional.one_hot(pixels, 3).permute(0, 3, 1, 2).float()
    assert float(total(pixel_loss.losses(logits, pixels))) < 1e-5


@pytest.mark.parametrize("factor", [2, 4, 8])
def test_learned_upsampling_begins_as_bilinear(factor: int) -> None:
    torch.manual_seed(0)
    scores = torch.randn(2, 3, 5, 7)
    expected = functional.interpolate(scores, scale_factor=factor, mode="bilinear", align_corners=False)
    torch.testing.assert_close(Learned(3, factor)(scores), expected, rtol=0, atol=1e-5)
    assert torch.equal(Bilinear(factor)(scores), expected)
