"""How like the examples a photo is: what tells photos of no class apart.

Two cosines between a photo and the nearest class's mean: as it is, which parts photos of another world from the
examples, and seen from the mean of all examples, which parts other classes of the same world. Twice the first and once
the second, by three, had the best of both among twelve scores that were tried (docs/few_shot.md). One class alone has
nothing to be seen from but the origin, where the two are one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vision_cli.few_shot.heads import Floats, Ids, Rows, unit

PASSED = 0.95
"""Share of the left-out examples that the threshold lets pass."""


@dataclass(frozen=True, slots=True, eq=False)
class Likeness:
    """Where the examples lie.

    Attributes:
        centre: float64 (D,), the mean of all examples; zeros for one class.
        plain: float64 (C, D), the mean of each class at length 1.
        seen: float64 (C, D), the same as seen from the centre.
    """

    centre: Floats
    plain: Floats
    seen: Floats

    def of(self, embeddings: Rows | Floats) -> Floats:
        """Return float64 (N,), -1 to 1, of embeddings float32 (N, D)."""
        rows = unit(embeddings)
        return _both((rows @ self.plain.T).max(axis=1), (unit(rows - self.centre) @ self.seen.T).max(axis=1))


def _both(plain: Floats, seen: Floats) -> Floats:
    return np.asarray((2 * plain + seen) / 3)


def fit(embeddings: Rows, classes: Ids, size: int) -> Likeness:
    """Return where examples lie; each class has one.

    Args:
        embeddings: float32 (N, D).
        classes: int64 (N,), 0 .. size - 1.
        size: number of classes.
    """
    rows, hot = unit(embeddings), np.eye(size)[classes]
    centre = rows.mean(axis=0) if size > 1 else np.zeros(rows.shape[1])
    means = hot.T @ rows / hot.sum(axis=0)[:, None]
    return Likeness(centre, unit(means), unit(means - centre))


def left_out(embeddings: Rows, classes: Ids, size: int) -> Floats:
    """Return the likeness of each example to the others, float64 (N,); NaN where its class has no other.

    Args:
        embeddings: float32 (N, D).
        classes: int64 (N,), 0 .. size - 1.
        size: number of classes.
    """
    rows, hot = unit(embeddings), np.eye(size)[classes]
    number, sums, total = hot.sum(axis=0), hot.T @ rows, rows.sum(axis=0)
    found = np.full(len(rows), np.nan)
    for at, own in enumerate(classes):
        if number[own] < 2:
            continue
        counts = number - hot[at]
        centre = (total - rows[at]) / (len(rows) - 1) if size > 1 else np.zeros(rows.shape[1])
        means = (sums - np.outer(hot[at], rows[at])) / counts[:, None]
        others = Likeness(centre, unit(means), unit(means - centre))
        found[at] = others.of(rows[at : at + 1])[0]
    return found


def threshold(likeness: Floats) -> float | None:
    """Return what 95 of 100 left-out examples reach, of 20 or fewer all; None where no class has two.

    A photo of these classes is like one of the left-out examples, so that about 5 in 100 are refused (the conformal
    test of novelty, V. Vovk et al., Algorithmic Learning in a Random World, 2005).
    """
    known = np.sort(likeness[np.isfinite(likeness)])
    if not len(known):
        return None
    return float(known[int((1 - PASSED) * len(known))])
