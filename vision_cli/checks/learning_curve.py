"""How recall grows with photos, and how many more a bound needs.

The error falls as a power of the number of photos, down to a floor: error(n) = a n^-b + c (J. Hestness et al., Deep
Learning Scaling is Predictable, Empirically, 2017, section 2). The curve is measured by logistic regression on
embeddings at growing shares of the data, fitted by weighted least squares, and its interval comes from drawing photos
(whole groups) and repetitions again. An answer is given only where the fit supports it; see `needed`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vision_cli.checks.intervals import Floats, Ids, Range, compact, percentiles
from vision_cli.checks.out_of_fold import Rows, fit, folds_of, scaled, splits

REACH = 10.0
"""An answer beyond so many times the photos at hand is none."""
RESAMPLES = 300
_STEPS = 6
_SMALLEST = 1 / 32
_REPEATS = 3
_FEWEST_STEPS = 4
_FEWEST_GROUPS = 10
_POWERS = np.linspace(0.05, 1.0, 39)
_WIDE = 20.0
_FALLS = 0.95


@dataclass(frozen=True, slots=True, eq=False)
class Trials:
    """What classifiers got right after learning from growing shares.

    Attributes:
        learned: float64 (S, C), photos of each class that were learned from, on average.
        right: bool (R, S, N): repetition, share, held-out photo.
    """

    learned: Floats
    right: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """A fitted curve with its resamples.

    Attributes:
        photos: float64 (S,), that were learned from.
        recalls: float64 (S,), measured.
        parameters: float64 (3,), a, b, c.
        samples: float64 (R, 3), of the resamples.
        available: photos at hand.
    """

    photos: Floats
    recalls: Floats
    parameters: Floats
    samples: Floats
    available: float

    def at(self, photos: float) -> Range:
        """Return the recall to expect with so many photos."""
        return percentiles(float(recall(self.parameters, photos)), np.asarray(recall(self.samples, photos)))


@dataclass(frozen=True, slots=True)
class Need:
    """How many photos a bound needs.

    Attributes:
        bound: recall.
        photos: in all, with interval; None where the fit does not say.
        why: what the fit says, or why it does not.
    """

    bound: float
    photos: Range | None
    why: str


def trials(embeddings: Rows, classes: Ids, groups: Ids, rng: np.random.Generator) -> Trials:
    """Learn from growing shares of each class, and try the held-out fifth, three times through all photos.

    Args:
        embeddings: float32 (N, D).
        classes: int64 (N,).
        groups: int64 (N,), photos that stay together.
        rng: random numbers.
    """
    rows, size = scaled(embeddings), int(classes.max()) + 1
    smallest = min(0.5, max(_SMALLEST, 2 * size / len(rows)))
    shares = np.geomspace(smallest, 1.0, _STEPS)
    right, learned = np.zeros((_REPEATS, _STEPS, len(rows)), dtype=np.bool_), []
    for repeat in range(_REPEATS):
        for train, held in splits(folds_of(classes, groups, rng)):
            order = queue(classes, groups, np.flatnonzero(train), rng)
            for step, share in enumerate(shares):
                some = np.flatnonzero(order <= share)
                learned.append(np.bincount(classes[some], minlength=size))
                model = fit(rows[some], classes[some], size)
                right[repeat, step, held] = model.logits(rows[held]).argmax(axis=1) == classes[held]
    return Trials(np.mean(np.reshape(learned, (-1, _STEPS, size)), axis=0), right)


def queue(classes: Ids, groups: Ids, rows: Ids, rng: np.random.Generator) -> Floats:
    """Return each photo's place in its class's queue as a share, float64 (N,); 2 for held-out; groups together."""
    member = compact(groups[rows])
    chance = rng.permutation(int(member.max()) + 1)[member]
    order = np.lexsort((chance, classes[rows]))
    number = np.bincount(classes[rows])
    start = np.concatenate([[0], np.cumsum(number)[:-1]])
    ranked = classes[rows][order]
    place = np.full(len(classes), 2.0)
    within = np.arange(len(rows)) - start[ranked]
    # The first of each class is always in.
    place[rows[order]] = np.where(within > 0, (within + 0.5) / number[ranked], 0.0)
    return place


def curve(found: Trials, classes: Ids, groups: Ids, rng: np.random.Generator, label: int | None = None) -> Curve | None:
    """Fit the recall of a class, or the accuracy; None where there are fewer than ten photos of different groups.

    Args:
        found: of all photos.
        classes: int64 (N,).
        groups: int64 (N,).
        rng: random numbers.
        label: the class; all photos when None.
    """
    of = np.ones(len(classes), dtype=np.bool_) if label is None else classes == label
    member = compact(groups[of])
    units = int(member.max(initial=-1)) + 1
    if units < _FEWEST_GROUPS:
        return None
    right = found.right[:, :, of].astype(np.float64)
    per_unit = np.stack([np.apply_along_axis(_sums, 1, each, member, units) for each in right])
    sizes = np.bincount(member, minlength=units).astype(np.float64)
    photos = found.learned.sum(axis=1) if label is None else found.learned[:, label]
    recalls = per_unit.mean(axis=0).sum(axis=1) / sizes.sum()
    resampled = _resampled(per_unit, sizes, rng)
    weights = photos_weight(recalls, units)
    return Curve(photos, recalls, fit_power(photos, 1 - recalls[None], weights)[0],
                 fit_power(photos, 1 - resampled, weights), float(of.sum()))  # fmt: skip


def _sums(row: Floats, member: Ids, units: int) -> Floats:
    return np.asarray(np.bincount(member, row, minlength=units), dtype=np.float64)


def _resampled(per_unit: Floats, sizes: Floats, rng: np.random.Generator) -> Floats:
    """Return recalls float64 (RESAMPLES, S): units and repetitions drawn again."""
    repeats, _, units = per_unit.shape
    draws = rng.multinomial(units, np.full(units, 1 / units), size=RESAMPLES).astype(np.float64)
    mixes = rng.multinomial(repeats, np.full(repeats, 1 / repeats), size=RESAMPLES) / repeats
    hits = np.einsum("br,rsu,bu->bs", mixes, per_unit, draws, optimize=True)
    return np.asarray(hits / (draws @ sizes)[:, None])


def photos_weight(recalls: Floats, held: float) -> Floats:
    """Return the weight of each point, float64 (S,): one by the variance of a share, kept from 0 by one more photo."""
    smoothed = (recalls * held + 1) / (held + 2)
    return np.asarray(held / (smoothed * (1 - smoothed)))


def fit_power(photos: Floats, errors: Floats, weights: Floats) -> Floats:
    """Fit error = a n^-b + c with a, c >= 0 by weighted least squares: float64 (R, 3), a, b, c of each of R curves.

    For each b on a grid from 0.05 to 1 the best a and c have a closed form.

    Args:
        photos: float64 (S,).
        errors: float64 (R, S).
        weights: float64 (S,).
    """
    best, least = np.zeros((len(errors), 3)), np.full(len(errors), np.inf)
    for power in _POWERS:
        falling = photos**-power
        scale, floor = _line(falling, errors, weights)
        misfit = ((errors - scale[:, None] * falling - floor[:, None]) ** 2 @ weights).ravel()
        better = misfit < least - 1e-12
        best[better] = np.stack([scale, np.full(len(errors), power), floor], axis=1)[better]
        least[better] = misfit[better]
    return best


def _line(x: Floats, errors: Floats, weights: Floats) -> tuple[Floats, Floats]:
    share = weights / weights.sum()
    middle, mean = float(x @ share), errors @ share
    scale = ((errors - mean[:, None]) * (x - middle)) @ share / float(((x - middle) ** 2) @ share)
    floor = mean - scale * middle
    through_zero = (errors * x) @ share / float((x * x) @ share)
    scale = np.where(floor < 0, through_zero, np.maximum(scale, 0.0))
    return scale, np.where(floor < 0, 0.0, np.where(scale > 0, floor, mean))


def recall(parameters: Floats, photos: float) -> Floats:
    """Return the recall of curves (..., 3) at a number of photos."""
    scale, power, floor = np.moveaxis(parameters, -1, 0)
    return np.asarray(1 - scale * photos**-power - floor)


def photos_for(parameters: Floats, bound: float) -> Floats:
    """Return the photos at which curves (..., 3) reach a recall; infinite where their floor lies above it."""
    scale, power, floor = np.moveaxis(np.asarray(parameters), -1, 0)
    room = 1 - bound - floor
    with np.errstate(over="ignore"):
        return np.where(room > 0, (scale / np.where(room > 0, room, 1.0)) ** (1 / power), np.inf)


def needed(fitted: Curve, bound: float) -> Need:
    """Return how many photos a recall needs, in all, or why that cannot be told.

    It cannot be told where the curve does not surely fall, where the answer lies beyond ten times the photos at hand,
    and where the ends of its interval lie more than a factor of 20 apart.
    """
    at_hand, now = fitted.available, fitted.at(fitted.available)
    if now.low >= bound:
        return Need(bound, Range(at_hand, at_hand, at_hand), f"reached: {now.percent()} is expected already")
    reach = percentiles(float(photos_for(fitted.parameters, bound)), photos_for(fitted.samples, bound))
    if len(fitted.photos) < _FEWEST_STEPS or not _surely_falls(fitted):
        return Need(bound, None, "cannot tell: recall does not surely grow with photos in what is at hand")
    if reach.low > REACH * at_hand:
        return Need(bound, None, f"out of reach: more than {REACH:.0f} times the photos at hand, if at all")
    if reach.value > REACH * at_hand or reach.high > _WIDE * max(reach.low, 1.0):
        high = "without end" if np.isinf(reach.high) else f"{reach.high:,.0f}"
        low = "what is at hand" if reach.low <= at_hand else f"{reach.low:,.0f} photos"
        return Need(bound, None, f"cannot tell: anything from {low} to {high} fits what was measured")
    return Need(bound, reach, f"about {reach.value:,.0f} photos [{reach.low:,.0f}, {reach.high:,.0f}] in all")


def _surely_falls(fitted: Curve) -> bool:
    gains = recall(fitted.samples, fitted.photos[-1]) - recall(fitted.samples, fitted.photos[0])
    return bool((gains > 0.01).mean() >= _FALLS)
