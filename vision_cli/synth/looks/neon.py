"""A sign that shines: bright colours that do not ask for the scene's light, and a glow on what is around."""

from __future__ import annotations

import numpy as np

from vision_cli.synth.looks.sample import Sample, blurred, luminance

CASTS = False
NEEDS_SURFACE = False
REACH = 0.2
"""How far its light reaches, as a share of its size: three deviations of the widest glow."""


def apply(sample: Sample, rng: np.random.Generator) -> Sample:
    """Brighten the colours, and throw their light around."""
    power, reach, halo = rng.uniform(1.1, 1.5), rng.uniform(0.03, 0.07), rng.uniform(0.35, 0.8)
    grey = luminance(sample.colour)[..., None]
    vivid = np.clip((grey + np.float32(1.35) * (sample.colour - grey)) * np.float32(power) + 12, 0, 255)
    glow = blurred(vivid * sample.alpha[..., None], reach * sample.size_px)
    sample.colour = vivid + np.float32(0.25) * glow
    sample.spill = np.float32(halo) * glow
    return sample
