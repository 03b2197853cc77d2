"""A layer's maps with the gradient of a score, put together."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from vision_cli.core.errors import UsageError
from vision_cli.models.explaining.question import Question
from vision_cli.models.explaining.spots import as_maps, watched

Join = Callable[[Tensor, Tensor], Tensor]
"""Maps and gradients (1, channels, h, w) to one map (1, h, w)."""


def of(question: Question) -> list[tuple[Tensor, Tensor]]:
    """Return maps and gradients (1, channels, h, w) of each call of the layer that the score depends on.

    Raises:
        UsageError: there is none.
    """
    with torch.enable_grad(), watched(question.spot.module, leaves=True) as seen:
        score = question.score(question.photo).sum()
        slopes = torch.autograd.grad(score, seen, allow_unused=True) if score.requires_grad and seen else ()
    input_px = (int(question.photo.shape[2]), int(question.photo.shape[3]))
    pairs = []
    for values, slope in zip(seen, slopes, strict=False):
        maps = as_maps(values.detach(), input_px)
        bent = None if slope is None else as_maps(slope, input_px)
        if maps is not None and bent is not None:
            pairs.append((maps, bent))
    if not pairs:
        raise UsageError(
            f"--layer: '{question.spot.name}' has no part in this answer.",
            hint="Take an earlier one: --layers lists them.",
        )
    return pairs


def heat(question: Question, join: Join) -> NDArray[np.float32]:
    """Return what is above 0 of the joint maps, float32 (h, w); several calls are added up, at the finest size."""
    found = [functional.relu(join(maps, slopes)) for maps, slopes in of(question)]
    size = max((tuple(each.shape[1:]) for each in found), key=lambda shape: shape[0] * shape[1])
    whole = sum(
        (functional.interpolate(each[None], size=size, mode="bilinear", align_corners=False)[0] for each in found),
        start=torch.zeros(1, *size),
    )
    return np.asarray(whole[0].detach().cpu().numpy(), np.float32)
