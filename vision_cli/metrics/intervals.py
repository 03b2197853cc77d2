"""Intervals of figures, at any confidence.

Shares between 0 and 1 get Wilson's score interval (Wilson 1927, JASA 22:209), because a percentile bootstrap of a
perfect score is [1, 1], which no finite number of photos can show. Figures that are no plain proportion bring the
number of photos that would give a proportion their standard error: the effective sample size of survey statistics
(Korn & Graubard 1998, Survey Methodology 24:193). Figures without such bounds get the BCa bootstrap (Efron 1987,
JASA 82:171), percentiles the distribution-free interval of order statistics.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any

import numpy as np

from vision_cli.core.kpi import Interval
from vision_cli.core.measurement import Spread

Floats = np.ndarray[Any, np.dtype[np.float64]]
_NORMAL = NormalDist()


def wilson(share: float, n: float, confidence: float) -> Interval:
    """Return Wilson's score interval of a share of n independent trials; n need not be whole."""
    z = _NORMAL.inv_cdf((1 + confidence) / 2)
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + (z / (2 * n)) ** 2)
    low, high = max(0.0, middle - half), min(1.0, middle + half)
    return Interval(min(low, share), max(high, share), confidence, "share")


def student(confidence: float, freedom: int) -> float:
    """Return by how many standard errors a two-sided interval of Student's t reaches.

    Args:
        confidence: 0.95 leaves 2.5 % on each side.
        freedom: degrees of freedom, at least 1. The distribution is a finite sum (Abramowitz & Stegun, 26.7.3, 26.7.4).
    """
    low, high = 0.0, 1.0
    while _held_by_student(high, freedom) < confidence:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _held_by_student(middle, freedom) < confidence else (low, middle)
    return high


def _held_by_student(t: float, freedom: int) -> float:
    """Return the probability that Student's t lies between -t and t."""
    angle = math.atan(t / math.sqrt(freedom))
    sine, cosine = math.sin(angle), math.cos(angle)
    is_odd = freedom % 2
    term, total = (cosine, 0.0) if is_odd else (1.0, 0.0)
    for k in range(is_odd, freedom - 1, 2):
        total += term
        term *= cosine * cosine * (k + 1) / (k + 2)
    return 2 / math.pi * (angle + sine * total) if is_odd else sine * total


def effective_size(share: float, standard_error: float, n: float) -> float:
    """Return the number of trials whose proportion has this standard error.

    Args:
        share: the figure.
        standard_error: of the figure; 0 where the sample shows no variation.
        n: what to assume then: the number of photos that the figure stands on.
    """
    variance = share * (1 - share)
    if not math.isfinite(standard_error) or standard_error <= 0 or variance <= 0:
        return n
    return variance / standard_error**2


@dataclass(frozen=True, slots=True)
class Share:
    """A proportion, or a figure between 0 and 1 that varies like one.

    Attributes:
        value: the figure.
        n: its trials, effective ones where it is no plain proportion.
        lift: by how much chance may have raised the figure; the lower end is that of a figure without it.
    """

    value: float
    n: float
    lift: float = 0.0

    def at(self, confidence: float) -> Interval | None:
        """Return Wilson's interval."""
        if not self.n > 0:
            return None
        interval = wilson(self.value, self.n, confidence)
        if self.lift <= 0:
            return interval
        return replace(interval, low=wilson(max(0.0, self.value - self.lift), self.n, confidence).low)


@dataclass(frozen=True, slots=True)
class FScore:
    """The F1 of one class.

    F1 = 2 J / (1 + J), where J = TP / (TP + FP + FN) is a plain proportion of the photos that have the class or got
    it: F1 rises with J (Hand, Christen & Kirielle 2021, Machine Learning 110:451), so J's interval carries over.

    Attributes:
        hits: TP.
        n: TP + FP + FN.
    """

    hits: float
    n: float

    def at(self, confidence: float) -> Interval | None:
        """Return the image of Wilson's interval."""
        if self.n <= 0:
            return None
        interval = wilson(self.hits / self.n, self.n, confidence)
        low, high = (2 * end / (1 + end) for end in (interval.low, interval.high))
        return Interval(low, high, confidence, "share")


