"""Ink on the surface itself: its texture shows through, and on a bright surface ink only darkens."""

from __future__ import annotations

import numpy as np

from vision_cli.synth.looks.sample import Sample, luminance

CASTS = False
NEEDS_SURFACE = True
REACH = 0.0
_BRIGHT = 130.0
_EVEN = 0.06
"""Deviation of a surface's texture up to which ink may only darken: below leaves nothing could be told of it."""


def apply(sample: Sample, rng: np.random.Generator) -> Sample:
    """Mix opaque ink and ink that multiplies what is below."""
    cover, grain, multiply = rng.uniform(0.82, 1.0), rng.uniform(0.6, 1.0), rng.uniform(0.2, 0.9)
    ink = sample.lit(sample.colour, grain=float(grain))
    level = float(luminance(sample.ground).mean())
    if level > _BRIGHT:
        even = min(1.0, _EVEN / (float(sample.grain.std()) + 1e-6))
        share = np.float32(multiply * even * min(1.0, (level - _BRIGHT) / 60))
        ink += share * (sample.ground * sample.colour * np.float32(1 / 255) - ink)
    sample.colour, sample.alpha = ink, sample.alpha * np.float32(cover)
    return sample
