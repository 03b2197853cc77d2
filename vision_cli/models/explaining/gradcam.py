"""Grad-CAM: R. Selvaraju et al., Grad-CAM: Visual Explanations from Deep Networks, ICCV 2017, arXiv 1610.02391.

Each channel of a layer counts by the mean of the score's gradient over its places (equation 1); what is left above 0 of
their weighted sum is the map (equation 2). Written here and not taken from a library: the ones that are kept bring
matplotlib and a second OpenCV for these lines; tests hold it to closed forms and to finite differences.
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
    return gradients.heat(question, _weighted)


def _weighted(maps: Tensor, slopes: Tensor) -> Tensor:
    return (slopes.mean(dim=(2, 3), keepdim=True) * maps).sum(dim=1)
