"""What a look is given and gives back."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_MOST_GRAIN = 0.1


@dataclass(slots=True, eq=False)
class Sample:
    """An object over the part of the photo that it covers.

    Attributes:
        colour: float32 (h, w, 3), 0 to 255, of the object as drawn.
        alpha: float32 (h, w), 0 to 1, how much of each pixel it covers.
        ground: float32 (h, w, 3), the background there, without whatever else was put on it.
        gain: float32 (h, w), light that falls on it, around 1.
        grain: float32 (h, w), texture of the surface that it is on, around 1.
        size_px: longer side of its box.
        spill: float32 (h, w, 3), light that it throws on what is around it; None for nearly all.
    """

    colour: Floats
    alpha: Floats
    ground: Floats
    gain: Floats
    grain: Floats
    size_px: float
    spill: Floats | None = None

    def lit(self, colour: Floats, *, grain: float = 0.0) -> Floats:
        """Return a colour as the light of its place shows it.

        Args:
            colour: float32 (h, w, 3).
            grain: 0 to 1, how much of the surface's texture comes through.
        """
        light = self.gain
        if grain:
            # Of leaves or gravel only a hint: nobody prints on them, and nothing could be told from them.
            kept = grain * min(1.0, _MOST_GRAIN / (float(self.grain.std()) + 1e-6))
            light = light * (1 + np.float32(kept) * (self.grain - 1))
        return colour * light[..., None]


def luminance(colour: Floats) -> Floats:
    """Return float32 (h, w), ITU-R BT.601 luma."""
    return np.asarray(cv2.cvtColor(colour, cv2.COLOR_RGB2GRAY), np.float32)


def blurred(field: Floats, sigma_px: float) -> Floats:
    """Return a smoother field, float32 (h, w) or (h, w, 3)."""
    return np.asarray(cv2.GaussianBlur(field, (0, 0), max(0.3, sigma_px)), np.float32)


def slope(size_px: float, shape: tuple[int, int], angle_rad: float) -> Floats:
    """Return float32 (h, w), a ramp through 0 in the window's middle, that rises by 1 over an object's size."""
    height, width = shape
    x = (np.arange(width, dtype=np.float32) - width / 2) * np.float32(np.cos(angle_rad) / size_px)
    y = (np.arange(height, dtype=np.float32) - height / 2) * np.float32(np.sin(angle_rad) / size_px)
    return x[None, :] + y[:, None]
