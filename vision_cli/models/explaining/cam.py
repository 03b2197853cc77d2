"""CAM: B. Zhou et al., Learning Deep Features for Discriminative Localization, CVPR 2016, arXiv 1512.04150.

Where the embedding is the mean of a map and the score is linear in the embedding, the score is a mean over places: what
each place gives is exact, no gradient is needed. The family `features` scales the embedding to length 1 first, by one
number for the whole photo, and stays linear in that sense.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from vision_cli.core.errors import UsageError
from vision_cli.models.explaining.question import Question, Tell
from vision_cli.models.explaining.spots import as_maps, watched

_CLOSE = 1e-4
"""Of the embedding's largest value: how near the mean of the map must come to it."""


def heat(question: Question, tell: Tell | None = None) -> NDArray[np.float32]:
    """Return the map float32 (h, w), 0 or more; see `models.explaining`.

    Raises:
        UsageError: the score is not linear in the layer's mean map.
    """
    found = shares(question)
    if found is None:
        raise UsageError(
            f"--method cam: the answer is not a linear map of the mean of '{question.spot.name}'.",
            hint="Take --method gradcam.",
        )
    return np.asarray(functional.relu(found).cpu().numpy(), np.float32)


def fits(question: Question) -> bool:
    """Return whether the score is linear in the layer's mean map."""
    return shares(question) is not None


def shares(question: Question) -> Tensor | None:
    """Return what each place gives to the score (h, w): their mean is the score without its bias; None if not exact."""
    score: Any = question.score
    if not hasattr(score, "direction"):
        return None
    with torch.no_grad(), watched(question.spot.module, leaves=False) as seen:
        embedding = score.embedding(question.photo)
        weights = score.direction(embedding)
    maps = as_maps(seen[-1], (int(question.photo.shape[2]), int(question.photo.shape[3]))) if seen else None
    if weights is None or maps is None or maps.shape[1] != embedding.shape[1]:
        return None
    if (maps.mean(dim=(2, 3)) - embedding).abs().max() > _CLOSE * embedding.abs().max():
        return None
    return torch.einsum("k,khw->hw", weights, maps[0])
