"""Confident learning: which labels are wrong, and how many, from a model's probabilities.

C. Northcutt, L. Jiang, I. Chuang, Confident Learning: Estimating Uncertainty in Dataset Labels, JAIR 70:1373, 2021:

- threshold of class j (equation 2): the mean probability of j over the photos that are labelled j;
- confident joint (equation 1): photos labelled i whose probability of j reaches j's threshold; where several classes
  reach theirs, the most probable of those;
- joint (equation 3): the confident joint with its rows brought to the number of photos labelled i, and its sum to 1;
- prune by noise rate (section 3.2): of each pair i, j the n * joint[i, j] photos labelled i with the largest margin
  p(j) - p(i); and of those only photos that the model itself would label otherwise, as cleanlab does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vision_cli.checks.intervals import Floats, Ids, Range, share_range

RESAMPLES = 200
_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Doubts:
    """What confident learning makes of N labels of C classes.

    Attributes:
        thresholds: float64 (C,), equation 2; infinite for a class without label.
        counts: int64 (C, C), the confident joint: given by likely class.
        joint: float64 (C, C), shares of all photos, given by true class.
        rows: int64 (M,), the labels to look at, most doubtful first.
        suggested: int64 (M,), the most probable class of each.
        margins: float64 (M,), probability of the given class minus that of the best other, -1 .. 1, ascending.
    """

    thresholds: Floats
    counts: Ids
    joint: Floats
    rows: Ids
    suggested: Ids
    margins: Floats

    @property
    def share(self) -> float:
        """Return the estimated share of wrong labels."""
        return wrong_share(self.joint)


def doubts(probabilities: Floats, given: Ids) -> Doubts:
    """Find the labels that are probably wrong.

    Args:
        probabilities: float64 (N, C) of photos that the model did not learn from.
        given: int64 (N,), the labels.
    """
    limits = thresholds(probabilities, given)
    counts = confident_joint(probabilities, given, limits)
    joint = calibrated(counts, given)
    marked = _pruned(probabilities, given, joint)
    margin = margins(probabilities, given)
    rows = np.flatnonzero(marked)
    rows = rows[np.lexsort((rows, margin[rows]))]
    return Doubts(limits, counts, joint, rows, probabilities[rows].argmax(axis=1), margin[rows])


def thresholds(probabilities: Floats, given: Ids, weights: Floats | None = None) -> Floats:
    """Return the mean self-confidence of each class, float64 (C,); infinite for a class without label.

    Args:
        probabilities: float64 (N, C).
        given: int64 (N,).
        weights: float64 (N,), how often each photo counts; once when None.
    """
    size = probabilities.shape[1]
    own = probabilities[np.arange(len(given)), given]
    weights = np.ones(len(given)) if weights is None else weights
    number = np.bincount(given, weights, minlength=size)
    total = np.bincount(given, weights * own, minlength=size)
    return np.where(number > 0, total / np.maximum(number, 1e-12), np.inf)


def confident_joint(probabilities: Floats, given: Ids, limits: Floats, weights: Floats | None = None) -> Ids:
    """Return how many photos labelled i are confidently j, int64 (C, C); at least one in each diagonal cell."""
    size = probabilities.shape[1]
    reached = probabilities >= limits - _ROUNDING
    likely = np.where(reached, probabilities, -1.0).argmax(axis=1)
    known = reached.any(axis=1)
    cells = given[known] * size + likely[known]
    counts = np.bincount(cells, None if weights is None else weights[known], minlength=size * size)
    table = counts.reshape(size, size).astype(np.int64)
    np.fill_diagonal(table, np.maximum(table.diagonal(), 1))
    return table


def calibrated(counts: Ids, given: Ids, weights: Floats | None = None) -> Floats:
    """Return the joint of given and true class, float64 (C, C), whose rows agree with the labels' shares."""
    labels = np.bincount(given, weights, minlength=len(counts))
    joint = counts / counts.sum(axis=1, keepdims=True) * labels[:, None]
    return np.asarray(joint / max(joint.sum(), 1.0))


def wrong_share(joint: Floats) -> float:
    """Return the joint's mass off the diagonal."""
    return float(max(0.0, 1.0 - np.trace(joint)))


def margins(probabilities: Floats, given: Ids) -> Floats:
    """Return each label's normalised margin: its probability minus that of the best other class, float64 (N,)."""
    rows = np.arange(len(given))
    others = probabilities.copy()
    own = others[rows, given]
    others[rows, given] = -1.0
    return np.asarray(own - others.max(axis=1, initial=-1.0))


def _pruned(probabilities: Floats, given: Ids, joint: Floats) -> NDArray[np.bool_]:
    marked = np.zeros(len(given), dtype=np.bool_)
    for label, wanted in enumerate(_whole(joint * len(given))):
        rows = np.flatnonzero(given == label)
        for other in np.flatnonzero(wanted):
            if other != label:
                margin = probabilities[rows, other] - probabilities[rows, label]
                marked[rows[np.argsort(-margin, kind="stable")[: wanted[other]]]] = True
    return np.asarray(marked & (probabilities.argmax(axis=1) != given), dtype=np.bool_)


def _whole(table: Floats) -> Ids:
    """Return whole numbers with the rows' sums: the largest remainders are rounded up."""
    floor = np.floor(table + _ROUNDING)
    missing = np.rint((table - floor).sum(axis=1)).astype(np.int64)
    order = np.argsort(np.argsort(floor - table, axis=1, kind="stable"), axis=1, kind="stable")
    return np.asarray(floor + (order < missing[:, None]), dtype=np.int64)


def share_interval(probabilities: Floats, given: Ids, groups: Ids, rng: np.random.Generator) -> Range:
    """Return the 95 % interval of the share of wrong labels.

    The bootstrap draws whole groups and keeps the probabilities: what the estimate owes to the model is not in it.

    Args:
        probabilities: float64 (N, C).
        given: int64 (N,).
        groups: int64 (N,), photos that belong together.
        rng: random numbers.
    """
    names, member = np.unique(groups, return_inverse=True)
    shares = np.empty(RESAMPLES)
    for index in range(RESAMPLES):
        weights = np.bincount(rng.integers(0, len(names), len(names)), minlength=len(names))[member].astype(np.float64)
        counts = confident_joint(probabilities, given, thresholds(probabilities, given, weights), weights)
        shares[index] = wrong_share(calibrated(counts, given, weights))
    whole = doubts(probabilities, given).share
    return share_range(whole, float(shares.std(ddof=1)), len(names))
