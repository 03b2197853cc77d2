"""Photos of rooms that these tests build, with the depth and the walls that they were built of: truth from outside."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Room:
    """A box seen from inside.

    Attributes:
        photo: uint8 (H, W, 3).
        depth: float64 (H, W), along the camera's axis, metres.
        wall: int (H, W), 0 floor, 1 ceiling, 2 left, 3 right, 4 back.
        normals: float64 (5, 3), of the walls in the camera's coordinates, into the room.
        focal_px: of the camera.
        gravity: float64 (3,), in the camera's coordinates.
    """

    photo: NDArray[np.uint8]
    depth: Floats
    wall: NDArray[np.int64]
    normals: Floats
    focal_px: float
    gravity: Floats


def build(pitch_deg: float, yaw_deg: float, seed: int = 0, size: tuple[int, int] = (640, 480)) -> Room:
    """Build a tiled, panelled room; the camera looks down by `pitch_deg` and to the right by `yaw_deg`."""
    width, height = size
    focal = width / 2 / math.tan(math.radians(30))
    columns, rows = np.meshgrid(np.arange(width), np.arange(height))
    view = np.stack(
        ((columns - (width - 1) / 2) / focal, (rows - (height - 1) / 2) / focal, np.ones((height, width))), axis=-1
    )
    turn = _turn(pitch_deg, yaw_deg)  # camera to room
    sight = view @ turn.T
    # Room: x right, y down, z ahead, the camera at the origin; each wall is axis, place, and what is textured on it.
    walls = [(1, 1.5), (1, -1.3), (0, -2.2), (0, 2.4), (2, 5.0)]
    with np.errstate(divide="ignore"):
        away = np.stack([place / sight[..., axis] for axis, place in walls])
    away[away <= 0] = np.inf
    wall = away.argmin(axis=0)
    depth = away.min(axis=0)
    points = sight * depth[..., None]
    colour = np.zeros((height, width, 3))
    rng = np.random.default_rng(seed)
    for index, (axis, _) in enumerate(walls):
        others = [k for k in range(3) if k != axis]
        here = wall == index
        colour[here] = _texture(index, points[here][:, others], rng)
    colour = cv2.GaussianBlur(colour, (0, 0), 0.6) + rng.normal(0, 2, colour.shape)
    normals = np.array([-math.copysign(1, place) * np.eye(3)[axis] for axis, place in walls]) @ turn
    return Room(colour.clip(0, 255).astype(np.uint8), depth, wall, normals, focal, np.array([0, 1, 0]) @ turn)


def _turn(pitch_deg: float, yaw_deg: float) -> Floats:
    pitch, yaw = math.radians(pitch_deg), math.radians(yaw_deg)
    down = np.array([[1, 0, 0], [0, math.cos(pitch), math.sin(pitch)], [0, -math.sin(pitch), math.cos(pitch)]])
    right = np.array([[math.cos(yaw), 0, math.sin(yaw)], [0, 1, 0], [-math.sin(yaw), 0, math.cos(yaw)]])
    return right @ down


def _texture(wall: int, at: Floats, rng: np.random.Generator) -> Floats:
    """Colour points of a wall (N, 2) in metres: floor tiles, a plain ceiling with a lamp, panelled walls."""
    if wall == 0:
        tiles = np.floor(at / 0.5).astype(int)
        grout = (np.abs(at / 0.5 - np.rint(at / 0.5)) < 0.03).any(axis=1)
        shade = 120 + 25 * ((tiles.sum(axis=1) % 2) == 0)
        base = shade[:, None] * np.array([1.0, 0.85, 0.65])
        base[grout] = (70, 60, 50)
        return base
    if wall == 1:
        base = np.full((len(at), 3), 228.0)
        base[(np.abs(at[:, 0]) < 0.4) & (np.abs(at[:, 1] - 2.5) < 0.4)] = (250, 250, 240)
        return base
    paint = np.array([(200, 190, 170), (170, 185, 200), (185, 205, 180)][wall - 2], float)
    base = np.tile(paint, (len(at), 1))
    across = at[:, 1] if wall < 4 else at[:, 0]
    height = at[:, 0] if wall < 4 else at[:, 1]
    base[np.abs(height - 0.45) < 0.03] = (120, 100, 80)  # a rail along the wall
    base[height > 0.48] *= 0.8
    frame = (np.abs(across - np.rint(across / 1.6) * 1.6) < 0.5) & (height > -0.8) & (height < 0.1)
    inner = (np.abs(across - np.rint(across / 1.6) * 1.6) < 0.45) & (height > -0.75) & (height < 0.05)
    base[frame] = (90, 60, 40)
    base[inner] = rng.integers(60, 200, 3)
    return base
