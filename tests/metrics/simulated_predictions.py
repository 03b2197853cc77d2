"""Simulated predictions."""

from __future__ import annotations

from typing import Any

import numpy as np

from vision_cli.core.dataset import ClassMap
from vision_cli.core.predictions import Predictions

Array = np.ndarray[Any, np.dtype[Any]]


def names(n_classes: int) -> ClassMap:
    return ClassMap(tuple(f"c{place}" for place in range(n_classes)))


def softmax(raw: Array) -> Array:
    weights = np.exp(raw - raw.max(axis=1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def answers(answer: Array, n_classes: int) -> Predictions:
    """Return predictions that are sure of one class each."""
    scores = np.eye(n_classes)[answer]
    return Predictions(scores, scores)


def classified(
    rng: np.random.Generator, n: int, n_classes: int, strength: float, decimals: int = 12
) -> tuple[Array, Predictions]:
    """Draw classes and noisy scores of them; few decimals give ties."""
    truth = rng.integers(0, n_classes, n)
    raw = rng.normal(size=(n, n_classes))
    raw[np.arange(n), truth] += strength
    return truth, Predictions(softmax(raw).round(decimals), raw)


def labelled(rng: np.random.Generator, n: int, n_classes: int, decimals: int = 12) -> tuple[Array, Predictions]:
    """Draw several labels a photo and noisy scores of them."""
    truth = rng.random((n, n_classes)) < np.linspace(0.1, 0.6, n_classes)
    raw = rng.normal(size=(n, n_classes)) + 2.0 * truth - 1.0
    return truth, Predictions((1 / (1 + np.exp(-raw))).round(decimals), raw)
