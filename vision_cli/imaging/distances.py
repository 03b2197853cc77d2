"""How far pixels lie from others."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray


def to_nearest_px(chosen: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the distance of each pixel to the nearest chosen one, in pixels, exact; infinite where none is chosen."""
    if not chosen.any():
        return np.full(chosen.shape, np.inf, dtype=np.float32)
    return np.asarray(cv2.distanceTransform((~chosen).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE))


def spread(values: NDArray[Any], known: NDArray[np.bool_], reach_px: float) -> NDArray[Any]:
    """Return a map (H, W) in which pixels take the value of the nearest known one, up to a distance.

    Distances are those of a 5 x 5 mask, within 3 % of the exact ones.

    Args:
        values: the map.
        known: bool (H, W).
        reach_px: pixels farther away keep their own value.
    """
    if known.all() or not known.any():
        return values.copy()
    distance, nearest = cv2.distanceTransformWithLabels(
        (~known).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    # OpenCV numbers the pixels that it starts from in the order of rows, from 1 on.
    found = np.concatenate([values[:1, 0], values[known]])[nearest]
    return np.asarray(np.where(known | (distance > reach_px), values, found))
