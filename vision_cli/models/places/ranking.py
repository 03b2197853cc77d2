"""An order of proposals in which no two of a level are equal, so that every runtime drops the same ones.

Constant parts of a photo, such as the margin of a letterbox, give many anchors one and the same score; which of them
suppression keeps then hangs on the last bit of a sum, and that bit differs between runtimes.
"""

from __future__ import annotations

import torch
from torch import Tensor

_STEPS_A_LOGIT = 256
"""Scores of one step are equal, and the earlier anchor goes first."""
_EXACT = 2**24
"""Whole numbers up to here are exact in float32."""


def best_first(objectness: Tensor, most: int) -> tuple[Tensor, Tensor]:
    """Return the places of the highest logits, best first, and their ranks: whole numbers from 0 on, none twice.

    Ranks of several levels compare if `most` is the same.

    Args:
        objectness: float (n,), logits.
        most: of them to return.
    """
    objectness = objectness.float()  # places and ranks are no exact numbers in half precision
    best = objectness.topk(min(most, objectness.shape[0])).indices
    # In the order of the anchors, by the indices of `topk`: LiteRT's converter knows no other sorting.
    best = best[(-best.to(objectness.dtype)).topk(best.shape[0]).indices]
    limit = _EXACT // most // 2 - 1
    steps = (objectness[best] * _STEPS_A_LOGIT).round().clamp(-limit, limit) + limit
    ranks = steps * most + torch.arange(most - 1, most - 1 - best.shape[0], -1, device=best.device, dtype=steps.dtype)
    ordered = ranks.topk(best.shape[0])
    return best[ordered.indices], ordered.values
