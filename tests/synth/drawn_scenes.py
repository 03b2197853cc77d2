"""Scenes whose planes are known because these tests built them, and logos drawn for them."""

from __future__ import annotations

import functools
from pathlib import Path

import cv2
import numpy as np
import painted_rooms
from numpy.typing import NDArray

from vision_cli.synth.logos import Logo, LogoBook, of_pixels
from vision_cli.synth.scene import Background, Plane, Scene

COINS = Path(__file__).parents[3] / "shared" / "data" / "logos" / "crypto_color_128"
CARDS = Path(__file__).parents[3] / "shared" / "data" / "cards" / "templates"
PHOTOS = Path(__file__).parents[3] / "shared" / "data" / "coco128_train" / "images" / "train2017"


@functools.cache
def room(pitch_deg: float = 12, yaw_deg: float = 20, seed: int = 0) -> tuple[Background, Scene]:
    """Return a room with its true regions, depth and planes."""
    built = painted_rooms.build(pitch_deg, yaw_deg, seed)
    depth = (built.depth / np.median(built.depth)).astype(np.float32)
    planes = [_plane(wall, built, depth) for wall in range(5) if (built.wall == wall).sum() > 2000]
    grey = cv2.cvtColor(built.photo, cv2.COLOR_RGB2GRAY)
    scene = Scene(
        regions=built.wall.astype(np.int16),
        depth=depth,
        focal_px=built.focal_px,
        planes=tuple(planes),
        shading=cv2.GaussianBlur(grey, (0, 0), 20),
        noise_sigma=2.0,
        jpeg_quality=None,
        blur_sigma=0.6,
        white=np.array([1.05, 1.0, 0.95], np.float32),
        horizon=None,
        rejected={},
    )
    return Background(built.photo, Path("room.png"), ""), scene


def _plane(wall: int, built: painted_rooms.Room, depth: NDArray[np.float32]) -> Plane:
    here = built.wall == wall
    rows, columns = np.nonzero(here)
    inside = cv2.distanceTransform(np.pad(here.astype(np.uint8), 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    y, x = np.unravel_index(int(inside.argmax()), inside.shape)
    height, width = depth.shape
    point = np.array([(x - (width - 1) / 2) / built.focal_px, (y - (height - 1) / 2) / built.focal_px, 1]) * depth[y, x]
    normal = built.normals[wall]
    tilt = np.degrees(np.arccos(abs(normal @ point) / np.linalg.norm(point)))
    bbox = int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1
    offset, area = float(normal @ point), int(here.sum())
    return Plane(
        wall, normal.astype(np.float32), offset, 1.0, float(tilt), area, bbox, (int(x), int(y)), float(inside[y, x])
    )


def book() -> LogoBook:
    """Return three classes, the first with two variants."""
    logos = (("disc", "red", _disc((210, 30, 30))), ("disc", "blue", _disc((20, 60, 200))))
    others = (("cross", "", _cross()), ("card", "", _card()))
    return LogoBook(tuple(of_pixels(rgba, name, variant) for name, variant, rgba in (*logos, *others)))


def one(logo: str) -> Logo:
    """Return one logo of `book`."""
    return next(each for each in book().logos if each.class_name == logo)


def _disc(colour: tuple[int, int, int]) -> NDArray[np.uint8]:
    rgba = np.zeros((128, 128, 4), np.uint8)
    cv2.circle(rgba, (64, 64), 60, (*colour, 255), -1, cv2.LINE_AA)
    cv2.circle(rgba, (64, 64), 24, (255, 255, 255, 255), -1, cv2.LINE_AA)
    return rgba


def _cross() -> NDArray[np.uint8]:
    rgba = np.zeros((100, 140, 4), np.uint8)
    rgba[40:60, 5:135] = rgba[5:95, 60:80] = (30, 160, 60, 255)
    return rgba


def _card() -> NDArray[np.uint8]:
    rgba = np.zeros((204, 144, 4), np.uint8)
    rgba[2:202, 2:142] = (240, 240, 235, 255)
    cv2.circle(rgba, (72, 102), 30, (200, 20, 20, 255), -1, cv2.LINE_AA)
    return rgba
