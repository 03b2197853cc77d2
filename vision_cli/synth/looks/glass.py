"""On glass or clear film: what is behind shows through, and light runs along it in a streak."""

from __future__ import annotations

import math

import numpy as np

from vision_cli.synth.looks.sample import Sample, blurred, slope

CASTS = False
NEEDS_SURFACE = False
REACH = 0.0


def apply(sample: Sample, rng: np.random.Generator) -> Sample:
    """Mix the colours with what is behind, and add a streak."""
    through, angle = rng.uniform(0.15, 0.45), rng.uniform(0, 2 * math.pi)
    at, width, strength = rng.uniform(-0.5, 0.5), rng.uniform(0.04, 0.2), rng.uniform(0.1, 0.5)
    behind = blurred(sample.ground, 0.02 * sample.size_px)
    mixed = sample.lit(sample.colour)
    mixed += np.float32(through) * (behind - mixed)
    place = slope(sample.size_px, sample.alpha.shape, angle) - np.float32(at)
    streak = np.float32(strength) * np.exp(-((place / np.float32(width)) ** 2))
    sample.colour = mixed + streak[..., None] * (np.float32(245) - mixed)
    return sample
