"""A card, sticker, board or enamel sign: opaque, with a sheen."""

from __future__ import annotations

import math

import numpy as np

from vision_cli.synth.looks.sample import Sample, slope

CASTS = True
NEEDS_SURFACE = False
REACH = 0.0
_SHEEN = 0.16
_GLARE_SHARE = 0.3


def apply(sample: Sample, rng: np.random.Generator) -> Sample:
    """Light the object, more on one side than on the other; now and then a lamp is seen in it."""
    angle, sheen = rng.uniform(0, 2 * math.pi), rng.normal(0, _SHEEN)
    glare, at, width = rng.random() < _GLARE_SHARE, rng.uniform(-0.5, 0.5), rng.uniform(0.05, 0.3)
    strength = rng.uniform(0.08, 0.5)
    ramp = slope(sample.size_px, sample.alpha.shape, angle)
    lit = sample.lit(sample.colour) * (1 + np.float32(sheen) * ramp)[..., None]
    if glare:
        band = np.float32(strength) * np.exp(-(((ramp - np.float32(at)) / np.float32(width)) ** 2))
        lit += band[..., None] * (np.float32(235) - lit)
    sample.colour = lit
    return sample
