"""How many test photos prove a KPI: planned with the very intervals that judge it.

A KPI with a confidence passes when the whole interval meets the bound (`core.kpi.judge`). A plan says how many photos
make that happen with a given chance, if the model truly is as good as assumed: the power of the test (Cohen 1988,
Statistical power analysis). Shares are planned by exact binomial sums, averages over classes by drawing test sets.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from vision_cli.core.kpi import DEFAULT_CONFIDENCE
from vision_cli.metrics.intervals import binomial

POWER = 0.8
"""Chance that the photos prove the KPI; the usual one of planned studies."""
MOST_PHOTOS = 10_000_000
_GRID = 1.01
_FEWEST = 5
_IN_A_ROW = 8
"""Points of the grid that must hold after one: whole numbers of errors make the chance a saw-tooth."""
_SETS = 800
_SEED = 7
_NORMAL = NormalDist()

Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, slots=True)
class Goal:
    """What is to be proved.

    Attributes:
        bound: of the KPI.
        true: what the model truly reaches.
        confidence: of the interval.
        power: chance of proof.
    """

    bound: float
    true: float
    confidence: float = DEFAULT_CONFIDENCE
    power: float = POWER

    @property
    def z(self) -> float:
        """Return the normal quantile of the interval's ends."""
        return _NORMAL.inv_cdf((1 + self.confidence) / 2)


def trials_of_share(goal: Goal) -> int | None:
    """Return the independent trials that prove `share > bound`; None where no number does.

    Wilson's lower end lies above the bound exactly when hits > n bound + z sqrt(n bound (1 - bound)).
    """
    if not 0 < goal.bound < goal.true <= 1:
        return None
    return _first(_candidates(goal), lambda n: _chance_of_share(goal, n), goal.power)


def _candidates(goal: Goal) -> Iterator[int]:
    """Yield numbers of trials, each a hundredth more than the last, from well below what is needed."""
    gap = goal.true - goal.bound
    spread = math.sqrt(goal.bound * (1 - goal.bound))
    number = max(_FEWEST, int(0.3 * (goal.z * spread / gap) ** 2))
    while number <= MOST_PHOTOS:
        yield number
        number = max(number + 1, round(number * _GRID))


def _first(numbers: Iterator[int], chance: Callable[[int], float], power: float) -> int | None:
    first, held = None, 0
    for number in numbers:
        if chance(number) < power:
            first, held = None, 0
            continue
        first = number if first is None else first
        held += 1
        if held == _IN_A_ROW:
            return first
    return first


def _chance_of_share(goal: Goal, trials: int) -> float:
    """Return the chance that the hits of so many trials prove it."""
    least = math.floor(trials * goal.bound + goal.z * math.sqrt(trials * goal.bound * (1 - goal.bound))) + 1
    most_misses = trials - least
    if most_misses < 0:
        return 0.0
    if goal.true >= 1:
        return 1.0
    misses = np.arange(most_misses + 1, dtype=np.float64)
    steps = np.log((trials - misses[:-1]) / (misses[:-1] + 1)) + math.log((1 - goal.true) / goal.true)
    logs = trials * math.log(goal.true) + np.concatenate([[0.0], np.cumsum(steps)])
    return float(np.exp(logs).sum())


@dataclass(frozen=True, slots=True)
class Classes:
    """What an average over classes stands on.

    Attributes:
        shares: of the photos that have each class.
        trials: independent trials that such a photo gives: 1 where it is right or wrong.
        f_score: whether the figure is an F1.
        exclusive: one class a photo, so that what one class misses another gets wrongly.
    """

    shares: tuple[float, ...]
    trials: float = 1.0
    f_score: bool = False
    exclusive: bool = False


