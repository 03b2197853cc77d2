"""Pressed into the surface: no colour of its own but a tint, and edges that catch the light."""

from __future__ import annotations

import math

import cv2
import numpy as np

from vision_cli.synth.looks.sample import Sample, blurred, luminance

CASTS = False
NEEDS_SURFACE = True
REACH = 0.0


def apply(sample: Sample, rng: np.random.Generator) -> Sample:
    """Shade what is below by the slope of the object's lightness, as a height."""
    angle, strength = rng.uniform(0, 2 * math.pi), rng.uniform(1.4, 2.6)
    tint = rng.uniform(0.12, 0.25) * (1 if rng.random() < 0.5 else -1)
    level = luminance(sample.colour)
    seen = level[sample.alpha > 0.5]
    low, high = (float(seen.min()), float(seen.max())) if seen.size else (0.0, 255.0)
    raised = np.float32(0.4) + np.float32(0.6 / max(high - low, 24)) * (level - np.float32(low))
    height = blurred(raised * sample.alpha, max(0.8, 0.006 * sample.size_px))
    right, down = (cv2.Sobel(height, cv2.CV_32F, *axis, ksize=1, scale=0.5) for axis in ((1, 0), (0, 1)))
    relief = np.float32(math.cos(angle)) * right + np.float32(math.sin(angle)) * down
    pressed = sample.ground * (1 + np.float32(tint) + np.float32(strength) * relief)[..., None]
    sample.colour = pressed + np.float32(22 * np.sign(tint))
    return sample
