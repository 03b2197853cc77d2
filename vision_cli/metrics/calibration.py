"""Whether a probability of 0.8 is right eight times in ten, and the temperature that makes it so."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from vision_cli.core.errors import DataError, UsageError
from vision_cli.core.measurement import Spread
from vision_cli.metrics.bootstrap import Sums
from vision_cli.metrics.intervals import Floats, Share, effective_size
from vision_cli.metrics.subject import Figures, Subject

BINS = 15
PRIOR_STD = 0.5
"""Of ln T: before any photo is seen, T lies between 0.6 and 1.65 in two cases of three."""
TEMPERATURES = (0.05, 20.0)
"""Range of `fit_temperature`."""
_GOLDEN = (math.sqrt(5) - 1) / 2
_PRECISION = 1e-6


def measure(subject: Subject) -> Figures:
    """Measure the expected calibration error and the log loss of `classify`."""
    photos = len(subject.truth)
    gaps = Sums(bin_gaps(subject.truth, subject.scores), lambda sums: np.abs(sums).sum(axis=1, keepdims=True) / photos)
    mean_loss = Sums(losses(subject.truth, subject.scores)[:, None], lambda sums: sums / photos)
    ece = float(gaps.values()[0])
    error = float(gaps.standard_errors(subject.resamples, subject.rng())[0])
    spreads: dict[str, Spread] = {"ece": Share(ece, effective_size(ece, error, photos))}
    spread = mean_loss.spreads(subject.resamples, subject.rng())[0]
    spreads |= {} if spread is None else {"log_loss": spread}
    return Figures({"ece": ece, "log_loss": float(mean_loss.values()[0])}, spreads)


def bin_gaps(truth: np.ndarray[Any, np.dtype[np.int64]], scores: Floats) -> Floats:
    """Return (N, 15): confidence minus rightness in the photo's bin (Guo et al. 2017, ICML, equation 3).

    Bin m holds confidences above m/15 up to (m+1)/15.
    """
    confidence = scores.max(axis=1)
    bins = np.clip(np.ceil(confidence * BINS).astype(np.int64) - 1, 0, BINS - 1)
    gaps = np.zeros((len(truth), BINS))
    gaps[np.arange(len(truth)), bins] = confidence - (scores.argmax(axis=1) == truth)
    return gaps


def losses(truth: np.ndarray[Any, np.dtype[np.int64]], scores: Floats) -> Floats:
    """Return -ln p of the truth, (N,); p is kept a float64 epsilon away from 0, as scikit-learn does."""
    own = scores[np.arange(len(truth)), truth]
    epsilon = np.finfo(np.float64).eps
    return np.asarray(-np.log(np.clip(own, epsilon, 1 - epsilon)))


def fit_temperature(raw: np.ndarray[Any, Any], truth: np.ndarray[Any, Any], task: str) -> float:
    """Return the temperature for a network's outputs, from validation photos (Guo et al. 2017).

    It minimises their negative log likelihood plus a Gaussian prior on ln T with mean 0 and standard deviation
    PRIOR_STD. Without the prior a few validation photos that all are right ask for T = 0, which claims certainty;
    with many photos the likelihood decides. Golden section finds the minimum.

    Args:
        raw: (N, C) outputs before softmax or sigmoid.
        truth: int64 (N,) for `classify`, bool (N, C) for `multilabel`.
        task: `classify` or `multilabel`.

    Raises:
        DataError: no photos, or an output is not a number.
        UsageError: another task has no temperature.
    """
    if task not in ("classify", "multilabel"):
        raise UsageError(f"the task {task} has no temperature.")
    outputs = np.asarray(raw, dtype=np.float64)
    if not outputs.size or not np.isfinite(outputs).all():
        raise DataError(f"a temperature needs finite outputs of at least one photo, got shape {outputs.shape}.")
    loss = _softmax_loss(outputs, truth) if task == "classify" else _sigmoid_loss(outputs, truth)
    photos = len(outputs)

    def penalised(log_t: float) -> float:
        return photos * loss(math.exp(-log_t)) + 0.5 * (log_t / PRIOR_STD) ** 2

    return math.exp(_minimum(penalised, *map(math.log, TEMPERATURES)))


def _softmax_loss(raw: Floats, truth: np.ndarray[Any, Any]) -> Callable[[float], float]:
    shifted = raw - raw.max(axis=1, keepdims=True)
    own = shifted[np.arange(len(truth)), truth]
    return lambda beta: float((np.log(np.exp(beta * shifted).sum(axis=1)) - beta * own).mean())


def _sigmoid_loss(raw: Floats, truth: np.ndarray[Any, Any]) -> Callable[[float], float]:
    against = np.where(truth, -raw, raw)
    return lambda beta: float(np.logaddexp(0.0, beta * against).mean())


def _minimum(function: Callable[[float], float], low: float, high: float) -> float:
    """Return where a function with one minimum has it, by golden section."""
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_left, at_right = function(left), function(right)
    while high - low > _PRECISION:
        if at_left <= at_right:
            high, right, at_right = right, left, at_left
            left = high - _GOLDEN * (high - low)
            at_left = function(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + _GOLDEN * (high - low)
            at_right = function(right)
    return (low + high) / 2
