"""Objects cut out of labelled photos: the second source beside drawn logos, for anything that has an outline."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from vision_cli.core.errors import DataError
from vision_cli.synth.labels import bounds
from vision_cli.synth.logos import LEAST_SIDE_PX, Logo, of_pixels

_QUAD_AGREES = 0.93
"""Intersection over union from which on an outline counts as that of a flat rectangle seen in perspective."""

_TOLERANCES = (0.02, 0.03, 0.045, 0.06, 0.08)
_SEAM_PX = 0.7


def cut(photo: NDArray[np.uint8], mask: NDArray[np.bool_], class_name: str, variant: str, *, rectify: bool) -> Logo:
    """Cut an object out of a photo.

    The outermost row of its pixels is left out: half of it is of the photo's background.

    Args:
        photo: uint8 (H, W, 3).
        mask: bool (H, W), its pixels.
        class_name: of the object.
        variant: which one it is.
        rectify: turn what is a flat rectangle in perspective to face the camera.

    Raises:
        DataError: nothing is in the mask, or too little for a cut-out.
    """
    found = bounds(mask)
    if found is None or min(found[2] - found[0], found[3] - found[1]) < LEAST_SIDE_PX:
        raise DataError(f"it is tiny: a cut-out needs {LEAST_SIDE_PX} pixels a side.")
    left, top, right, bottom = (max(0, found[0] - 2), max(0, found[1] - 2), found[2] + 2, found[3] + 2)
    part = np.ascontiguousarray(photo[top:bottom, left:right])
    inner = mask[top:bottom, left:right].astype(np.uint8) * np.uint8(255)
    inner = cv2.copyMakeBorder(inner, 1, 1, 1, 1, cv2.BORDER_CONSTANT)
    alpha = cv2.GaussianBlur(cv2.erode(inner, np.ones((3, 3), np.uint8)), (0, 0), _SEAM_PX)
    part = cv2.copyMakeBorder(part, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    rgba = np.ascontiguousarray(np.dstack([part, alpha]))
    corners = quadrilateral(alpha >= 128) if rectify else None
    if corners is not None:
        rgba = _facing(rgba, corners)
    return of_pixels(rgba, class_name, variant)


def parts(mask: NDArray[np.bool_]) -> list[NDArray[np.bool_]]:
    """Return the pieces of a mask that hang together, each bool (H, W), the largest first; tiny ones are left out."""
    number, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    sizes = {piece: int(stats[piece, cv2.CC_STAT_AREA]) for piece in range(1, number)}
    large = [piece for piece, area in sizes.items() if area >= LEAST_SIDE_PX * LEAST_SIDE_PX]
    return [labels == piece for piece in sorted(large, key=lambda piece: (-sizes[piece], piece))]


def quadrilateral(mask: NDArray[np.bool_]) -> NDArray[np.float32] | None:
    """Return the corners float32 (4, 2) of a mask that is one, clockwise from the top left; None of any other."""
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return None
    hull = cv2.convexHull(max(contours, key=cv2.contourArea))
    around = cv2.arcLength(hull, True)
    for tolerance in _TOLERANCES:
        corners = cv2.approxPolyDP(hull, tolerance * around, True)[:, 0]
        if len(corners) <= 4:
            break
    if len(corners) != 4:
        return None
    drawn = np.zeros(mask.shape, np.uint8)
    cv2.fillConvexPoly(drawn, corners.astype(np.int32), 1)
    both, either = np.count_nonzero((drawn > 0) & mask), np.count_nonzero((drawn > 0) | mask)
    return _ordered(corners.astype(np.float32)) if both >= _QUAD_AGREES * either else None


def _ordered(corners: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return corners clockwise on the screen, the one nearest to the top left first."""
    middle = corners.mean(axis=0)
    turned = corners[np.argsort(np.arctan2(*(corners - middle).T[::-1]))]
    return np.asarray(np.roll(turned, -int(turned.sum(axis=1).argmin()), axis=0), np.float32)


def _facing(rgba: NDArray[np.uint8], corners: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return a picture as seen from the front, at the size of its longest sides, with a margin that is transparent."""
    sides = np.linalg.norm(corners - np.roll(corners, -1, axis=0), axis=1)
    width, height = math.ceil(max(sides[0], sides[2])), math.ceil(max(sides[1], sides[3]))
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32) + 2
    transform = cv2.getPerspectiveTransform(corners, target)
    size = width + 4, height + 4
    faced = cv2.warpPerspective(rgba, transform, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    faced[[0, 1, -2, -1], :, 3] = 0
    faced[:, [0, 1, -2, -1], 3] = 0
    return np.asarray(faced, np.uint8)
