"""Smooth random fields, the raw material of terrain, clouds and texture."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

# Computed in float32; the stubs of numpy call a product with a plain number float64.
Field = NDArray[np.floating[Any]]

_PERIOD = 256


def smoothstep(low: float, high: float, value: Field) -> Field:
    """Rise from 0 at `low` to 1 at `high` without a corner; falls if `low` > `high`."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), dtype=np.float32)


class Noise:
    """Value noise on an endless plane that repeats every 256 cells."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._grid = (rng.random((_PERIOD, _PERIOD)) * 2 - 1).astype(np.float32)

    def value(self, x: Field, y: Field) -> Field:
        """Return the field at (x, y), in cells; -1..1."""
        left, top = np.floor(x), np.floor(y)
        u, v = x - left, y - top
        u, v = u * u * (3 - 2 * u), v * v * (3 - 2 * v)
        i, j = left.astype(np.int64) % _PERIOD, top.astype(np.int64) % _PERIOD
        i2, j2 = (i + 1) % _PERIOD, (j + 1) % _PERIOD
        upper = self._grid[j, i] * (1 - u) + self._grid[j, i2] * u
        lower = self._grid[j2, i] * (1 - u) + self._grid[j2, i2] * u
        return np.asarray(upper * (1 - v) + lower * v, dtype=np.float32)

    def fractal(self, x: Field, y: Field, octaves: int = 4) -> Field:
        """Sum octaves of halving amplitude; about -1..1."""
        total = np.zeros(np.broadcast_shapes(x.shape, y.shape), np.float32)
        for octave in range(octaves):
            total += self.value(x + 17.3 * octave, y - 9.7 * octave) * 0.5**octave
            # Each octave is turned, so the grid's own direction does not show.
            x, y = (0.8 * x - 0.6 * y) * 2.03, (0.6 * x + 0.8 * y) * 2.03
        return total / 1.5

    def ridged(self, x: Field, y: Field, octaves: int = 6) -> Field:
        """Sum folded octaves, each strong only on the ridges of the one before; 0..1.

        Source: F. K. Musgrave's ridged multifractal, "Texturing and Modeling" (2003), chapter 16.
        """
        total = np.zeros(np.broadcast_shapes(x.shape, y.shape), np.float32)
        weight = np.ones_like(total)
        for octave in range(octaves):
            fold = (1 - np.abs(self.value(x + 31.1 * octave, y + 5.9 * octave))) ** 2
            total += fold * weight * 0.5**octave
            weight = np.clip(fold * 1.6, 0, 1)
            x, y = (0.8 * x - 0.6 * y) * 2.07, (0.6 * x + 0.8 * y) * 2.07
        return total / 1.9
