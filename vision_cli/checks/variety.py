"""How varied photos are, by their embeddings.

The Vendi score (D. Friedman, A. Dieng, The Vendi Score, TMLR 2023, equation 1) is the exponential of the entropy of the
eigenvalues of K / n, where K holds the similarities of n photos: n photos that have nothing in common score n, n copies
of one photo score 1. Similarity is the cosine about the set's mean, as in `neighbours`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vision_cli.checks.intervals import Floats, Ids
from vision_cli.checks.neighbours import Space
from vision_cli.checks.out_of_fold import Rows

_MOST = 4_000
_DRAWS = 5
_REFERENCES = 2_000
_NEIGHBOUR = 5
_BLOCK = 2_048
_LEAST = 1e-12


@dataclass(frozen=True, slots=True)
class Variety:
    """Of a whole set.

    Attributes:
        photos: that were looked at; a sample of 4,000 of larger sets.
        score: Vendi score: so many photos without anything in common are as varied.
        half: of half of the photos, the mean of five draws.
    """

    photos: int
    score: float
    half: float

    @property
    def growth(self) -> float:
        """Return how much more varied twice the photos are: 1 is not at all, 2 is each photo new."""
        return self.score / self.half


def vendi(unit_rows: Rows) -> float:
    """Return the Vendi score of embeddings of length 1, float32 (N, D); 0 without any."""
    number, size = unit_rows.shape
    if not number:
        return 0.0
    rows = unit_rows.astype(np.float64)
    product = rows @ rows.T if number <= size else rows.T @ rows
    shares = np.linalg.eigvalsh(product / np.trace(product)) if np.trace(product) > 0 else np.ones(1)
    shares = shares[shares > _LEAST]
    return float(np.exp(-(shares * np.log(shares)).sum()))


def variety(embeddings: Rows, rng: np.random.Generator) -> Variety:
    """Measure how varied a set is, and how much its second half added."""
    space = Space.of(embeddings)
    picked = rng.permutation(len(embeddings))[:_MOST]
    halves = [vendi(space[rng.permutation(picked)[: len(picked) // 2]]) for _ in range(_DRAWS)]
    return Variety(len(picked), vendi(space[picked]), float(np.mean(halves)))


def class_varieties(embeddings: Rows, classes: Ids, fewest: int, rng: np.random.Generator) -> dict[int, float]:
    """Return the Vendi score of each class at the same number of photos, so that classes compare.

    Args:
        embeddings: float32 (N, D).
        classes: int64 (N,); negative ones have none.
        fewest: photos; smaller classes are left out. As many as the smallest other class has are drawn, five times.
        rng: random numbers.
    """
    space = Space.of(embeddings)
    members = {int(each): np.flatnonzero(classes == each) for each in np.unique(classes[classes >= 0])}
    members = {each: rows for each, rows in members.items() if len(rows) >= fewest}
    number = min(map(len, members.values()), default=0)
    number = min(number, _MOST)
    draws = {each: [rng.permutation(rows)[:number] for _ in range(_DRAWS)] for each, rows in members.items()}
    return {each: float(np.mean([vendi(space[rows]) for rows in some])) for each, some in draws.items()}


def loneliness(embeddings: Rows, rng: np.random.Generator) -> Floats:
    """Return how far each photo is from its fifth nearest, float64 (N,): 1 minus the cosine, 0 .. 2.

    Of large sets 2,000 photos drawn by chance stand for all.
    """
    space, number = Space.of(embeddings), len(embeddings)
    picked = np.sort(rng.choice(number, min(number, _REFERENCES), replace=False))
    references = space[picked]
    place = np.full(number, -1)
    place[picked] = np.arange(len(picked))
    rank = min(_NEIGHBOUR, len(picked) - 1)
    found = np.zeros(number)
    for start in range(0, number if rank > 0 else 0, _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, number))
        similarity = space[rows] @ references.T
        itself = np.flatnonzero(place[rows] >= 0)
        similarity[itself, place[rows][itself]] = -2.0
        found[rows] = 1.0 - np.partition(similarity, len(picked) - rank, axis=1)[:, len(picked) - rank]
    return found


def outlying(distances: Floats) -> Ids:
    """Return the rows beyond Tukey's upper fence, worst first: third quartile plus 1.5 times the quartiles' distance.

    J. Tukey, Exploratory Data Analysis, 1977.
    """
    if not len(distances):
        return np.empty(0, np.int64)
    low, high = np.quantile(distances, [0.25, 0.75])
    rows = np.flatnonzero(distances > high + 1.5 * (high - low))
    return rows[np.lexsort((rows, -distances[rows]))]
