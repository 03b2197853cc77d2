"""What is asked of a network: one score for one photo, and the layer whose map shall answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from vision_cli.models.explaining.spots import Spot

Tell = Callable[[int, int], None]
"""Hears how many of how many passes are done."""


class Score(Protocol):
    """A number a photo that can be asked again about a changed photo."""

    def __call__(self, batch: Tensor) -> Tensor:
        """Map float32 (N, channels, height, width) to scores (N,), with gradients if torch records them."""


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to explain.

    Attributes:
        photo: float32 (1, channels, height, width), as the network sees it.
        spot: the layer.
        score: what is explained.
        channels: Score-CAM tries so many of the layer's channels, those that vary most; None tries all.
    """

    photo: Tensor
    spot: Spot
    score: Score
    channels: int | None = None
