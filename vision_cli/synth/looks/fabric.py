"""Printed or sewn on cloth: matt, with the weave's threads."""

from __future__ import annotations

import math

import numpy as np

from vision_cli.synth.looks.sample import Sample, slope

CASTS = False
NEEDS_SURFACE = False
REACH = 0.0


def apply(sample: Sample, rng: np.random.Generator) -> Sample:
    """Lay warp and weft over the colours, and let the cloth's own texture through."""
    angle, period = rng.uniform(0, math.pi), rng.uniform(2.2, 4.5)
    depth, cover = rng.uniform(0.04, 0.14), rng.uniform(0.85, 1.0)
    turns = np.float32(2 * math.pi * sample.size_px / period)
    shape = sample.alpha.shape
    first = np.sin(turns * slope(sample.size_px, shape, angle))
    second = np.sin(turns * slope(sample.size_px, shape, angle + math.pi / 2))
    weave = 1 + np.float32(depth) * first * second
    sample.colour = sample.lit(sample.colour, grain=0.9) * weave[..., None]
    sample.alpha = sample.alpha * np.float32(cover)
    return sample
