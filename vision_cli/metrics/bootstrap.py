"""The bootstrap over photos (Efron & Tibshirani 1993, An Introduction to the Bootstrap, chapters 6 and 14).

A resample is how often each photo was drawn. Photos that a figure cannot tell apart, such as those in one cell of the
confusion matrix, are drawn together: a multinomial count a cell. Every formula takes such counts, (R, K) for R
resamples of K cells, and gives R figures; the observed counts give the figure itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from vision_cli.metrics.intervals import Floats, Resampled

Counts = np.ndarray[Any, np.dtype[np.int64]]
Formula = Callable[[Floats], Floats]
"""Maps float64 (R, K) to (R, V): K counts or sums in, V figures out; NaN where a figure is not defined."""
_CHUNK = 4_000_000
"""Counts drawn at once: 32 MB."""
_MOST_DRAWS = 100_000_000
"""A few seconds of work; beyond it fewer resamples are drawn, down to the next figure."""
_FEWEST_RESAMPLES = 200
_FEWEST_PHOTOS = 2


def draws(counts: Counts, resamples: int, rng: np.random.Generator) -> Iterator[Floats]:
    """Yield resampled counts, float64 (r, K), in chunks that add up to R rows.

    Args:
        counts: int64 (K,), observed; their sum is the number of photos.
        resamples: R; fewer, but 200 or more, where K is so large that it would take long.
        rng: random numbers.
    """
    cells, photos = len(counts), int(counts.sum())
    wanted = min(resamples, max(_FEWEST_RESAMPLES, _MOST_DRAWS // max(1, cells)))
    step = max(1, _CHUNK // max(1, cells))
    for start in range(0, wanted, step):
        rows = min(step, wanted - start)
        yield _multinomial(counts, rows, rng) if cells < photos else _bincounts(cells, rows, rng)


def _multinomial(counts: Counts, rows: int, rng: np.random.Generator) -> Floats:
    shares = counts / counts.sum()
    return rng.multinomial(int(counts.sum()), shares, size=rows).astype(np.float64)


def _bincounts(photos: int, rows: int, rng: np.random.Generator) -> Floats:
    """Draw single photos: three times as fast as a multinomial of as many cells."""
    drawn = rng.integers(0, photos, size=(rows, photos), dtype=np.int64)
    drawn += np.arange(rows, dtype=np.int64)[:, None] * photos
    return np.bincount(drawn.ravel(), minlength=rows * photos).reshape(rows, photos).astype(np.float64)


def standard_errors(counts: Counts, formula: Formula, resamples: int, rng: np.random.Generator) -> Floats:
    """Return the bootstrap's standard error of V figures, (V,); NaN where a figure is undefined on most resamples."""
    samples = np.concatenate([formula(chunk) for chunk in draws(counts, resamples, rng)])
    defined = np.isfinite(samples)
    number = defined.sum(axis=0)
    filled = np.where(defined, samples, 0.0)
    mean = filled.sum(axis=0) / np.maximum(number, 1)
    variance = (np.where(defined, filled - mean, 0.0) ** 2).sum(axis=0) / np.maximum(number - 1, 1)
    return np.asarray(np.where(2 * number > len(samples), np.sqrt(variance), np.nan))


@dataclass(frozen=True, slots=True)
class Sums:
    """Figures that are functions of sums over photos.

    Attributes:
        contributions: float64 (N, M): what each photo adds to the M sums.
        formula: maps (R, M) sums of N photos to (R, V) figures.
    """

    contributions: Floats
    formula: Formula

    def values(self) -> Floats:
        """Return the V figures."""
        return np.asarray(self.formula(self.contributions.sum(axis=0, keepdims=True))[0])

    def standard_errors(self, resamples: int, rng: np.random.Generator) -> Floats:
        """Return the bootstrap's standard errors, (V,)."""
        ones = np.ones(len(self.contributions), dtype=np.int64)
        return standard_errors(ones, lambda chunk: self.formula(chunk @ self.contributions), resamples, rng)

    def spreads(self, resamples: int, rng: np.random.Generator) -> list[Resampled | None]:
        """Return a BCa spread a figure; None where it is undefined or there are fewer than two photos."""
        photos, values = len(self.contributions), self.values()
        if photos < _FEWEST_PHOTOS:
            return [None] * len(values)
        ones = np.ones(photos, dtype=np.int64)
        samples = np.concatenate([self.formula(each @ self.contributions) for each in draws(ones, resamples, rng)])
        left_out = self.contributions.sum(axis=0, keepdims=True) - self.contributions
        jackknife = self.formula(left_out * (photos / (photos - 1)))
        columns = zip(values, samples.T, jackknife.T, strict=True)
        return [_bca(float(value), sample, knife) for value, sample, knife in columns]


def _bca(value: float, samples: Floats, jackknife: Floats) -> Resampled | None:
    """Return the spread of one figure (Efron & Tibshirani 1993, equations 14.14 and 14.15)."""
    samples = np.sort(samples[np.isfinite(samples)])
    jackknife = jackknife[np.isfinite(jackknife)]
    if not np.isfinite(value) or not samples.size or not jackknife.size:
        return None
    below = (samples < value).mean() + (samples == value).mean() / 2
    edge = 1 / (2 * len(samples))
    deviations = jackknife.mean() - jackknife
    scale = float((deviations**2).sum()) ** 1.5
    acceleration = float((deviations**3).sum()) / (6 * scale) if scale > 0 else 0.0
    return Resampled(value, samples, NormalDist().inv_cdf(float(np.clip(below, edge, 1 - edge))), acceleration)
