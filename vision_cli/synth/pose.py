"""Where an object hangs in the scene: a rectangle in space, and the four corners of its picture.

The camera is that of `scene.py`, where a pixel's centre has whole coordinates. Here corners count edges: the photo
reaches from (0, 0) to (W, H), and the centre of its first pixel is at (0.5, 0.5).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]

Point = tuple[float, float, float]

_UP: Point = (0.0, -1.0, 0.0)
_AWAY: Point = (0.0, 0.0, 1.0)
_LYING = 0.7
"""Of a normal's upright share from which on a surface is a floor or a table: what lies there has no upright."""

_FEWEST_TURNS, _MOST_TURNS, _SIZE_TOLERANCE = 3, 20, 0.015
_NEAREST = 0.05
_UNIT = ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5))


@dataclass(frozen=True, slots=True)
class Camera:
    """A pinhole in the middle of the photo.

    Attributes:
        shape: (H, W) of the photo.
        focal_px: focal length in pixels.
    """

    shape: tuple[int, int]
    focal_px: float

    def ray(self, x: float, y: float) -> Vector:
        """Return the direction of a point of the photo, which counts edges; its z is 1."""
        height, width = self.shape
        return np.array([(x - width / 2) / self.focal_px, (y - height / 2) / self.focal_px, 1.0])


@dataclass(frozen=True, slots=True)
class Frame:
    """Axes on a surface, each of length 1.

    Attributes:
        at: the point of the surface that an object's centre lies on.
        right: along the object's width.
        down: along its height.
        normal: out of the surface, to the camera.
    """

    at: Vector
    right: Vector
    down: Vector
    normal: Vector


def is_lying(normal: Vector) -> bool:
    """Tell whether a surface is a floor, a table or a ceiling."""
    return bool(abs(normal[1]) > _LYING)


def frame(at: Vector, normal: Vector, angle_deg: float) -> Frame:
    """Return axes on a surface: upright, or away from the camera where it lies, then turned by an angle, clockwise."""
    a, b, c = (float(value) for value in normal)
    x, y, z = _AWAY if abs(b) > _LYING else _UP
    along = x * a + y * b + z * c
    x, y, z = x - along * a, y - along * b, z - along * c
    length = math.sqrt(x * x + y * y + z * z)
    up = (x / length, y / length, z / length) if length > 1e-6 else _UP
    right = _cross(up, (a, b, c))
    cos, sin = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
    turned = [cos * r - sin * u for r, u in zip(right, up, strict=True)]
    down = [-sin * r - cos * u for r, u in zip(right, up, strict=True)]
    return Frame(at, np.array(turned), np.array(down), normal)


def leaned(normal: Vector, view: Vector, lean_deg: float, around_deg: float) -> Vector:
    """Return a normal turned by an angle around an axis in its surface; as it was if it would turn away."""
    flat = float(normal[0]), float(normal[1]), float(normal[2])
    first = _cross(flat, _UP if abs(flat[1]) < _LYING else _AWAY)
    length = math.sqrt(sum(value * value for value in first))
    first = first[0] / length, first[1] / length, first[2] / length
    second = _cross(flat, first)
    around, lean = math.radians(around_deg), math.radians(lean_deg)
    cos, sin, keep, aside = math.cos(around), math.sin(around), math.cos(lean), math.sin(lean)
    turned = [keep * n + aside * (cos * one + sin * other) for n, one, other in zip(flat, first, second, strict=True)]
    return np.array(turned) if sum(one * other for one, other in zip(turned, view, strict=True)) < 0 else normal


def _cross(one: Point, other: Point) -> Point:
    (a, b, c), (x, y, z) = one, other
    return b * z - c * y, c * x - a * z, a * y - b * x


def quad(camera: Camera, on: Frame, aspect: float, size_px: float) -> tuple[Vector, float] | None:
    """Return the corners float64 (4, 2) of an object whose upright box has a longer side of so many pixels.

    From top left clockwise as the object sees itself, and its width in space.

    Returns:
        None where a part of it would be behind the camera, or it cannot be so large there.
    """
    at, right, down = on.at.tolist(), on.right.tolist(), on.down.tolist()
    width = size_px * at[2] / camera.focal_px
    half_height, half_width = camera.shape[0] / 2, camera.shape[1] / 2
    corners: list[tuple[float, float]] = []
    for turn in range(_MOST_TURNS):
        corners.clear()
        for across, along in _UNIT:
            r, d = across * width, along * width / aspect
            x, y, z = (at[axis] + r * right[axis] + d * down[axis] for axis in range(3))
            if z < _NEAREST * at[2]:
                return None
            corners.append((x / z * camera.focal_px + half_width, y / z * camera.focal_px + half_height))
        columns, rows = zip(*corners, strict=True)
        longer = max(max(columns) - min(columns), max(rows) - min(rows))
        if longer <= 0:
            return None
        if turn >= _FEWEST_TURNS - 1 and abs(longer - size_px) <= _SIZE_TOLERANCE * size_px:
            return np.array(corners), width
        width *= size_px / longer
    return None


def area(corners: Vector) -> float:
    """Return the area of a polygon (N, 2), positive where it runs clockwise on the screen."""
    points = corners.tolist()
    return float(sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in pairwise([*points, points[0]]))) / 2


def sides(corners: Vector) -> list[float]:
    """Return the lengths of a polygon's sides, the first from its first corner to its second."""
    points = corners.tolist()
    return [math.hypot(x1 - x0, y1 - y0) for (x0, y0), (x1, y1) in pairwise([*points, points[0]])]


def slimness(corners: Vector) -> float:
    """Return how much narrower a quadrilateral is than long: 1 for a square, towards 0 for one seen from the side."""
    across = max(*sides(corners), 1e-6)
    return area(corners) / (across * across)


def homography(corners: Vector, width: float, height: float) -> Vector:
    """Return float64 (3, 3): from edges of a picture of this size to those of the photo."""
    source = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    return np.asarray(cv2.getPerspectiveTransform(source, corners.astype(np.float32)), np.float64)


def overlap(one: Vector, other: Vector) -> float:
    """Return the area in which two convex quadrilaterals meet."""
    low = np.maximum(one.min(axis=0), other.min(axis=0))
    high = np.minimum(one.max(axis=0), other.max(axis=0))
    if (low >= high).any():
        return 0.0
    return float(cv2.intersectConvexConvex(one.astype(np.float32), other.astype(np.float32))[0])
