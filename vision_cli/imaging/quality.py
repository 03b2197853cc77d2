"""Figures of a photo's technical quality, all from one small copy of it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vision_cli.imaging.draw import thumbnail
from vision_cli.imaging.modes import with_channels

WORK_PX = 512
"""Longer side at which a photo is judged; smaller photos are judged as they are."""

_BLUR_TAPS = 9
_MIN_STEP = 0.2
_CLIPPED = 250


@dataclass(frozen=True, slots=True)
class Quality:
    """Of one photo.

    Attributes:
        blur: 0 sharp .. 1 blurred; NaN where nothing varies. See `blur`.
        luma_p5: 5th percentile of luma (ITU-R BT.601), 0..255.
        luma_p99: 99th percentile.
        clipped: share of pixels with luma 250 or more.
        spread: standard deviation of the colour channel that varies most, in grey levels.
    """

    blur: float
    luma_p5: float
    luma_p99: float
    clipped: float
    spread: float


def quality(photo: NDArray[np.uint8]) -> Quality:
    """Measure a photo uint8 (H, W, C)."""
    small = thumbnail(with_channels(photo, 3), WORK_PX)
    grey = with_channels(small, 1)[:, :, 0]
    counts = np.bincount(grey.ravel(), minlength=256)
    reached = np.cumsum(counts) / grey.size
    p5, p99 = (float(np.searchsorted(reached, share)) for share in (0.05, 0.99))
    deviation = cv2.meanStdDev(small)[1]
    clipped = float(counts[_CLIPPED:].sum() / grey.size)
    return Quality(blur(grey), p5, p99, clipped, float(np.max(deviation)))


def blur(grey: NDArray[np.uint8]) -> float:
    """Return how little a photo changes when it is blurred once more, 0..1; NaN where nothing varies.

    F. Crete et al., The Blur Effect: Perception and Estimation with a New No-Reference Perceptual Blur Metric, 2007:
    of the differences of neighbours, the share that a 9-tap mean along the same axis leaves; the larger of both axes.

    Args:
        grey: uint8 (H, W).
    """
    values = grey.astype(np.float32)
    along = (_blur_down(values), _blur_down(np.ascontiguousarray(values.T)))
    return max((each for each in along if each == each), default=float("nan"))


def _blur_down(values: NDArray[np.float32]) -> float:
    """Judge down the columns."""
    if values.shape[0] < _BLUR_TAPS:
        return float("nan")
    mean = np.asarray(cv2.blur(values, (1, _BLUR_TAPS), borderType=cv2.BORDER_REFLECT), np.float32)
    before, after = (np.abs(cv2.subtract(each[1:], each[:-1])) for each in (values, mean))
    total = float(before.sum())
    if total < _MIN_STEP * before.size:
        return float("nan")
    return 1.0 - float(cv2.subtract(before, after).clip(0).sum()) / total
