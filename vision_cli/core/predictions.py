"""What a model said, whatever ran it. Metrics compare it with a Dataset and know no model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from vision_cli.core.errors import DataError

Scores = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, slots=True)
class Predictions:
    """Predictions for photos in a fixed order.

    Attributes:
        scores: float64 (N, C): probabilities of `classify` (rows add up to 1) or `multilabel` (each 0..1);
            float64 (N, 1): the values of `regress`, in the labels' unit.
        raw: float64 (N, C): the network's outputs before decoding.
    """

    scores: Scores
    raw: Scores

    def __post_init__(self) -> None:
        if self.scores.ndim != 2 or self.scores.shape != self.raw.shape:
            raise DataError(f"predictions: expected two (N, C) arrays, got {self.scores.shape} and {self.raw.shape}.")

    def __len__(self) -> int:
        return int(self.scores.shape[0])
