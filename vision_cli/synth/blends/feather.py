"""Let the seam fade, inwards, so that the object gets no larger."""

from __future__ import annotations

import cv2
import numpy as np

from vision_cli.synth.looks.sample import Sample

_SIGMA_PX = 1.3


def apply(sample: Sample) -> Sample:
    """Cover less near the object's edge."""
    cover = sample.alpha
    faded = cv2.GaussianBlur(cover, (0, 0), _SIGMA_PX, borderType=cv2.BORDER_REPLICATE)
    sample.alpha = np.minimum(cover, np.clip(2 * faded - cover, 0, 1))
    return sample
