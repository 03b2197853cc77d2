"""Which photos to label next."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vision_cli.core.predictions import Scores
from vision_cli.labelling.answers import Floats, Ints

Rows = NDArray[np.floating[Any]]


def entropy(scores: Scores, *, independent: bool) -> Floats:
    """Return float64 (N,): entropy in bits of the classes' probabilities; the mean over classes where independent."""
    if independent:
        both = np.stack([scores, 1 - scores], axis=2)
        return np.asarray(_bits(both).sum(axis=2).mean(axis=1))
    return np.asarray(_bits(scores).sum(axis=1))


def _bits(shares: Floats) -> Floats:
    return np.asarray(-shares * np.log2(np.clip(shares, 1e-300, None)))


def margin(scores: Scores, *, independent: bool) -> Floats:
    """Return float64 (N,), 0 to 1: how close the two best classes are; where independent, the least certain yes or no.

    1 minus the margin, so that more is less certain (Settles 2009, Active Learning Literature Survey).
    """
    if independent:
        return np.asarray(1 - np.abs(2 * scores - 1).min(axis=1))
    best = np.sort(scores, axis=1)[:, ::-1]
    second = best[:, 1] if best.shape[1] > 1 else np.zeros(len(best))
    return np.asarray(1 - (best[:, 0] - second))


def highest(figures: Floats, number: int) -> Ints:
    """Return the rows with the highest figures, highest first; equal ones in their order."""
    return np.argsort(-figures, kind="stable")[:number].astype(np.int64)


def k_centre(rows: Rows, known: Rows, number: int) -> tuple[Ints, Floats]:
    """Return rows that leave no photo far from a chosen or known one, and how far each was from those before it.

    The greedy 2-approximation of k-centre (Gonzalez 1985; Sener & Savarese 2018, arXiv 1708.00489).

    Args:
        rows: float (N, D), embeddings.
        known: float (K, D), of labelled photos; without any, the first is the one nearest to the mean.
        number: of rows.
    """
    points = _unit(rows)
    distance = _to_known(points, _unit(known))
    chosen: list[int] = []
    far: list[float] = []
    for _ in range(min(number, len(points))):
        if not chosen and not len(known):
            at = int(np.argmin(((points - points.mean(axis=0)) ** 2).sum(axis=1)))
            far.append(0.0)
        else:
            at = int(np.argmax(distance))
            far.append(float(np.sqrt(max(distance[at], 0.0))))
        chosen.append(at)
        distance = np.minimum(distance, ((points - points[at]) ** 2).sum(axis=1))
        distance[chosen] = -1
    return np.array(chosen, dtype=np.int64), np.array(far)


def k_means_plus_plus(rows: Rows, known: Rows, number: int, rng: np.random.Generator) -> tuple[Ints, Floats]:
    """Return rows drawn with the square of their distance to the chosen and known ones, and that distance.

    The seeding of k-means++ (Arthur & Vassilvitskii 2007): outliers are less sure of a place than with k-centre.
    """
    points = _unit(rows)
    distance = _to_known(points, _unit(known))
    chosen: list[int] = []
    far: list[float] = []
    for _ in range(min(number, len(points))):
        weights = np.where(np.isinf(distance), 1.0, np.maximum(distance, 0.0))
        if weights.sum() <= 0:  # only copies of chosen photos are left
            weights = np.ones(len(points))
        weights[chosen] = 0
        at = int(rng.choice(len(points), p=weights / weights.sum()))
        far.append(0.0 if np.isinf(distance[at]) else float(np.sqrt(max(distance[at], 0.0))))
        chosen.append(at)
        distance = np.minimum(distance, ((points - points[at]) ** 2).sum(axis=1))
    return np.array(chosen, dtype=np.int64), np.array(far)


def _unit(rows: Rows) -> Rows:
    """Return rows of length 1: directions are what embeddings mean."""
    if not rows.size:
        return rows
    length = np.sqrt((rows**2).sum(axis=1, keepdims=True))
    return np.asarray(rows / np.maximum(length, 1e-12), dtype=rows.dtype)


def _to_known(points: Rows, known: Rows) -> Floats:
    """Return the square of each point's distance to the nearest known one; infinite without any."""
    distance = np.full(len(points), np.inf)
    for row in known:
        distance = np.minimum(distance, ((points - row) ** 2).sum(axis=1))
    return distance
