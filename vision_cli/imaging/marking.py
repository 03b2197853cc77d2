"""Thumbnails with boxes drawn on them."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vision_cli.imaging.draw import thumbnail
from vision_cli.imaging.modes import with_channels

_QUIET, _LOUD, _EDGE = (255, 255, 255), (255, 45, 85), (20, 20, 24)
_AROUND_PX = 12


def marked(
    photo: NDArray[np.uint8], boxes: NDArray[np.float64], loud: NDArray[np.bool_], *, max_px: int
) -> NDArray[np.uint8]:
    """Return a thumbnail with boxes; a box that leaves the photo goes on in a grey margin.

    Args:
        photo: uint8 (H, W, C).
        boxes: float64 (N, 4), left, top, right, bottom as shares of the photo's width and height.
        loud: bool (N,), boxes that are drawn last, thick and red; the others thin and white.
        max_px: longer side of the photo in the thumbnail.
    """
    small = thumbnail(with_channels(photo, 3), max_px)
    height, width = small.shape[:2]
    edges = np.nan_to_num(boxes) * (width, height, width, height)
    out = bool((edges[:, :2] < -1).any() or (edges[:, 2:] > np.array([width, height]) + 1).any())
    margin = _AROUND_PX if out else 0
    canvas = np.full((height + 2 * margin, width + 2 * margin, 3), 128, np.uint8)
    canvas[margin : margin + height, margin : margin + width] = small
    for number in (*np.flatnonzero(~loud).tolist(), *np.flatnonzero(loud).tolist()):
        _draw(canvas, edges[number] + margin, loud=bool(loud[number]))
    return canvas


def _draw(canvas: NDArray[np.uint8], edges: NDArray[np.float64], *, loud: bool) -> None:
    """Draw one box over a dark line, so that it shows on any photo; boxes of no area get a cross."""
    limit = max(canvas.shape) + 8
    left, top, right, bottom = (int(value) for value in np.clip(np.round(edges), -8, limit))
    thin = 2 if loud else 1
    if loud and min(right - left, bottom - top) < 3:
        cv2.drawMarker(canvas, ((left + right) // 2, (top + bottom) // 2), _EDGE, cv2.MARKER_TILTED_CROSS, 16, 4)
        cv2.drawMarker(canvas, ((left + right) // 2, (top + bottom) // 2), _LOUD, cv2.MARKER_TILTED_CROSS, 16, 2)
        return
    corners = (max(left, 0), max(top, 0)), (min(right, canvas.shape[1] - 1), min(bottom, canvas.shape[0] - 1))
    cv2.rectangle(canvas, *corners, _EDGE, thin + 2)
    cv2.rectangle(canvas, *corners, _LOUD if loud else _QUIET, thin)
