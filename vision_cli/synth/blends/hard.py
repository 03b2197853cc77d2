"""A pixel is the object's or the photo's, as scissors cut."""

from __future__ import annotations

import numpy as np

from vision_cli.synth.looks.sample import Sample


def apply(sample: Sample) -> Sample:
    """Cover each pixel as the densest is covered, or not at all."""
    most = float(sample.alpha.max(initial=0.0))
    sample.alpha = np.where(sample.alpha >= 0.5 * most, np.float32(most), np.float32(0))
    return sample