@dataclass(frozen=True, slots=True)
class Macro:
    """A mean of per-class shares.

    The bootstrap behind `whole` knows how classes vary together, but not that a class of five photos without an
    error may have some. The classes' own intervals, put together as for independent parts (MOVER: Zou & Donner 2008,
    Statistics in Medicine 27:1693), know that. Each end is the wider of the two.

    Attributes:
        whole: the mean, with an effective sample size.
        parts: the classes' values and spreads.
    """

    whole: Share
    parts: tuple[tuple[float, Spread], ...]

    def at(self, confidence: float) -> Interval | None:
        """Return the wider end of both on each side."""
        interval = self.whole.at(confidence)
        ends = [(value, spread.at(confidence)) for value, spread in self.parts]
        known = [(value, end) for value, end in ends if end is not None]
        if interval is None or not known:
            return interval
        below = math.sqrt(sum((value - end.low) ** 2 for value, end in known)) / len(known)
        above = math.sqrt(sum((end.high - value) ** 2 for value, end in known)) / len(known)
        low, high = max(0.0, self.whole.value - below), min(1.0, self.whole.value + above)
        return Interval(min(low, interval.low), max(high, interval.high), confidence, "share")


@dataclass(frozen=True, slots=True)
class Resampled:
    """A figure with bootstrap resamples: bias-corrected and accelerated percentiles (BCa).

    Attributes:
        value: the figure.
        samples: float64 (R,), sorted.
        bias: z0: the normal quantile of the share of resamples below the value.
        acceleration: a: a sixth of the skewness of the jackknife's influence values.
    """

    value: float
    samples: Floats
    bias: float
    acceleration: float

    def at(self, confidence: float) -> Interval | None:
        """Return the BCa interval; None where the resamples do not differ."""
        if not self.samples.size or self.samples[0] == self.samples[-1]:
            return None
        low, high = (
            float(np.quantile(self.samples, self._level(end))) for end in ((1 - confidence) / 2, (1 + confidence) / 2)
        )
        return Interval(min(low, self.value), max(high, self.value), confidence)

    def _level(self, level: float) -> float:
        shifted = self.bias + _NORMAL.inv_cdf(level)
        return _NORMAL.cdf(self.bias + shifted / max(1e-9, 1 - self.acceleration * shifted))


@dataclass(frozen=True, slots=True)
class Repeated:
    """The mean of repetitions, such as the folds of a cross-validation: Student's interval.

    Attributes:
        values: of the repetitions.
        least: value that can be.
        most: value that can be.
    """

    values: tuple[float, ...]
    least: float = -math.inf
    most: float = math.inf

    def at(self, confidence: float) -> Interval | None:
        """Return the interval; None where there are fewer than two repetitions, or they do not differ."""
        number = len(self.values)
        if number < 2 or min(self.values) == max(self.values):
            return None
        mean = sum(self.values) / number
        error = math.sqrt(sum((value - mean) ** 2 for value in self.values) / (number - 1) / number)
        reach = student(confidence, number - 1) * error
        return Interval(max(self.least, mean - reach), min(self.most, mean + reach), confidence)


@dataclass(frozen=True, slots=True)
class Percentile:
    """A percentile of independent measurements: the order statistics that hold it, whatever the distribution.

    Attributes:
        ordered: float64 (N,), sorted.
        level: 0.5 is the median.
    """

    ordered: Floats
    level: float

    def at(self, confidence: float) -> Interval | None:
        """Return the interval; None where too few measurements lie on either side to give it.

        The number of measurements below the percentile is binomial; its tails are summed exactly.
        """
        cumulative = np.cumsum(binomial(len(self.ordered), self.level))
        tail = (1 - confidence) / 2
        low = int(np.searchsorted(cumulative, tail, side="right")) - 1
        high = int(np.searchsorted(cumulative, 1 - tail, side="left"))
        if low < 0 or high >= len(self.ordered):
            return None
        first, last = float(self.ordered[low]), float(self.ordered[high])
        return Interval(first, last, confidence) if first < last else None


def binomial(n: int, share: float) -> Floats:
    """Return the probabilities of 0 … n successes."""
    k = np.arange(n + 1)
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1)))])
    return np.asarray(np.exp(logs[n] - logs[k] - logs[n - k] + k * math.log(share) + (n - k) * math.log1p(-share)))
