"""Pixels as whole as the decimals of shares can tell: 0.101563 of 640 pixels is 65, not 65.00032."""

from __future__ import annotations

from typing import Any

import numpy as np

Floats = np.ndarray[Any, np.dtype[np.float64]]
Integers = np.ndarray[Any, np.dtype[np.int64]]

# Fewer decimals are taken for more with zeros left away: 0.5 is no number between 0.45 and 0.55.
_LEAST, _MOST = 6, 12
_NOISE = 1e-15
_ROUNDED = 9
_FINE_PX = 1e-4
_ROWS_AT_ONCE = 1 << 15


def half_steps(values: Floats, starts: Integers, counts: Integers) -> Floats:
    """Return float64 (N,): by how much each row's shares may have been rounded, half of their last decimal.

    Args:
        values: float64 (sum of counts,), the shares of all rows.
        starts: int64 (N,), where those of each row begin.
        counts: int64 (N,), how many they are; one at least.
    """
    parts = [np.zeros(0)]
    for first in range(0, len(counts), _ROWS_AT_ONCE):
        here = slice(first, first + _ROWS_AT_ONCE)
        low = int(starts[here][0])
        part = values[low : low + int(counts[here].sum())]
        parts.append(0.5 * 10.0 ** -np.maximum.reduceat(_decimals(part), starts[here] - low))
    return np.concatenate(parts)


def _decimals(values: Floats) -> Floats:
    """Return how many decimals each number has, 6 at least; one more than 12 for all beyond."""
    result = np.full(len(values), float(_LEAST))
    left = np.arange(len(values))
    for digits in range(_LEAST, _MOST + 1):
        units = values[left] * 10.0**digits
        left = left[np.abs(units - np.rint(units)) > _NOISE * 10.0**digits]
        if not len(left):
            break
        result[left] = digits + 1
    return result


def snapped(pixels: Floats, slack: Floats) -> Floats:
    """Return the whole number, or hundredth where shares are fine enough, that may have been meant; else nine decimals.

    Args:
        pixels: any shape.
        slack: the same shape; by how much each may be off, float noise apart.
    """
    scale = np.where(slack < _FINE_PX, 100.0, 1.0)
    near = np.rint(pixels * scale) / scale
    return np.where(np.abs(pixels - near) <= slack + 10.0**-_ROUNDED, near, np.round(pixels, _ROUNDED))


def boxes_of(centres: Floats, extents: Floats, sizes: Floats, steps: Floats) -> Floats:
    """Return float64 (N, 4): x, y, w, h in pixels, both edges snapped where something is left between them.

    Args:
        centres: float64 (N, 2), shares.
        extents: float64 (N, 2), shares.
        sizes: float64 (N, 2), width and height of the photos.
        steps: float64 (N,), by how much the shares may be off.
    """
    slack = 1.5 * steps[:, None] * sizes
    low, high = (centres - extents / 2) * sizes, (centres + extents / 2) * sizes
    near, far = snapped(low, slack), snapped(high, slack)
    flat = (far <= near) & (extents != 0)
    wide = np.where(flat, extents * sizes, np.where(extents == 0, 0.0, np.round(far - near, _ROUNDED)))
    return np.concatenate([np.where(flat, low, near), wide], axis=1)
