"""How far two sets of photos are apart in the space of embeddings, and which parameter of one set moves it.

- Kernel distance: the unbiased squared maximum mean discrepancy (A. Gretton et al., A Kernel Two-Sample Test, JMLR
  2012, lemma 6) with the kernel (x . y / d + 1)^3, as in M. Binkowski et al., Demystifying MMD GANs, ICLR 2018 (KID).
  Its mean over two samples of one source is 0, whatever their size, so it may come out below 0. Pairs of photos that
  share a background are left out of the mean within a set: else a set would be punished for using each one often.
- Frechet distance: |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)) of Gaussians (M. Heusel et al., GANs Trained by a Two
  Time-Scale Update Rule, NeurIPS 2017), with covariances shrunk by O. Ledoit and M. Wolf (2004). It grows as samples
  get smaller, so it is only compared between samples of one size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

HALVINGS = 100
SHUFFLES = 400
MAIN_DIRECTIONS = 64
FEWEST = 10
"""Photos of a bin."""

Rows = NDArray[np.float32]
Floats = NDArray[np.float64]
Ids = NDArray[np.int64]


def kernel(one: Rows, other: Rows) -> Floats:
    """Return (x . y / d + 1)^3 of all pairs of rows, float64 (N, M)."""
    product = one.astype(np.float64) @ other.astype(np.float64).T
    return np.asarray((product / one.shape[1] + 1) ** 3, np.float64)


def standard(real: Rows, *others: Rows) -> tuple[Rows, ...]:
    """Return embeddings scaled so that the real ones have mean 0 and, over all numbers, variance 1."""
    middle = real.mean(axis=0, dtype=np.float64)
    scale = float(np.sqrt(((real - middle) ** 2).mean())) or 1.0
    return tuple(np.asarray((each - middle) / scale, np.float32) for each in (real, *others))


def kernel_distance(one: Rows, other: Rows, groups: tuple[Ids, Ids] | None = None) -> float:
    """Return the unbiased squared maximum mean discrepancy of two sets.

    Args:
        one: float32 (N, D).
        other: float32 (M, D).
        groups: int64 (N,) and (M,); photos of one number are no pair. None: every photo stands alone.
    """
    first, second = groups or (np.arange(len(one)), np.arange(len(other)))
    return (
        _within(kernel(one, one), first) + _within(kernel(other, other), second) - 2 * float(kernel(one, other).mean())
    )


def _within(pairs: Floats, groups: Ids) -> float:
    apart = groups[:, None] != groups[None, :]
    return float(pairs[apart].mean()) if apart.any() else float("nan")


def frechet_distance(one: Rows, other: Rows) -> float:
    """Return the Frechet distance of Gaussians that fit two sets, with shrunk covariances."""
    from sklearn.covariance import ledoit_wolf

    first, second = one.astype(np.float64), other.astype(np.float64)
    gap = first.mean(axis=0) - second.mean(axis=0)
    return float(gap @ gap) + frechet_of(ledoit_wolf(first)[0], ledoit_wolf(second)[0])


def frechet_of(one: Floats, other: Floats) -> float:
    """Return tr(C1 + C2 - 2 (C1 C2)^(1/2)) by eigenvalues of C1^(1/2) C2 C1^(1/2), which has the same trace."""
    values, vectors = np.linalg.eigh(one)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    middle = np.linalg.eigvalsh(root @ other @ root)
    return float(np.trace(one) + np.trace(other) - 2 * np.sqrt(np.maximum(middle, 0)).sum())


@dataclass(frozen=True, slots=True)
class Distance:
    """How far a set is from the real one, beside what two halves of the real one give.

    Attributes:
        kernel: kernel distance of all photos.
        kernel_noise: 95 % of halvings of the real photos give less.
        frechet: mean over random samples.
        frechet_noise: mean over halvings of the real photos, of as many photos.
        sample: photos a side of the Frechet distances.
    """

    kernel: float
    kernel_noise: float
    frechet: float
    frechet_noise: float
    sample: int

    @property
    def times_noise(self) -> float:
        """The kernel distance in units of its noise."""
        return self.kernel / max(self.kernel_noise, 1e-12)


def distance(real: Rows, made: Rows, groups: Ids, rng: np.random.Generator) -> Distance:
    """Measure how far made photos are from real ones.

    Args:
        real: float32 (N, D), at least twice `FEWEST`.
        made: float32 (M, D).
        groups: int64 (M,), photos of one number share a background.
        rng: random numbers.
    """
    pairs = kernel(real, real)
    halves = [_halves(pairs, rng.permutation(len(real))) for _ in range(HALVINGS)]
    sample = min(len(real) // 2, len(np.unique(groups)))
    seen, shown = _main(real, made)
    drawn = [(rng.permutation(len(seen)), _one_each(groups, rng)) for _ in range(HALVINGS // 10)]
    apart = [frechet_distance(seen[one[:sample]], shown[other[:sample]]) for one, other in drawn]
    noise = [frechet_distance(seen[one[:sample]], seen[one[-sample:]]) for one, _ in drawn]
    return Distance(
        kernel=kernel_distance(real, made, (np.arange(len(real)), groups)),
        kernel_noise=float(np.quantile(halves, 0.95)),
        frechet=float(np.mean(apart)),
        frechet_noise=float(np.mean(noise)),
        sample=sample,
    )


def _halves(pairs: Floats, order: Ids) -> float:
    """Return the kernel distance of two halves."""
    one, other = np.array_split(order, 2)
    alone = np.arange(len(order))
    inside = [_within(pairs[np.ix_(half, half)], alone[: len(half)]) for half in (one, other)]
    return sum(inside) - 2 * float(pairs[np.ix_(one, other)].mean())


def _one_each(groups: Ids, rng: np.random.Generator) -> Ids:
    """Return one photo of each background, in an order by chance."""
    order = rng.permutation(len(groups))
    _, first = np.unique(groups[order], return_index=True)
    return np.asarray(rng.permutation(order[first]), np.int64)


def _main(real: Rows, made: Rows) -> tuple[Rows, Rows]:
    """Return both sets in the directions in which all of them vary most."""
    every = np.concatenate([real, made]).astype(np.float64)
    every -= every.mean(axis=0)
    _, _, directions = np.linalg.svd(every, full_matrices=False)
    shown = np.asarray(every @ directions[:MAIN_DIRECTIONS].T, np.float32)
    return shown[: len(real)], shown[len(real) :]


@dataclass(frozen=True, slots=True)
class Bin:
    """Photos with alike values of a parameter.

    Attributes:
        name: the range, or the value.
        photos: number of them.
        kernel: their kernel distance to the real ones.
    """

    name: str
    photos: int
    kernel: float


@dataclass(frozen=True, slots=True)
class Driver:
    """A parameter of made photos.

    Attributes:
        name: of the parameter.
        bins: in order of the values.
        p: chance that bins differ as much where the parameter has nothing to do with the distance.
    """

    name: str
    bins: tuple[Bin, ...]
    p: float

    @property
    def spread(self) -> float:
        """By how much the nearest bin is nearer than the farthest one."""
        values = [each.kernel for each in self.bins]
        return max(values) - min(values)


@dataclass(frozen=True, slots=True, eq=False)
class Parameter:
    """A parameter's value of each photo.

    Attributes:
        name: of it.
        bins: names, in order.
        of: int64 (M,), which bin each photo is in; -1 for none.
    """

    name: str
    bins: tuple[str, ...]
    of: Ids


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Kernel values that all parameters share.

    Attributes:
        made: float64 (M, M), 0 for pairs that do not count.
        counted: float64 (M, M), 1 for pairs that do.
        to_real: float64 (M,), mean to the real photos.
        real: mean within the real photos.
    """

    made: Floats
    counted: Floats
    to_real: Floats
    real: float

    @classmethod
    def of(cls, real: Rows, made: Rows, groups: Ids) -> Pairs:
        """Compare all photos."""
        counted = (groups[:, None] != groups[None, :]).astype(np.float64)
        inside = _within(kernel(real, real), np.arange(len(real)))
        return cls(kernel(made, made) * counted, counted, kernel(made, real).mean(axis=1), inside)

    def distances(self, of: Ids, bins: int) -> Floats:
        """Return the kernel distance of each bin's photos to the real ones, float64 (bins,)."""
        member = (of[:, None] == np.arange(bins)).astype(np.float64)
        inside = (member * (self.made @ member)).sum(axis=0)
        pairs = (member * (self.counted @ member)).sum(axis=0)
        across = self.to_real @ member / np.maximum(member.sum(axis=0), 1)
        return np.asarray(inside / np.maximum(pairs, 1) - 2 * across + self.real, np.float64)


