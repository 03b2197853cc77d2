"""What stands before an object: regions of the scene that are nearer, and pieces of it that are laid over."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from vision_cli.synth.logos import Logo
from vision_cli.synth.placement import Pose
from vision_cli.synth.scene import NO_REGION, Plane, Scene
from vision_cli.synth.warp import Layer

_NEARER = 0.93
_MOST_NEAR = 0.5
_FULL = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
_FACING = np.array([0.0, 0.0, -1.0])
_LEAST_PX = 12


def open_share(scene: Scene, layer: Layer) -> NDArray[np.float32] | None:
    """Return float32 (h, w): 0 where a nearer region hides an object, 1 where not; None where nothing hides it.

    A region hides as a whole where most of what it has in the window is nearer than the object, so that the edge is
    the region's own.
    """
    plane = layer.pose.plane
    if plane is None:
        return None
    labels = scene.regions[layer.window]
    near = scene.depth[layer.window] < np.float32(_NEARER * layer.pose.depth)
    near &= (labels != plane.region) & (labels != NO_REGION)
    if not near.any():
        return None
    shifted = labels.ravel().astype(np.int64) + 1
    number = int(shifted.max()) + 1
    hides = np.bincount(shifted[near.ravel()], minlength=number) > _MOST_NEAR * np.bincount(shifted, minlength=number)
    hides[[0, plane.region + 1] if plane.region + 1 < number else [0]] = False
    if not hides.any():
        return None
    hidden = hides[labels.astype(np.int64) + 1].astype(np.float32)
    return np.asarray(1 - cv2.GaussianBlur(hidden, (0, 0), 0.7), np.float32)


def piece(photo: NDArray[np.uint8], scene: Scene, target: Pose, rng: np.random.Generator) -> Pose | None:
    """Return a piece of the scene in a place where it hides a part of an object; None when there is none."""
    logo = _region(photo, scene, rng) if rng.random() < 0.6 else _strip(photo, rng)
    if logo is None:
        return None
    height, width = logo.rgba.shape[:2]
    longer = float(np.ptp(target.corners, axis=0).max())
    scale = longer * rng.uniform(0.35, 0.9) / max(width, height)
    if scale > 3:
        return None
    first, second = rng.integers(0, 4, 2)
    rim = target.corners[first] + rng.random() * (target.corners[second] - target.corners[first])
    centre = rim + rng.normal(0, 0.08, 2) * longer
    turn = rng.uniform(0, 2 * math.pi) if logo.variant == "strip" else rng.normal(0, 0.2)
    cos, sin = math.cos(turn), math.sin(turn)
    spans = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]]) * (width * scale, height * scale)
    corners = spans @ np.array([[cos, sin], [-sin, cos]]) + centre
    depth = 0.9 * target.depth
    return Pose(logo, corners, None, _FACING, -depth, depth, longer, math.degrees(turn), 0.0, False)


def _region(photo: NDArray[np.uint8], scene: Scene, rng: np.random.Generator) -> Logo | None:
    """Cut out a region of the scene."""
    if not scene.planes:
        return None
    plane: Plane = scene.planes[int(rng.integers(len(scene.planes)))]
    left, top, right, bottom = plane.bbox
    if min(right - left, bottom - top) < _LEAST_PX or (right - left) * (bottom - top) > 0.35 * scene.depth.size:
        return None
    window = slice(top, bottom), slice(left, right)
    mask = (scene.regions[window] == plane.region).astype(np.uint8) * np.uint8(255)
    return Logo("", "region", np.dstack([photo[window], cv2.GaussianBlur(mask, (0, 0), 0.8)]), _FULL, 1.0)


def _strip(photo: NDArray[np.uint8], rng: np.random.Generator) -> Logo | None:
    """Cut a rounded strip out of the photo: what a finger, a pole or a branch leaves of an object."""
    long = int(rng.uniform(0.15, 0.5) * min(photo.shape[:2]))
    wide = max(_LEAST_PX, int(long * rng.uniform(0.12, 0.45)))
    if long + 1 >= min(photo.shape[:2]):
        return None
    top, left = int(rng.integers(photo.shape[0] - long)), int(rng.integers(photo.shape[1] - wide))
    alpha = np.zeros((long, wide), np.uint8)
    radius = wide // 2
    cv2.line(alpha, (radius, radius), (radius, long - radius - 1), 255, max(1, 2 * radius - 1), cv2.LINE_AA)
    part = photo[top : top + long, left : left + wide]
    return Logo("", "strip", np.dstack([part, alpha]), _FULL, 1.0)