def photos_of_average(goal: Goal, classes: Classes) -> int | None:
    """Return the photos that prove `average over classes > bound`, with test sets drawn from a fixed seed.

    The interval is that of `metrics.intervals.Macro`: the wider of the average's own and of the classes' put together.
    """
    if not 0 < goal.bound < goal.true < 1:
        return None
    low, high = 4, 16
    while _chance_of_average(goal, classes, high) < goal.power:
        low, high = high, high * 2
        if high > MOST_PHOTOS:
            return None
    while high - low > max(1, high // 100):
        middle = (low + high) // 2
        low, high = (low, middle) if _chance_of_average(goal, classes, middle) >= goal.power else (middle, high)
    return high


def _chance_of_average(goal: Goal, classes: Classes, photos: int) -> float:
    """Return the share of test sets whose interval lies above the bound."""
    hits, trials = _drawn(goal, classes, photos)
    here = trials > 0  # a class without a photo is left out of the average
    share = np.where(here, hits / np.maximum(trials, 1), 0.0)
    low = np.where(here, lower(share, np.maximum(trials, 1), goal.z), 0.0)
    if classes.f_score:
        share, low = 2 * share / (1 + share), 2 * low / (1 + low)
    number = np.maximum(here.sum(axis=1), 1)
    value = share.sum(axis=1) / number
    parts = value - np.sqrt(((share - low) ** 2).sum(axis=1)) / number
    error, middle = float(value.std()), float(value.mean())
    size = middle * (1 - middle) / error**2 if error > 0 else float(photos)
    whole = lower(value, np.full(len(value), size), goal.z)
    return float((np.minimum(parts, whole) > goal.bound).mean())


def _drawn(goal: Goal, classes: Classes, photos: int) -> tuple[Floats, Floats]:
    """Return hits and trials of each class, float64 (sets, classes): TP and TP + FP + FN where the figure is an F1."""
    rng = np.random.default_rng(_SEED)
    shares = np.array(classes.shares)
    if classes.exclusive:
        actual = rng.multinomial(photos, shares / shares.sum(), size=_SETS)
    else:
        actual = np.rint(rng.binomial(photos, shares, size=(_SETS, len(shares))) * classes.trials).astype(np.int64)
    missed = rng.binomial(actual, 1 - goal.true)
    if not classes.f_score:
        return (actual - missed).astype(np.float64), actual.astype(np.float64)
    wrongly = _wrongly(missed, rng) if classes.exclusive else rng.binomial(actual, 1 - goal.true)
    return (actual - missed).astype(np.float64), (actual + wrongly).astype(np.float64)


def _wrongly(missed: np.ndarray[Any, np.dtype[np.int64]], rng: np.random.Generator) -> Any:
    """Return how often each class is said where it is not: what others miss, shared out evenly."""
    others = missed.shape[1] - 1
    wrongly = np.zeros_like(missed)
    for row in range(missed.shape[1]):
        given = rng.multinomial(missed[:, row], np.full(others, 1 / others))
        wrongly += np.insert(given, row, 0, axis=1)
    return wrongly


def lower(share: Floats, trials: Floats, z: float) -> Floats:
    """Return the lower ends of Wilson's intervals, as `metrics.intervals.wilson` does for one."""
    middle = share + z * z / (2 * trials)
    half = z * np.sqrt(share * (1 - share) / trials + (z / (2 * trials)) ** 2)
    return np.asarray(np.clip((middle - half) / (1 + z * z / trials), 0.0, share))


def photos_of_mean(goal: Goal, spread: float) -> int | None:
    """Return the photos that prove `mean < bound`.

    Args:
        goal: bound above the true mean.
        spread: standard deviation of a photo's error as a share of the true mean.
    """
    if not 0 < goal.true < goal.bound:
        return None
    quantiles = goal.z + _NORMAL.inv_cdf(goal.power)
    return max(10, math.ceil((quantiles * spread * goal.true / (goal.bound - goal.true)) ** 2))


def photos_of_percentile(level: float, below: float, confidence: float = DEFAULT_CONFIDENCE) -> int | None:
    """Return the measurements that prove that a percentile lies below a bound.

    The upper end is the order statistic that `metrics.intervals.Percentile` takes; it lies below the bound when more
    measurements than its rank do.

    Args:
        level: 0.95 of a 95th percentile.
        below: share of the measurements that truly lie below the bound.
        confidence: of the interval.
    """
    if not level < below <= 1:
        return None
    numbers = (round(20 * _GRID**step) + step for step in range(900))
    return _first(numbers, lambda number: _chance_of_percentile(level, below, confidence, number), POWER)


def _chance_of_percentile(level: float, below: float, confidence: float, number: int) -> float:
    rank = int(np.searchsorted(np.cumsum(binomial(number, level)), 1 - (1 - confidence) / 2, side="left"))
    if rank >= number or int(np.searchsorted(np.cumsum(binomial(number, level)), (1 - confidence) / 2, "right")) < 1:
        return 0.0
    return 1.0 if below >= 1 else float(binomial(number, below)[rank + 1 :].sum())
