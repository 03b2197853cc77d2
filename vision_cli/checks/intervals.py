"""95 % intervals of what a check estimates."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ids = NDArray[np.int64]

_Z = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Range:
    """A figure with its 95 % interval.

    Attributes:
        value: the estimate.
        low: lower end.
        high: upper end; infinite where nothing bounds it.
    """

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3g} [{self.low:.3g}, {self.high:.3g}]"

    def percent(self) -> str:
        """Return a share in per cent."""
        return f"{self.value:.1%} [{self.low:.1%}, {self.high:.1%}]"


def share_range(share: float, standard_error: float, n: float) -> Range:
    """Return Wilson's interval (1927, JASA 22:209) of a share with a standard error of its own.

    The standard error gives the effective number of trials (Korn & Graubard 1998, Survey Methodology 24:193), at most
    n; so that a share of 0 has an interval, too.
    """
    variance = share * (1 - share)
    known = standard_error > 0 and variance > 0
    size = max(1.0, min(n, variance / standard_error**2) if known else n)
    middle = (share + _Z * _Z / (2 * size)) / (1 + _Z * _Z / size)
    half = _Z / (1 + _Z * _Z / size) * math.sqrt(variance / size + (_Z / (2 * size)) ** 2)
    return Range(share, max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half)))


def percentiles(value: float, samples: Floats) -> Range:
    """Return an estimate with the middle 95 % of its resamples, float64 (R,); infinite ones count as such."""
    low, high = np.quantile(samples, [0.025, 0.975], method="inverted_cdf")
    return Range(value, float(min(low, value)), float(max(high, value)))


def compact(groups: Ids) -> Ids:
    """Return group numbers int64 (N,) as 0 .. G-1."""
    return np.asarray(np.unique(groups, return_inverse=True)[1], dtype=np.int64)
