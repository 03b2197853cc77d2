"""Pictures of what analysis saw, for previews and pages: regions, depth, and grids drawn on the planes."""

from __future__ import annotations

import colorsys

import cv2
import numpy as np
from numpy.typing import NDArray

from vision_cli.synth.scene import Background, Plane, Scene, plane_axes, plane_depth, rays

Photo = NDArray[np.uint8]

_GOLDEN = 0.618034
_CELLS = 5  # of a grid across the room of a plane
_NORMAL_PX = 22


def steps(background: Background, scene: Scene) -> list[tuple[str, Photo]]:
    """Return the photo, its regions, its depth and its planes, each with a name; uint8 (H, W, 3)."""
    return [
        ("photo", background.photo),
        ("segments", segments(background, scene)),
        ("depth", depth(scene)),
        ("planes", planes(background, scene)),
    ]


def segments(background: Background, scene: Scene) -> Photo:
    """Colour each region that was kept; discarded ones are grey."""
    labels = scene.regions
    palette = np.array([_colour(k) for k in range(int(labels.max()) + 1)] + [(96, 96, 96)], np.float32)
    mixed = 0.45 * background.photo + 0.55 * palette[labels]  # NO_REGION is the last colour
    return _with_borders(mixed.astype(np.uint8), labels)


def depth(scene: Scene) -> Photo:
    """Colour depth: near is red, far is blue, by 1 / depth between its 2nd and 98th percentile."""
    inverse = 1 / scene.depth
    low, high = np.percentile(inverse, (2, 98))
    grey = (255 * np.clip((inverse - low) / max(high - low, 1e-9), 0, 1)).astype(np.uint8)
    return np.asarray(cv2.cvtColor(cv2.applyColorMap(grey, cv2.COLORMAP_TURBO), cv2.COLOR_BGR2RGB), np.uint8)


def planes(background: Background, scene: Scene) -> Photo:
    """Draw a square grid on every plane as it would look lying on it, and the plane's normal."""
    canvas = (background.photo * np.float32(0.6)).astype(np.uint8)
    view = rays(scene.shape, scene.focal_px)
    for plane in scene.planes:
        _grid(canvas, scene, plane, view)
    for plane in scene.planes:
        cv2.arrowedLine(canvas, plane.centre, _tip(plane, scene), (255, 255, 255), 1, cv2.LINE_AA, tipLength=0.3)
    return canvas


def _grid(canvas: Photo, scene: Scene, plane: Plane, view: NDArray[np.float32]) -> None:
    left, top, right, bottom = plane.bbox
    here = view[top:bottom, left:right]
    away = plane_depth(plane.normal, plane.offset, here)[..., None]
    points = here * away
    middle = points[plane.centre[1] - top, plane.centre[0] - left]
    cell = 2 * plane.room_px / scene.focal_px * float(middle[2]) / _CELLS
    mine = scene.regions[top:bottom, left:right] == plane.region
    lines = np.zeros_like(mine)
    for axis in plane_axes(plane.normal):
        index = np.floor((points - middle) @ axis / cell)
        lines[:, 1:] |= index[:, 1:] != index[:, :-1]
        lines[1:] |= index[1:] != index[:-1]
    part = canvas[top:bottom, left:right]
    colour = np.array(_colour(plane.region), np.float32)
    part[mine] = (0.75 * part[mine] + 0.25 * colour).astype(np.uint8)
    part[lines & mine] = colour.astype(np.uint8)


def _tip(plane: Plane, scene: Scene) -> tuple[int, int]:
    """Return where a normal of fixed length ends in the photo, seen in parallel projection."""
    x, y = plane.centre
    return round(x + _NORMAL_PX * float(plane.normal[0])), round(y + _NORMAL_PX * float(plane.normal[1]))


def _colour(region: int) -> tuple[int, int, int]:
    red, green, blue = colorsys.hsv_to_rgb((0.1 + region * _GOLDEN) % 1, 0.75, 1.0)
    return round(255 * red), round(255 * green), round(255 * blue)


def _with_borders(picture: Photo, labels: NDArray[np.int16]) -> Photo:
    border = np.zeros(labels.shape, bool)
    border[:, 1:] |= labels[:, 1:] != labels[:, :-1]
    border[1:] |= labels[1:] != labels[:-1]
    picture[border] = 255
    return picture
