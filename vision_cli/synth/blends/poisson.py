"""Join gradients instead of colours (Perez et al., Poisson Image Editing, 2003), the stronger of the two at each pixel.

Solved in the object's window alone: by sine transforms, as products with small matrices, for what the result differs
from plain covering. That is zero at the window's border, and nothing where the photo below is smooth. In wide windows
it is solved at half the resolution.
"""

from __future__ import annotations

import functools
import math

import cv2
import numpy as np
from numpy.typing import NDArray

from vision_cli.synth.looks.sample import Floats, Sample, blurred, luminance

_STEP = 16
_WIDE_PX = 176
_TONE = 0.25
"""How far an object takes on the brightness of what is around it; the whole of it would wash its outline away."""

_MIXED = 0.55
"""How much of a stronger gradient of the photo comes through; all of it would make an object a stain on gravel."""


def apply(sample: Sample) -> Sample:
    """Let the surface's texture through where it is stronger, and take on some of its brightness."""
    ground, cover = sample.ground, sample.alpha
    toned = sample.colour + np.float32(_TONE) * _tone(ground, sample.colour, cover)[..., None]
    plain = np.asarray(ground + cover[..., None] * (toned - ground), np.float32)
    sources = _sources(ground, plain, cover)
    height, width = cover.shape
    factor = 1 + max(height, width) // _WIDE_PX
    if factor > 1:
        small = -(-width // factor), -(-height // factor)
        sources = cv2.resize(sources, small, interpolation=cv2.INTER_AREA) * np.float32(factor * factor)
        solved = cv2.resize(_solve(sources), (width, height), interpolation=cv2.INTER_LINEAR)
    else:
        solved = _solve(sources)
    sample.colour = toned + solved
    return sample


def _tone(under: Floats, colour: Floats, cover: Floats) -> Floats:
    """Return by how much the photo around an object is brighter, smoothly, float32 (h, w)."""
    rim = cover * (1 - cover) + np.float32(1e-4)
    sigma = max(2.0, 0.2 * max(cover.shape))
    small = max(4, cover.shape[1] // 8), max(4, cover.shape[0] // 8)
    brighter = (luminance(under) - luminance(colour)) * rim
    parts = [cv2.resize(each, small, interpolation=cv2.INTER_AREA) for each in (brighter, rim)]
    field = blurred(parts[0], sigma / 8) / blurred(parts[1], sigma / 8)
    return np.asarray(cv2.resize(field, cover.shape[::-1], interpolation=cv2.INTER_LINEAR), np.float32)


def _sources(under: Floats, plain: Floats, cover: Floats) -> Floats:
    """Return the divergence of what the stronger gradients have beyond those of plain covering."""
    result = np.zeros_like(plain)
    for axis in (0, 1):
        first = (slice(None, -1), slice(None)) if axis == 0 else (slice(None), slice(None, -1))
        second = (slice(1, None), slice(None)) if axis == 0 else (slice(None), slice(1, None))
        below, above = under[second] - under[first], plain[second] - plain[first]
        extra = np.where(np.abs(below) > np.abs(above), below - above, np.float32(0))
        extra *= (np.float32(_MIXED) * np.minimum(cover[first], cover[second]))[..., None]
        result[first] += extra
        result[second] -= extra
    return result


def _solve(sources: Floats) -> Floats:
    """Return float32 (h, w, 3) whose Laplacian these are, zero around the window."""
    height, width = sources.shape[:2]
    rows, columns = -(-height // _STEP) * _STEP, -(-width // _STEP) * _STEP
    padded = np.zeros((3, rows, columns), np.float32)
    padded[:, :height, :width] = sources.transpose(2, 0, 1)
    down, across = _sines(rows), _sines(columns)
    spectrum = down @ padded @ across
    spectrum *= _inverse(rows, columns)
    solved = down @ spectrum @ across
    return np.ascontiguousarray(solved[:, :height, :width].transpose(1, 2, 0))


@functools.lru_cache(64)
def _sines(number: int) -> NDArray[np.float32]:
    """Return the orthonormal sine transform (DST-I), which is its own inverse."""
    index = np.arange(1, number + 1)
    return (np.sin(np.outer(index, index) * math.pi / (number + 1)) * math.sqrt(2 / (number + 1))).astype(np.float32)


@functools.lru_cache(256)
def _inverse(rows: int, columns: int) -> NDArray[np.float32]:
    """Return one over the Laplacian's eigenvalues."""
    down = 2 * np.cos(np.arange(1, rows + 1) * math.pi / (rows + 1)) - 2
    across = 2 * np.cos(np.arange(1, columns + 1) * math.pi / (columns + 1)) - 2
    return np.asarray(1 / (down[:, None] + across[None, :]), np.float32)
