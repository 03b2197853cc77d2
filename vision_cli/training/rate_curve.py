"""What the loss over a growing learning rate says: Smith 2015, "Cyclical learning rates" (arXiv 1506.01186), 3.3.

How it is read follows Gugger 2018, "How do you find a good learning rate", and fastai's `lr_find`: the loss is smoothed
by an exponential average that is corrected for its start, the test ends where that is four times its least, and a good
rate is the one of steepest descent, or a tenth of the one with the least loss. fastai's average keeps 0.98 of the past,
so that over a hundred steps it lags by a power of ten; ours keeps 0.9.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

KEPT = 0.9
RUNAWAY = 4.0
_FIRST = 0.1
"""Share of the steps whose descent is not looked at: the average still swings there."""
_FEWEST = 10


@dataclass(frozen=True, slots=True)
class RateCurve:
    """A range test, read.

    Attributes:
        rates: learning rate of each step.
        losses: of each batch, before its step.
        smoothed: the same without the noise of batches.
        steepest: rate where the loss falls fastest; None where it never falls.
        least: rate of the least loss; None likewise.
        ran_away: the test ended because the loss did.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    smoothed: tuple[float, ...]
    steepest: float | None
    least: float | None
    ran_away: bool

    @property
    def suggestion(self) -> float | None:
        """Return a tenth of the rate with the least loss; None where the loss never falls."""
        return None if self.least is None else self.least / 10

    def as_json(self) -> dict[str, Any]:
        """Return all of it."""
        return {
            "suggestion": self.suggestion,
            "steepest": self.steepest,
            "least": self.least,
            "ran_away": self.ran_away,
            "rates": list(self.rates),
            "losses": list(self.losses),
            "smoothed": list(self.smoothed),
        }


def smoothed(losses: Sequence[float]) -> NDArray[np.float64]:
    """Return the exponential average of losses, float64 (N,), corrected for its start."""
    found, mean = np.empty(len(losses)), 0.0
    for step, loss in enumerate(losses):
        mean = KEPT * mean + (1 - KEPT) * loss
        found[step] = mean / (1 - KEPT ** (step + 1))
    return found


def runs_away(losses: Sequence[float]) -> bool:
    """Return whether the last loss says that the rate is far too high already."""
    if not losses or not np.isfinite(losses[-1]):
        return bool(losses)
    average = smoothed(losses)
    return len(losses) >= _FEWEST and bool(average[-1] > RUNAWAY * average.min() > 0)


def read(rates: Sequence[float], losses: Sequence[float], *, ran_away: bool) -> RateCurve:
    """Return what a test says.

    Args:
        rates: ascending, one a step.
        losses: finite, one a step.
        ran_away: the loss ended the test.
    """
    average = smoothed(losses)
    first = int(_FIRST * len(losses))
    steepest = least = None
    lowest = first + int(average[first:].argmin()) if len(losses) >= _FEWEST else first
    if lowest > first:
        slopes = np.gradient(average, np.log(np.asarray(rates)))[first : lowest + 1]
        least = float(rates[lowest])
        steepest = float(rates[first + int(slopes.argmin())])
    return RateCurve(
        tuple(map(float, rates)), tuple(map(float, losses)), tuple(average.tolist()), steepest, least, ran_away
    )
