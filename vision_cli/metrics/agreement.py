"""How far raters agree, beyond what chance would give.

Counts are int (N, C): how many raters put photo n into category c. Every coefficient is a function of sums over photos,
so the bootstrap over photos applies to all of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from vision_cli.metrics.bootstrap import Counts, Sums
from vision_cli.metrics.intervals import Floats

_PAIR = 2


def pairwise_agreement(counts: Counts) -> Sums | None:
    """Return the mean share of a photo's pairs of raters who agree; None without a photo of two raters."""
    several = counts[counts.sum(axis=1) >= _PAIR]
    if not len(several):
        return None
    contributions = np.stack([np.ones(len(several)), _agreeing(several)], axis=1)
    return Sums(contributions, lambda sums: (sums[:, 1] / sums[:, 0])[:, None])


def fleiss_kappa(counts: Counts) -> Sums | None:
    """Return Fleiss' kappa (Fleiss 1971, Psychological Bulletin 76:378); None unless all photos have as many raters."""
    raters = np.unique(counts.sum(axis=1))
    if len(raters) != 1 or raters[0] < _PAIR:
        return None
    contributions = np.column_stack([np.ones(len(counts)), _agreeing(counts), counts / raters[0]])

    def kappa(sums: Floats) -> Floats:
        means = sums[:, 1:] / sums[:, :1]
        return _beyond_chance(means[:, 0], (means[:, 1:] ** 2).sum(axis=1))

    return Sums(contributions, kappa)


def krippendorff_alpha(counts: Counts) -> Sums | None:
    """Return Krippendorff's alpha for nominal data (Krippendorff 2011, Computing Krippendorff's Alpha-Reliability).

    Photos of one rater say nothing about agreement and are left out; None when no other photo is there.
    """
    several = counts[counts.sum(axis=1) >= _PAIR]
    if not len(several):
        return None
    ratings = several.sum(axis=1)
    contributions = np.column_stack([ratings, _agreeing(several) * ratings, several]).astype(np.float64)

    def alpha(sums: Floats) -> Floats:
        n, agreeing, totals = sums[:, 0], sums[:, 1], sums[:, 2:]
        by_chance = (totals * (totals - 1)).sum(axis=1) / (n * (n - 1))
        return _beyond_chance(agreeing / n, by_chance)

    return Sums(contributions, alpha)


def cohen_kappa(first: Counts, second: Counts, n_categories: int) -> Sums:
    """Return Cohen's kappa of two raters of the same photos (Cohen 1960, Educational and Psychological Measurement 20).

    Args:
        first: int64 (N,), one rater's categories.
        second: int64 (N,), the other's.
        n_categories: of the scale.
    """
    one, two = (np.eye(n_categories)[each] for each in (first, second))
    contributions = np.column_stack([np.ones(len(first)), first == second, one, two])

    def kappa(sums: Floats) -> Floats:
        means = sums[:, 1:] / sums[:, :1]
        ours, theirs = np.split(means[:, 1:], 2, axis=1)
        return _beyond_chance(means[:, 0], (ours * theirs).sum(axis=1))

    return Sums(contributions, kappa)


def _agreeing(counts: np.ndarray[Any, Any]) -> Floats:
    """Return the share of each photo's pairs of raters who agree, (N,)."""
    raters = counts.sum(axis=1)
    return np.asarray((counts * (counts - 1)).sum(axis=1) / (raters * (raters - 1)), dtype=np.float64)


def _beyond_chance(observed: Floats, by_chance: Floats) -> Floats:
    """Return (R, 1); NaN where chance alone gives full agreement: every rating is the same."""
    room = 1 - by_chance
    full = np.full_like(observed, np.nan)
    return np.asarray(np.divide(observed - by_chance, room, out=full, where=room > 1e-12))[:, None]
