"""Standard errors from resampled figures, and the intervals that follow from them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from vision_cli.core.detections import Floats
from vision_cli.metrics.detection.ranked import Weights
from vision_cli.metrics.intervals import Share, effective_size

_MOST_AN_OBJECT = 3
"""Cap of the effective size, in objects: near a perfect figure a sample shows too little of its own variation."""


@dataclass(slots=True)
class Moments:
    """Deviations of resampled figures from the observed ones, added up as they come.

    Attributes:
        observed: the figures, (C,) by name; NaN where not defined.
        drawn: number of resamples.
        sums: number, sum and sum of squares of the deviations, float64 (3, C) by name.
    """

    observed: dict[str, Floats]
    drawn: int = 0
    sums: dict[str, Floats] = field(default_factory=dict)

    def add(self, figures: dict[str, Weights]) -> None:
        """Add figures of r resamples, (C, r) by name."""
        self.drawn += next(iter(figures.values())).shape[1]
        for name, samples in figures.items():
            off = samples - self.observed[name][:, None]
            known = np.isfinite(off)
            off = np.where(known, off, 0).astype(np.float64)
            parts = np.stack([known.sum(axis=1), off.sum(axis=1), (off**2).sum(axis=1)])
            self.sums[name] = self.sums.get(name, 0) + parts

    def standard_errors(self, name: str) -> Floats:
        """Return float64 (C,); NaN where a figure is not defined on most resamples."""
        number, total, squares = self.sums[name]
        variance = (squares - total**2 / np.maximum(number, 1)) / np.maximum(number - 1, 1)
        return np.asarray(np.where(2 * number > self.drawn, np.sqrt(variance.clip(0)), np.nan))


def share(value: float, error: float, support: tuple[int, int], lift: float = 0.0) -> Share:
    """Return the spread of a figure between 0 and 1.

    Args:
        value: the figure.
        error: its standard error.
        support: photos that it stands on, each one trial where the resamples do not vary, and objects in them.
        lift: by how much chance may have raised it.
    """
    photos, objects = support
    return Share(value, min(effective_size(value, error, photos), _MOST_AN_OBJECT * objects), lift)
