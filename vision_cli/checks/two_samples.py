"""Whether two sets of photos are alike, and in what they differ.

- Looks: the classifier two-sample test (D. Lopez-Paz, M. Oquab, Revisiting Classifier Two-Sample Tests, ICLR 2017): a
  logistic regression on embeddings that tells photos of one set from the other, judged on held-out photos by its AUC.
  0.5 is chance, 1 is always right. What chance gives comes from shuffling which held-out group belongs to which set.
- Properties: the distance of Kolmogorov and Smirnov of numbers, and the population stability index (N. Siddiqi, Credit
  Risk Scorecards, 2006: below 0.1 stable, above 0.25 shifted) of shares, both with the chance of as much by shuffling.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vision_cli.checks.intervals import Floats, Ids, compact
from vision_cli.checks.out_of_fold import Rows, fit, folds_of, scaled, splits

SHUFFLES = 500
LEVEL = 0.01
"""The p that decides on one question."""
MOST = 3_000
"""Photos of each side that the classifier sees."""
_TINY_SHARE = 1e-4
_FINER = 2.0
"""The least p that shufflings can give is so many times smaller than the level."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Apart:
    """How well photos of two sets can be told apart.

    Attributes:
        auc: mean over the folds.
        chance_low: 2.5 % of shufflings give less.
        chance_high: 2.5 % of shufflings give more.
        p: chance of such an AUC where the sets are alike.
        rows: int64 (M,), photos of the second set, those least like the first set first.
        scores: float64 (M,), logit of belonging to the second set.
    """

    auc: float
    chance_low: float
    chance_high: float
    p: float
    rows: Ids
    scores: Floats


def tell_apart(embeddings: Rows, second: Mask, groups: Ids, rng: np.random.Generator) -> Apart:
    """Test whether a classifier tells two sets apart.

    Args:
        embeddings: float32 (N, D).
        second: bool (N,), which photos are of the second set; both sets have at least ten.
        groups: int64 (N,), photos that stay together.
        rng: random numbers.
    """
    picked = np.sort(np.concatenate([_some(np.flatnonzero(side), rng) for side in (~second, second)]))
    side, member = second[picked], compact(groups[picked])
    rows, fold = scaled(embeddings[picked]), folds_of(second[picked].astype(np.int64), groups[picked], rng)
    scores = np.zeros(len(rows))
    aucs, chances = [], []
    for train, held in splits(fold):
        logits = fit(rows[train], side[train].astype(np.int64), 2).logits(rows[held])
        scores[held] = logits[:, 1] - logits[:, 0]
        aucs.append(area(scores[held], side[held][None])[0])
        chances.append(area(scores[held], _shuffled(side[held], member[held], rng)))
    auc, chance = float(np.nanmean(aucs)), np.nanmean(chances, axis=0)
    low, high = np.quantile(chance, [0.025, 0.975])
    p = float((1 + (chance >= auc).sum()) / (1 + SHUFFLES))
    mine = np.flatnonzero(side)
    order = mine[np.lexsort((mine, -scores[mine]))]
    return Apart(auc, float(low), float(high), p, picked[order], scores[order])


def _some(rows: Ids, rng: np.random.Generator) -> Ids:
    return rng.permutation(rows)[:MOST]


def area(scores: Floats, sides: Mask) -> Floats:
    """Return the area under the ROC curve of scores (N,) by each of R labellings, bool (R, N); NaN with one side."""
    ranks = _ranks(scores)
    positive = sides.sum(axis=1)
    negative = sides.shape[1] - positive
    wins = sides @ ranks - positive * (positive + 1) / 2
    return np.where(positive * negative > 0, wins / np.maximum(positive * negative, 1), np.nan)


def _ranks(scores: Floats) -> Floats:
    """Return ranks from 1; equal scores share the mean of theirs."""
    _, place, count = np.unique(scores, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(count) - (count - 1) / 2)[place])


def _shuffled(side: Mask, member: Ids, rng: np.random.Generator) -> Mask:
    """Return bool (SHUFFLES, N): sides shuffled among whole groups."""
    _, first, group = np.unique(member, return_index=True, return_inverse=True)
    each = np.broadcast_to(side[first], (SHUFFLES, len(first)))
    return np.asarray(rng.permuted(each, axis=1)[:, group])


@dataclass(frozen=True, slots=True)
class Difference:
    """How a property differs between two sets.

    Attributes:
        distance: 0 alike .. 1 apart for Kolmogorov-Smirnov; 0 or more for the stability index.
        p: chance of as much where the sets are alike.
    """

    distance: float
    p: float


def ks(values: Floats, second: Mask, groups: Ids, rng: np.random.Generator, level: float = LEVEL) -> Difference:
    """Compare numbers: the largest distance of the two cumulative shares.

    Args:
        values: float64 (N,), finite.
        second: bool (N,), which values are of the second set.
        groups: int64 (N,), values that stay together when sets are shuffled.
        rng: random numbers.
        level: the p that decides; so many shufflings are made that a smaller one can be seen.
    """
    order = np.argsort(values, kind="stable")
    last = np.append(values[order][1:] != values[order][:-1], True)
    return _difference(lambda side: _gap(side[order], last), second, lambda: _shuffled(second, groups, rng), level)


def _gap(side: Mask, last: Mask) -> float:
    ours, theirs = np.cumsum(side), np.cumsum(~side)
    if not ours[-1] or not theirs[-1]:
        return 0.0
    return float(np.abs(ours / ours[-1] - theirs / theirs[-1])[last].max())


def psi(labels: Ids, second: Mask, groups: Ids, rng: np.random.Generator, level: float = LEVEL) -> Difference:
    """Compare shares of bins: the sum of (q - p) ln(q / p); a share below 0.0001 counts as that. See `ks`."""
    size = int(labels.max(initial=0)) + 1
    return _difference(
        lambda side: stability(labels, size, side), second, lambda: _shuffled(second, groups, rng), level
    )


def stability(labels: Ids, size: int, second: Mask) -> float:
    """Return the population stability index of labels 0 .. size - 1 of two sets."""
    shares = [np.bincount(labels[side], minlength=size) / max(int(side.sum()), 1) for side in (~second, second)]
    first, other = (np.maximum(each, _TINY_SHARE) for each in shares)
    return float(((other - first) * np.log(other / first)).sum())


def _difference(
    measure: Callable[[Mask], float], second: Mask, shuffled: Callable[[], Mask], level: float
) -> Difference:
    """Measure, and shuffle until p is known well enough or can no longer come down to the level."""
    distance, beyond, total = measure(second), 0, 0
    most = max(SHUFFLES, math.ceil(_FINER / level))
    while total < most and (1 + beyond) / (1 + most) <= (level if total else 1.0):
        beyond += sum(measure(side) >= distance for side in shuffled())
        total += SHUFFLES
    return Difference(distance, (1 + beyond) / (1 + total))
