"""Score-CAM: H. Wang et al., Score-CAM: Score-Weighted Visual Explanations, CVPR Workshops 2020, arXiv 1910.01279.

Each channel, enlarged to the photo and brought to 0..1, is laid over the photo as a mask. What the score gains over
that of an empty photo (definition 2), through a softmax over channels, is how much the channel counts (algorithm 1).
No gradients, a pass a channel.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from vision_cli.core.errors import UsageError
from vision_cli.models.explaining.question import Question, Tell
from vision_cli.models.explaining.spots import as_maps, watched

_PIXELS_AT_ONCE = 1_600_000
"""Of masked photos in one pass: 32 of 224 x 224 pixels."""
_LEAST_SPREAD = 1e-12


def heat(question: Question, tell: Tell | None = None) -> NDArray[np.float32]:
    """Return the map float32 (h, w), 0 or more; see `models.explaining`.

    Raises:
        UsageError: the layer gave no map.
    """
    with torch.no_grad():
        maps = _maps(question)
        chosen = _chosen(maps, question.channels)
        empty = question.score(torch.zeros_like(question.photo))
        gains = torch.cat(_gains(question, maps[chosen], empty, tell)) if len(chosen) else maps.new_zeros(0)
        weights = torch.softmax(gains, dim=0)
        found = functional.relu((weights[:, None, None] * maps[chosen]).sum(dim=0))
    return np.asarray(found.cpu().numpy(), np.float32)


def _maps(question: Question) -> Tensor:
    """Return the layer's maps (K, h, w), of its last call."""
    with watched(question.spot.module, leaves=False) as seen:
        question.score(question.photo)
    input_px = (int(question.photo.shape[2]), int(question.photo.shape[3]))
    found = [maps for maps in (as_maps(each, input_px) for each in seen) if maps is not None]
    if not found:
        raise UsageError(
            f"--layer: '{question.spot.name}' has no part in this answer.", hint="--layers lists the others."
        )
    return found[-1][0].clone()


def _chosen(maps: Tensor, most: int | None) -> Tensor:
    """Return the channels that are tried, in their order: those that differ between places, the most varied ones."""
    spread = maps.flatten(1).std(dim=1)
    there = torch.nonzero(spread > _LEAST_SPREAD)[:, 0]
    if most is None or most >= len(there):
        return there
    order = torch.argsort(spread[there], descending=True, stable=True)[:most]
    return there[order].sort().values


def _gains(question: Question, maps: Tensor, empty: Tensor, tell: Tell | None) -> list[Tensor]:
    photo = question.photo
    size = (int(photo.shape[2]), int(photo.shape[3]))
    at_once = max(1, _PIXELS_AT_ONCE // (size[0] * size[1]))
    found = []
    for start in range(0, len(maps), at_once):
        masks = functional.interpolate(
            maps[start : start + at_once, None], size=size, mode="bilinear", align_corners=False
        )
        low, high = masks.amin(dim=(2, 3), keepdim=True), masks.amax(dim=(2, 3), keepdim=True)
        masks = (masks - low) / (high - low).clamp(min=_LEAST_SPREAD)
        masked = (photo * masks).contiguous(memory_format=torch.channels_last)
        found.append(question.score(masked) - empty)
        if tell is not None:
            tell(min(start + at_once, len(maps)), len(maps))
    return found
