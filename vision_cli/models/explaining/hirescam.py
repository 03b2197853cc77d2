"""HiResCAM: R. Draelos and L. Carin, Use HiResCAM instead of Grad-CAM for faithful explanations, arXiv 2011.08891.

Gradients are not averaged over places. For the box of one anchor that matters: its gradient lies around it, and a mean
over the photo would mark every object of its class (C. Zhao and A. Chan, ODAM, ICLR 2023, arXiv 2304.06354).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from vision_cli.models.explaining import gradients
from vision_cli.models.explaining.question import Question, Tell


def heat(question: Question, tell: Tell | None = None) -> NDArray[np.float32]:
    """Return the map float32 (h, w), 0 or more; see `models.explaining`.

    Raises:
        UsageError: the layer has no part in the score.
    """
    return gradients.heat(question, _by_place)


def _by_place(maps: Tensor, slopes: Tensor) -> Tensor:
    return (slopes * maps).sum(dim=1)
