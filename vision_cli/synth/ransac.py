"""A plane through points of which some lie elsewhere (RANSAC, Fischler and Bolles, 1981).

A plane is fitted as m . ray = 1 / depth, which is linear in m, and a point's residual m . p - 1 is how far it lies off
along its line of sight, as a share of its depth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]

_DRAWS = 96
_REFITS = 2
_LEAST_VOLUME = 1e-9


@dataclass(frozen=True, slots=True)
class Fit:
    """A plane through points.

    Attributes:
        m: float64 (3,), m . p = 1 for its points.
        inliers: bool (N,).
    """

    m: Points
    inliers: NDArray[np.bool_]

    @property
    def share(self) -> float:
        """Of the points that lie on it."""
        return float(self.inliers.mean())


def fit(points: Points, inlier_share: float, rng: np.random.Generator) -> Fit | None:
    """Fit one plane; None when no three points span one that the camera sees.

    Args:
        points: float64 (N, 3), z above 0.
        inlier_share: of its depth that a point may lie off.
        rng: for the draws.
    """
    if len(points) < 3:
        return None
    triples = points[rng.integers(0, len(points), (_DRAWS, 3))]
    sound = np.abs(np.linalg.det(triples / triples[..., 2:])) > _LEAST_VOLUME
    if not sound.any():
        return None
    candidates = np.linalg.solve(triples[sound], np.ones((int(sound.sum()), 3, 1)))[..., 0]
    near = np.abs(points @ candidates.T - 1) < inlier_share
    best = near[:, int(near.sum(axis=0).argmax())]
    m = np.zeros(3)
    for _ in range(_REFITS):
        m = _least_squares(points[best])
        best = np.abs(points @ m - 1) < inlier_share
        if best.sum() < 3:
            return None
    return Fit(m, best)


def _least_squares(points: Points) -> Points:
    """Return m that makes m . ray nearest to 1 / depth: errors as shares of depth, whatever the depth."""
    view = points / points[:, 2:]
    return np.asarray(np.linalg.lstsq(view, 1 / points[:, 2], rcond=None)[0])
