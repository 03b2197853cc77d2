"""Vectors laid flat: two numbers a photo, so that alike photos lie side by side."""

from __future__ import annotations

import importlib.util
import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_FEWEST, _MOST = 30, 3000
"""Photos: fewer have no neighbourhoods to keep, more take t-SNE minutes."""
_COMPONENTS = 50
_SEED = 0


@dataclass(frozen=True, slots=True)
class FlatMap:
    """Places of photos on a plane.

    Attributes:
        places: float64 (N, 2).
        how: `PCA` or `t-SNE`.
        note: what the reader should know of it, one sentence.
    """

    places: Floats
    how: str
    note: str


def flat_map(vectors: NDArray[np.float32]) -> FlatMap:
    """Return a map of vectors float32 (N, D): t-SNE of scikit-learn where it pays, else the two principal components.

    t-SNE (van der Maaten and Hinton 2008) keeps neighbours together, and neither distances nor sizes of groups.
    """
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    components, share = principal(vectors / np.maximum(lengths, 1e-12), _COMPONENTS)
    if _FEWEST <= len(vectors) <= _MOST and importlib.util.find_spec("sklearn") is not None:
        note = "Neighbours are alike; the distance between groups says nothing."
        return FlatMap(_tsne(components), "t-SNE", note)
    places = np.zeros((len(vectors), 2))
    places[:, : components.shape[1]] = components[:, :2]
    note = f"The two principal components hold {share[:2].sum():.0%} of the variance."
    return FlatMap(places, "PCA", note)


def principal(vectors: NDArray[np.float32], number: int) -> tuple[Floats, Floats]:
    """Return the first principal components float64 (N, k) of vectors, k at most `number`, and shares of the variance.

    Each component's sign is the one with which its largest value is positive.
    """
    centred = vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64)
    count, length = centred.shape
    if count < 2:
        return np.zeros((count, 1)), np.zeros(1)
    if count <= length:  # the smaller of the two matrices of products
        values, left = np.linalg.eigh(centred @ centred.T)
        scores = left[:, ::-1] * np.sqrt(np.maximum(values[::-1], 0))
    else:
        values, axes = np.linalg.eigh(centred.T @ centred)
        scores = centred @ axes[:, ::-1][:, :number]
    kept = min(number, scores.shape[1])
    values, scores = np.maximum(values[::-1], 0)[:kept], scores[:, :kept]
    signs = np.sign(scores[np.abs(scores).argmax(axis=0), np.arange(kept)])
    total = float((centred**2).sum()) or 1.0
    return scores * np.where(signs == 0, 1, signs), values / total


def _tsne(components: Floats) -> Floats:
    from sklearn.manifold import TSNE

    perplexity = min(30.0, (len(components) - 1) / 3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = TSNE(2, perplexity=perplexity, init="pca", random_state=_SEED, n_jobs=1)
        return np.asarray(model.fit_transform(components), np.float64)
