"""The classifiers on a frozen backbone's embeddings, each as one linear map of the embedding scaled to length 1.

Centring, scaling by one number and a linear classifier are one affine map; the squared distance to a class's mean is
affine, too, up to a term that all classes share. So every head can be written into the family `features`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vision_cli.core.catalogue import hint_for
from vision_cli.core.errors import UsageError
from vision_cli.few_shot import logistic, svm

Rows = NDArray[np.float32]
Ids = NDArray[np.int64]
Floats = NDArray[np.float64]

# The same as the family `features` has them: see models/fitting.py.
SVM_C = 1.0
LOGISTIC_C = 25.0
_MEAN_SHARPNESS = 4.0
"""Of nearest class mean: logits are so many times minus the squared distance, in units of the overall variance."""
_TINY = 1e-9


@dataclass(frozen=True, slots=True)
class HeadCard:
    """One line of the table of heads.

    Attributes:
        summary: one line.
        solve: float64 rows (N, R) and hot classes (N, C) to weight (C, R) and bias (C,).
    """

    summary: str
    solve: Callable[[Floats, Floats], tuple[Floats, Floats]]


@dataclass(frozen=True, slots=True, eq=False)
class Linear:
    """A fitted head.

    Attributes:
        weight: float64 (C, D).
        bias: float64 (C,).
    """

    weight: Floats
    bias: Floats

    def logits(self, embeddings: Rows) -> Floats:
        """Return float64 (N, C) of embeddings float32 (N, D)."""
        return np.asarray(unit(embeddings) @ self.weight.T + self.bias)


def unit(embeddings: NDArray[np.floating]) -> Floats:
    """Return embeddings (N, D) at length 1; one of length 0 stays."""
    rows = embeddings.astype(np.float64)
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), _TINY))


def _logistic(rows: Floats, hot: Floats) -> tuple[Floats, Floats]:
    return logistic.fit(rows, hot, LOGISTIC_C)


def _svm(rows: Floats, hot: Floats) -> tuple[Floats, Floats]:
    return svm.fit(rows, hot, SVM_C)


def _nearest_mean(rows: Floats, hot: Floats) -> tuple[Floats, Floats]:
    means = hot.T @ rows / hot.sum(axis=0)[:, None]
    return 2 * _MEAN_SHARPNESS * means, -_MEAN_SHARPNESS * (means * means).sum(axis=1)


HEADS: Mapping[str, HeadCard] = {
    "logistic": HeadCard("Multinomial logistic regression", _logistic),
    "svm": HeadCard("Linear SVM, one class against the rest", _svm),
    "nearest-mean": HeadCard("The class whose mean embedding is nearest", _nearest_mean),
}


def card(name: str) -> HeadCard:
    """Return a line of the table.

    Raises:
        UsageError: the name is unknown; the message guesses.
    """
    if name not in HEADS:
        raise UsageError(f"unknown head '{name}'.", hint=hint_for(name, list(HEADS)))
    return HEADS[name]


def fit(head: str, embeddings: Rows, classes: Ids, size: int) -> Linear:
    """Fit a head; one class alone has the logit 0.

    Args:
        head: a line of HEADS.
        embeddings: float32 (N, D).
        classes: int64 (N,), 0 .. size - 1; each has a row.
        size: number of classes.
    """
    rows = unit(embeddings)
    if size < 2:
        return Linear(np.zeros((size, rows.shape[1])), np.zeros(size))
    mean = rows.mean(axis=0)
    centred = rows - mean
    scale = float(np.sqrt((centred**2).sum(axis=1).mean())) or 1.0
    turned, back = _turned(centred / scale)
    weight, bias = card(head).solve(turned, np.eye(size)[classes])
    weight = (weight @ back) / scale
    return Linear(weight, bias - weight @ mean)


def _turned(rows: Floats) -> tuple[Floats, Floats]:
    """Return rows in the at most N dimensions that they span, and the directions (R, D) of these.

    Turning the space changes no classifier with an L2 penalty; with few photos it saves most of the time.
    """
    if len(rows) >= rows.shape[1]:
        return rows, np.eye(rows.shape[1])
    left, sizes, right = np.linalg.svd(rows, full_matrices=False)
    kept = sizes > _TINY * max(float(sizes[0]), _TINY)
    return left[:, kept] * sizes[kept], right[kept]
