"""A thing out of another photo: opaque, with the light that it was photographed in."""

from __future__ import annotations

import numpy as np

from vision_cli.synth.looks.sample import Sample

CASTS = True
NEEDS_SURFACE = False
REACH = 0.0


def apply(sample: Sample, rng: np.random.Generator) -> Sample:
    """Put the object into the scene's light; its own shading stays."""
    sample.colour = sample.lit(sample.colour)
    return sample
