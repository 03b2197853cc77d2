"""Multinomial logistic regression with an L2 penalty, as scikit-learn's: |W|^2 / 2 + C sum of log losses.

Newton's method, each step by conjugate gradients on the exact Hessian (J. Nocedal and S. Wright, Numerical
Optimization, 2006, algorithm 7.1). Without scikit-learn, whose import alone takes longer than the fit.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_STEPS = 100
_INNER_STEPS = 200
_TOLERANCE = 1e-6
_SUFFICIENT = 1e-4
_SMALLEST_STEP = 1e-8


def fit(rows: Floats, hot: Floats, strength: float, start: Floats | None = None) -> tuple[Floats, Floats]:
    """Return weight (C, D) and bias (C,), which carries no penalty and adds up to 0.

    Args:
        rows: float64 (N, D).
        hot: float64 (N, C), 1 for each row's class and 0 elsewhere.
        strength: C of scikit-learn, the weight of the loss.
        start: float64 (D + 1, C), where to begin; zeros when None.
    """
    if hot.shape[1] == 2:  # scikit-learn has one weight for two classes, whose square is twice that of two halves
        strength /= 2
    space = np.hstack([rows, np.ones((len(rows), 1))])
    penalty = np.ones((space.shape[1], 1))
    penalty[-1] = 0.0
    at = np.zeros((space.shape[1], hot.shape[1])) if start is None else start.copy()
    value, share = _loss(at, space, hot, strength, penalty)
    for _ in range(_STEPS):
        slope = strength * (space.T @ (share - hot)) + penalty * at
        if np.abs(slope).max() <= _TOLERANCE * strength:
            break
        step = _direction(slope, _curvature(space, share, strength, penalty))
        at, value, share = _walk(at, step, slope, value, lambda where: _loss(where, space, hot, strength, penalty))
    return at[:-1].T, at[-1] - at[-1].mean()


def _loss(at: Floats, space: Floats, hot: Floats, strength: float, penalty: Floats) -> tuple[float, Floats]:
    """Return the objective, and the probabilities (N, C) there."""
    logits = space @ at
    logits -= logits.max(axis=1, keepdims=True)
    powers = np.exp(logits)
    total = powers.sum(axis=1, keepdims=True)
    value = strength * float((np.log(total[:, 0]) - (logits * hot).sum(axis=1)).sum())
    return value + 0.5 * float((penalty * at * at).sum()), powers / total


def _curvature(space: Floats, share: Floats, strength: float, penalty: Floats) -> Callable[[Floats], Floats]:
    def times(direction: Floats) -> Floats:
        moved = share * (space @ direction)
        moved -= share * moved.sum(axis=1, keepdims=True)
        return strength * (space.T @ moved) + penalty * direction

    return times


def _direction(slope: Floats, times: Callable[[Floats], Floats]) -> Floats:
    """Solve Hessian x = -slope by conjugate gradients, as far as it pays at this distance from the end."""
    found = np.zeros_like(slope)
    rest = -slope
    way, size = rest.copy(), float((rest * rest).sum())
    enough = min(0.1, size**0.25) ** 2 * size
    for _ in range(_INNER_STEPS):
        bent = times(way)
        curve = float((way * bent).sum())
        if curve <= 0 or size <= enough:
            break
        length = size / curve
        found += length * way
        rest = rest - length * bent
        size, before = float((rest * rest).sum()), size
        way = rest + (size / before) * way
    return found if found.any() else -slope


def _walk(
    at: Floats, step: Floats, slope: Floats, value: float, loss: Callable[[Floats], tuple[float, Floats]]
) -> tuple[Floats, float, Floats]:
    """Go along a step, halved until the objective falls enough (Armijo)."""
    length, falls = 1.0, float((slope * step).sum())
    while True:
        where = at + length * step
        new, share = loss(where)
        if new <= value + _SUFFICIENT * length * falls or length < _SMALLEST_STEP:
            return where, new, share
        length /= 2
