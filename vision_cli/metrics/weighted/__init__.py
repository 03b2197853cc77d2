"""Figures as functions of how much each photo counts: what two models share when photos are drawn again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from vision_cli.metrics.intervals import Floats

Figures = Callable[[Floats], Floats]
"""Maps weights of photos, float64 (R, N), to figures, float64 (R, V); NaN where a figure is not defined."""


@dataclass(frozen=True, slots=True)
class Part:
    """Figures that are computed together.

    Attributes:
        keys: of the V figures, as `Measurement.values` has them.
        figures: of weights.
    """

    keys: tuple[str, ...]
    figures: Figures
