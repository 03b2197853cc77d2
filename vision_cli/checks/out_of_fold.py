"""Probabilities of photos by classifiers that did not learn from them: logistic regression on embeddings, k folds."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vision_cli.checks.intervals import Floats, Ids, compact

Rows = NDArray[np.float32]

FOLDS = 5
PENALTY = 0.3
"""L2, on embeddings of overall spread 1, against the mean loss: as `training.head` has it."""
_TEMPERATURES = (0.05, 20.0)
_STEPS = 40
_GOLDEN = (np.sqrt(5) - 1) / 2
_MAX_ITERATIONS = 300
_TOLERANCE = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Linear:
    """A fitted logistic regression.

    Attributes:
        weights: float64 (D, C).
        bias: float64 (C,); minus infinity for classes that it did not see.
    """

    weights: Floats
    bias: Floats

    def logits(self, rows: Rows) -> Floats:
        """Return float64 (N, C)."""
        return np.asarray(rows @ self.weights + self.bias)


def scaled(embeddings: Rows) -> Rows:
    """Return embeddings, float32 (N, D), about their mean, with an overall spread of 1, in at most N dimensions.

    Turning the space changes no logistic regression with an L2 penalty; with few photos it saves time.
    """
    centred = np.asarray(embeddings - embeddings.mean(axis=0), np.float32)
    spread = float(np.sqrt(np.square(centred, dtype=np.float64).mean())) or 1.0
    centred /= np.float32(spread)
    if len(centred) >= centred.shape[1] or not len(centred):
        return centred
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    return np.asarray(left * sizes, np.float32)


def fit(rows: Rows, classes: Ids, size: int) -> Linear:
    """Fit a multinomial logistic regression.

    Args:
        rows: float32 (N, D), of `scaled`.
        classes: int64 (N,), 0 .. size - 1.
        size: number of classes.
    """
    weights, bias = np.zeros((rows.shape[1], size)), np.full(size, -np.inf)
    present = np.unique(classes)
    if len(present) < 2:
        bias[present] = 0.0
        return Linear(weights, bias)
    model = _fitted(rows, classes)
    if len(present) == 2:
        weights[:, present[1]], bias[present] = model.coef_[0], (0.0, model.intercept_[0])
    else:
        weights[:, present], bias[present] = model.coef_.T, model.intercept_
    return Linear(weights, bias)


def _fitted(rows: Rows, classes: Ids) -> Any:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=1 / (PENALTY * len(rows)), max_iter=_MAX_ITERATIONS, tol=_TOLERANCE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(rows, classes)


def folds_of(classes: Ids, groups: Ids, rng: np.random.Generator, folds: int = FOLDS) -> Ids:
    """Return the fold of each photo, int64 (N,): groups stay together, classes are spread alike.

    Args:
        classes: int64 (N,); a group counts as of its first photo's class.
        groups: int64 (N,), any numbers.
        rng: random numbers.
        folds: number of folds.
    """
    member = compact(groups)
    _, first = np.unique(member, return_index=True)
    sizes = np.bincount(member)
    # Large groups first, then by chance; within a class one group a fold after the other, classes end to end.
    order = np.lexsort((rng.permutation(len(first)), -sizes, classes[first]))
    fold = np.empty(len(first), dtype=np.int64)
    fold[order] = np.arange(len(first)) % folds
    return fold[member]


def out_of_fold(rows: Rows, classes: Ids, groups: Ids, rng: np.random.Generator) -> Floats:
    """Return calibrated probabilities, float64 (N, C), of classes 0 .. C-1.

    One temperature for all folds, fitted to the held-out photos (Guo et al. 2017, On Calibration of Modern Networks).

    Args:
        rows: float32 (N, D), of `scaled`.
        classes: int64 (N,), the labels.
        groups: int64 (N,), photos that must not stand on both sides, such as duplicates.
        rng: random numbers.
    """
    size = int(classes.max(initial=0)) + 1
    logits = np.empty((len(rows), size))
    for train, held in splits(folds_of(classes, groups, rng)):
        logits[held] = fit(rows[train], classes[train], size).logits(rows[held])
    return softmax(logits / temperature(logits, classes))


def splits(fold: Ids) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    """Yield bool (N,) masks of the photos to learn from and of those held out, a fold at a time."""
    for number in np.unique(fold):
        yield fold != number, fold == number


def temperature(logits: Floats, classes: Ids) -> float:
    """Return the temperature with the least log loss; photos of a class that their fold did not see do not count."""
    own = logits[np.arange(len(classes)), classes]
    seen = np.isfinite(own)
    if not seen.any():
        return 1.0
    low, high = np.log(_TEMPERATURES)
    return float(np.exp(_least(lambda log: _loss(logits[seen], own[seen], np.exp(log)), float(low), float(high))))


def _loss(logits: Floats, own: Floats, warmth: float) -> float:
    top = logits.max(axis=1, keepdims=True)
    total = np.log(np.exp((logits - top) / warmth).sum(axis=1))
    return float((total + (top[:, 0] - own) / warmth).mean())


def _least(function: Callable[[float], float], low: float, high: float) -> float:
    """Return where a function with one minimum is least: golden sections."""
    for _ in range(_STEPS):
        width = _GOLDEN * (high - low)
        if function(high - width) <= function(low + width):
            high = low + width
        else:
            low = high - width
    return (low + high) / 2


def softmax(logits: Floats) -> Floats:
    """Return probabilities, float64 (N, C)."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))
