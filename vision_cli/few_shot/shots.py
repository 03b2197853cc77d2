"""k-shot accuracy: how right a head is that learned from k photos of each class, over several draws of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vision_cli.few_shot import heads
from vision_cli.few_shot.heads import Floats, Ids, Rows

_POWERS = np.linspace(0.05, 2.0, 79)
_FEWEST_SIZES = 3


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """What heads that learned from `shots` photos a class got right.

    Attributes:
        shots: photos a class.
        right: bool (draws, N), of the judged photos.
        recall: float64 (draws, C), of each class.
    """

    shots: int
    right: NDArray[np.bool_]
    recall: Floats

    @property
    def accuracies(self) -> Floats:
        """Return float64 (draws,)."""
        return np.asarray(self.right.mean(axis=1))


def draw(classes: Ids, size: int, seed: int, number: int) -> list[Ids]:
    """Return the photos of each class in an order by chance; the first k of each are a draw of k.

    A draw of 10 holds that of 5, so that their difference is that of the photos added.

    Args:
        classes: int64 (N,).
        size: number of classes.
        seed: of all draws.
        number: of this draw.
    """
    rng = np.random.default_rng([seed, number])
    return [rng.permutation(np.flatnonzero(classes == at)) for at in range(size)]


def trial(head: str, learn: tuple[Rows, Ids], judge: tuple[Rows, Ids], shots: int, seeds: tuple[int, int]) -> Trial:
    """Learn from k photos a class and judge others, once a draw.

    Args:
        head: a line of `heads.HEADS`.
        learn: float32 (N, D) and int64 (N,), classes 0 .. C-1, each with at least `shots` photos.
        judge: the photos that are judged, the same way.
        shots: k.
        seeds: seed and number of draws.
    """
    (rows, classes), (others, truth) = learn, judge
    size = int(classes.max()) + 1
    right, recall = [], []
    for number in range(seeds[1]):
        some = np.concatenate([each[:shots] for each in draw(classes, size, seeds[0], number)])
        said = heads.fit(head, rows[some], classes[some], size).logits(others).argmax(axis=1)
        right.append(said == truth)
        recall.append(
            [float((said[truth == at] == at).mean()) if (truth == at).any() else np.nan for at in range(size)]
        )
    return Trial(shots, np.array(right), np.array(recall))


def expected(shots: Sequence[int], accuracies: Sequence[float], more: int) -> float | None:
    """Return the accuracy to expect with more photos a class; None where three sizes are not there or it does not grow.

    The error falls as a power of the photos down to a floor: a k^-b + c (J. Hestness et al., Deep Learning Scaling is
    Predictable, Empirically, 2017, section 2), fitted by least squares with a, b and c of at least 0.

    Args:
        shots: photos a class that were tried, ascending.
        accuracies: mean of each.
        more: photos a class.
    """
    if len(shots) < _FEWEST_SIZES or accuracies[-1] <= accuracies[0]:
        return None
    k, errors = np.asarray(shots, np.float64), 1 - np.asarray(accuracies, np.float64)
    best, found = np.inf, None
    for power in _POWERS:
        for columns in (np.stack([k**-power, np.ones(len(k))], axis=1), (k**-power)[:, None]):
            parts, *_ = np.linalg.lstsq(columns, errors, rcond=None)
            misfit = float(((columns @ parts - errors) ** 2).sum())
            if (parts >= 0).all() and misfit < best:
                best, found = misfit, 1 - (parts[0] * more**-power + (parts[1] if len(parts) > 1 else 0.0))
    return None if found is None else float(np.clip(found, 0.0, 1.0))
