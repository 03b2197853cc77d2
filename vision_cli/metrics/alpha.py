"""Krippendorff's alpha for values: how far raters agree where near answers are nearly right.

See Krippendorff 2011, Computing Krippendorff's Alpha-Reliability. With the interval metric the difference of two
ratings counts squared; the ordinal metric is the interval metric over the middle ranks of all ratings that have a
partner, because what it sums over the ratings between two levels is the difference of their middle ranks.
"""

from __future__ import annotations

import numpy as np

from vision_cli.metrics.bootstrap import Sums
from vision_cli.metrics.intervals import Floats

_PAIR = 2


def interval_alpha(values: Floats) -> Sums | None:
    """Return alpha with the interval metric; None without a photo of two ratings.

    Args:
        values: float64 (N, A): the rating of each photo by each rater; NaN where there is none.
    """
    there = ~np.isnan(values)
    several = there.sum(axis=1) >= _PAIR
    if not several.any():
        return None
    there, ratings = there[several], there[several].sum(axis=1)
    # Differences do not know the mean, and without it large values keep their digits.
    said = np.where(there, values[several] - np.nanmean(values[several]), 0.0)
    first, second = said.sum(axis=1), (said**2).sum(axis=1)
    within = 2 * (ratings * second - first**2) / (ratings - 1)
    contributions = np.column_stack([ratings, within, first, second]).astype(np.float64)

    def alpha(sums: Floats) -> Floats:
        n, inside, total, squares = sums.T
        by_chance = 2 * (n * squares - total**2) / (n - 1)
        full = np.full_like(n, np.nan)
        share = np.divide(inside, by_chance, out=full, where=by_chance > 1e-12 * np.maximum(squares * n, 1e-300))
        return np.asarray(1 - share)[:, None]

    return Sums(contributions, alpha)


def ordinal_alpha(values: Floats) -> Sums | None:
    """Return alpha with the ordinal metric; resamples keep the ranks of the sample.

    Args:
        values: see `interval_alpha`; only their order counts.
    """
    there = ~np.isnan(values)
    paired = there & (there.sum(axis=1, keepdims=True) >= _PAIR)
    levels, places, counts = np.unique(values[paired], return_inverse=True, return_counts=True)
    if not levels.size:
        return None
    ranks = np.full(values.shape, np.nan)
    ranks[paired] = (np.cumsum(counts) - counts / 2)[places]
    return interval_alpha(ranks)