def drivers(pairs: Pairs, parameters: Sequence[Parameter], scenes: Ids, rng: np.random.Generator) -> list[Driver]:
    """Return how far the photos of each value of each parameter are, the parameter that matters most first.

    Chance is what shuffling gives: whole scenes where a parameter is one of the scene, else the photos of each scene.

    Args:
        pairs: all photos.
        parameters: their values.
        scenes: int64 (M,), photos of one number are of one scene.
        rng: random numbers.
    """
    found = [each for one in parameters if (each := _driver(pairs, one, scenes, rng)) is not None]
    return sorted(found, key=lambda each: (each.p, -each.spread))


def _driver(pairs: Pairs, asked: Parameter, scenes: Ids, rng: np.random.Generator) -> Driver | None:
    size = len(asked.bins)
    counts = np.bincount(asked.of[asked.of >= 0], minlength=size)
    if size < 2 or (counts < FEWEST).any():
        return None
    found = pairs.distances(asked.of, size)
    shuffled = [_difference(pairs, _shuffled(asked.of, scenes, rng), size) for _ in range(SHUFFLES)]
    beyond = sum(each >= _spread(found, counts) for each in shuffled)
    bins = zip(asked.bins, counts.tolist(), found.tolist(), strict=True)
    return Driver(asked.name, tuple(Bin(*each) for each in bins), (1 + beyond) / (1 + SHUFFLES))


def _difference(pairs: Pairs, of: Ids, size: int) -> float:
    return _spread(pairs.distances(of, size), np.bincount(of[of >= 0], minlength=size))


def _spread(values: Floats, counts: Ids) -> float:
    return float(np.sqrt(np.average((values - np.average(values, weights=counts)) ** 2, weights=counts)))


def _shuffled(of: Ids, scenes: Ids, rng: np.random.Generator) -> Ids:
    _, first, place = np.unique(scenes, return_index=True, return_inverse=True)
    if (of == of[first][place]).all():
        return np.asarray(rng.permutation(of[first])[place], np.int64)
    order = np.lexsort((rng.random(len(of)), place))
    shuffled = np.empty_like(of)
    shuffled[np.argsort(place, kind="stable")] = of[order]
    return shuffled
