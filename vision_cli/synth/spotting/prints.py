"""What is looked for: a logo at the size at which matches are judged, and its features."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vision_cli.synth.logos import Logo

JUDGED_PX = 48
"""Longer side of a logo where a match is judged."""
RIM_PX = 5
"""Around it: its outline is part of what it looks like."""

_FEATURES_PX = 256
_FEATURES = 160
_PAPER = 128
_HALF = 0.5
_CALM = 8.0
"""Slopes of so many grey levels a pixel count half."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Print:
    """A logo, ready to be looked for. Frame: `JUDGED_PX` for its longer side, with a rim all around.

    Attributes:
        class_name: of the logo.
        variant: of the logo.
        size_px: (width, height) in its frame, without the rim.
        rgb: float32 (h, w, 3), 0 to 255, on grey paper.
        inside: bool (h, w), where it covers.
        around: bool (h, w), where it covers, and the rim.
        slopes: float32 (h, w, 2), as of `slopes_of`.
        variety: standard deviation inside, grey levels of all channels.
        points: float32 (K, 2), features' places in the frame.
        features: float32 (K, 128), of length 1.
    """

    class_name: str
    variant: str
    size_px: tuple[int, int]
    rgb: Floats
    inside: NDArray[np.bool_]
    around: NDArray[np.bool_]
    slopes: Floats
    variety: float
    points: Floats
    features: Floats


def print_of(logo: Logo) -> Print:
    """Prepare a logo."""
    rgba = drawn(logo, JUDGED_PX, RIM_PX)
    rgb, alpha = flattened(rgba)
    inside = alpha >= _HALF
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * RIM_PX - 3, 2 * RIM_PX - 3))
    around = cv2.dilate(inside.astype(np.uint8), kernel) > 0
    values = rgb[inside]
    points, features = _features(logo)
    height, width = rgba.shape[:2]
    return Print(
        class_name=logo.class_name,
        variant=logo.variant,
        size_px=(width - 2 * RIM_PX, height - 2 * RIM_PX),
        rgb=rgb,
        inside=inside,
        around=around,
        slopes=slopes_of(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)),
        variety=float(np.sqrt(((values - values.mean(axis=0)) ** 2).mean())) if len(values) else 0.0,
        points=points,
        features=features,
    )


def drawn(logo: Logo, longer_px: int, rim_px: int) -> NDArray[np.uint8]:
    """Return a logo uint8 (h, w, 4) whose longer side has so many pixels, with a clear rim around it."""
    height, width = logo.rgba.shape[:2]
    scale = longer_px / max(height, width)
    size = max(4, round(width * scale)), max(4, round(height * scale))
    rgba = cv2.resize(logo.rgba, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    sides = (rim_px,) * 4
    rim = cv2.copyMakeBorder(rgba, *sides, cv2.BORDER_REPLICATE)
    rim[..., 3] = cv2.copyMakeBorder(rgba[..., 3], *sides, cv2.BORDER_CONSTANT, value=0)
    return np.asarray(rim, np.uint8)


def flattened(rgba: NDArray[np.uint8]) -> tuple[Floats, Floats]:
    """Return a logo on grey paper, float32 (h, w, 3), and how much of each pixel it covers, float32 (h, w)."""
    alpha = rgba[..., 3].astype(np.float32) / 255
    rgb = rgba[..., :3] * alpha[..., None] + _PAPER * (1 - alpha[..., None])
    return np.asarray(rgb, np.float32), np.asarray(alpha, np.float32)


def slopes_of(grey: Floats) -> Floats:
    """Return float32 (h, w, 2): direction of the slope, its angle doubled, 0 where it is flat and 1 long where steep.

    With the angle doubled a dark logo on a bright wall and a bright one on a dark wall give the same.
    """
    across, down = cv2.Sobel(grey, cv2.CV_32F, 1, 0, scale=0.25), cv2.Sobel(grey, cv2.CV_32F, 0, 1, scale=0.25)
    power = across * across + down * down + np.float32(_CALM * _CALM)
    return np.stack([(across * across - down * down) / power, 2 * across * down / power], axis=-1)


def _features(logo: Logo) -> tuple[Floats, Floats]:
    rim = _FEATURES_PX // 8
    rgb, alpha = flattened(drawn(logo, _FEATURES_PX, rim))
    near = cv2.dilate((alpha >= _HALF).astype(np.uint8), np.ones((5, 5), np.uint8))
    places, found = features_of(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.uint8), _FEATURES, near)
    scale = JUDGED_PX / _FEATURES_PX
    return np.asarray((places - rim + 0.5) * scale - 0.5 + RIM_PX, np.float32), found


def features_of(grey: NDArray[np.uint8], most: int, mask: NDArray[np.uint8] | None = None) -> tuple[Floats, Floats]:
    """Return SIFT features (D. Lowe, IJCV 2004) as RootSIFT (R. Arandjelovic, A. Zisserman, CVPR 2012).

    Returns:
        Places float32 (K, 2) and descriptors float32 (K, 128) of length 1.
    """
    keypoints, found = cv2.SIFT.create(nfeatures=most).detectAndCompute(grey, mask)
    if found is None or not len(keypoints):
        return np.empty((0, 2), np.float32), np.empty((0, 128), np.float32)
    places = np.array([each.pt for each in keypoints], np.float32)
    rooted = np.sqrt(found / np.maximum(found.sum(axis=1, keepdims=True), 1e-6))
    return places, np.asarray(rooted, np.float32)
