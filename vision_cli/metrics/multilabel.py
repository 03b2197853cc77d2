"""Whole-photo figures of `multilabel`, and the thresholds that turn scores into labels."""

from __future__ import annotations

from typing import Any

import numpy as np

from vision_cli.core.errors import DataError
from vision_cli.core.predictions import Scores
from vision_cli.metrics.bootstrap import Sums
from vision_cli.metrics.intervals import Floats, Share, effective_size
from vision_cli.metrics.subject import Figures, Subject

_FALLBACK = 0.5


def measure(subject: Subject) -> Figures:
    """Measure exact matches and the Hamming loss."""
    photos = len(subject.truth)
    wrong = (subject.scores >= subject.thresholds) != subject.truth_matrix()
    exact, hamming = float((~wrong.any(axis=1)).mean()), float(wrong.mean())
    shares = Sums(wrong.mean(axis=1, keepdims=True), lambda sums: sums / photos)
    error = float(shares.standard_errors(subject.resamples, subject.rng())[0])
    spreads = {
        "exact_match": Share(exact, photos),
        "hamming_loss": Share(hamming, effective_size(hamming, error, photos)),
    }
    return Figures({"exact_match": exact, "hamming_loss": hamming}, spreads)


def choose_thresholds(truth: np.ndarray[Any, np.dtype[np.bool_]], scores: Scores) -> tuple[float, ...]:
    """Return the threshold a class that gives the best F1 on validation photos.

    Candidates are the midpoints between neighbouring scores, and one below the lowest; of equally good ones the
    nearest to 0.5 wins. A class without positive photos gets 0.5.

    Args:
        truth: bool (N, C).
        scores: float64 (N, C), 0..1.

    Raises:
        DataError: the shapes differ, or a score is not a number.
    """
    if truth.shape != scores.shape or not np.isfinite(scores).all():
        raise DataError(f"thresholds need finite scores as truth has them, got {scores.shape} and {truth.shape}.")
    return tuple(_best(truth[:, column], scores[:, column].astype(np.float64)) for column in range(truth.shape[1]))


def _best(truth: np.ndarray[Any, np.dtype[np.bool_]], scores: Floats) -> float:
    if not truth.any():
        return _FALLBACK
    levels, group = np.unique(scores, return_inverse=True)
    said = np.cumsum(np.bincount(group, minlength=len(levels))[::-1])[::-1]
    hits = np.cumsum(np.bincount(group, weights=truth, minlength=len(levels))[::-1])[::-1]
    f1 = 2 * hits / (said + truth.sum())
    candidates = (np.concatenate([[0.0], levels[:-1]]) + levels) / 2
    candidates = np.where(candidates > np.concatenate([[-np.inf], levels[:-1]]), candidates, levels)
    best = np.flatnonzero(f1 >= f1.max() - 1e-12)
    return float(candidates[best[np.argmin(np.abs(candidates[best] - _FALLBACK))]])
