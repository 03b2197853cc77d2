"""A linear SVM with squared hinge, one class against the rest, as scikit-learn's LinearSVC (liblinear) minimises it.

|w|^2 / 2 + C sum of max(0, 1 - y w.x)^2, with the bias as the weight of one more feature that is always 1. Newton's
method over the photos inside the margin ends after a few steps (O. Chapelle, Training a Support Vector Machine in the
Primal, 2007, section 4).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_STEPS = 50
_TOLERANCE = 1e-9
_SHORTEST = 1e-10


def fit(rows: Floats, hot: Floats, strength: float) -> tuple[Floats, Floats]:
    """Return weight (C, D) and bias (C,), whose rows are positive for a class and negative for the others.

    Args:
        rows: float64 (N, D).
        hot: float64 (N, C), 1 for each row's class and 0 elsewhere.
        strength: C of scikit-learn, the weight of the loss.
    """
    space = np.hstack([rows, np.ones((len(rows), 1))])
    found = np.array([_machine(space, 2 * side - 1, strength) for side in hot.T])
    return found[:, :-1], found[:, -1]


def _machine(space: Floats, side: Floats, strength: float) -> Floats:
    """Return the weights (D,) of one machine; `side` is 1 for its class and -1 for the others."""
    at = np.zeros(space.shape[1])
    value = _loss(at, space, side, strength)
    for _ in range(_STEPS):
        inside = side * (space @ at) < 1
        near = space[inside]
        slope = at + 2 * strength * (near.T @ (near @ at - side[inside]))
        if np.abs(slope).max() <= _TOLERANCE * (1 + strength):
            break
        curvature = 2 * strength * (near.T @ near)
        curvature[np.diag_indices_from(curvature)] += 1.0
        step = -np.linalg.solve(curvature, slope)
        length = 1.0
        while (new := _loss(at + length * step, space, side, strength)) > value and length > _SHORTEST:
            length /= 2
        at, value = at + length * step, new
    return at


def _loss(at: Floats, space: Floats, side: Floats, strength: float) -> float:
    short = np.maximum(0.0, 1 - side * (space @ at))
    return 0.5 * float(at @ at) + strength * float(short @ short)
