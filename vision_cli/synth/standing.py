"""Where things stand: floors and tables of a scene, and things upright on them, the smaller the farther."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vision_cli.synth.pose import Vector
from vision_cli.synth.scene import Plane, Scene, plane_depth, rays

_LIES = 0.7
"""Of a normal's upright share from which on something can stand there."""

_STEP_PX = 4
_DEPTH_BAND = 0.12
"""Logarithm of how far the depth of a spot may be off the one that a size asks for."""

_SAME_CLASS, _OTHER_CLASS = 0.12, 0.4
"""Deviations of the logarithm of a thing's own size, from others of its class and from other classes."""

_MOST_ROLL_DEG = 15.0


@dataclass(frozen=True, slots=True, eq=False)
class Spot:
    """A point of a floor.

    Attributes:
        x: in pixels of the photo, counting edges.
        y: likewise.
        depth: of the point, in the scene's units.
        plane: the floor.
    """

    x: float
    y: float
    depth: float
    plane: Plane


@dataclass(slots=True, eq=False)
class Floors:
    """All that one scene's things can stand on, and how large things are there.

    Attributes:
        planes: that face upwards.
        cells: int64 (N, 3): column, row and plane of points of them.
        depths: float64 (N,), of those points.
        focal_px: of the camera.
        roll_deg: how far the camera is turned, clockwise as the horizon shows it.
        heights: size in space of the things of each class that stand there already.
    """

    planes: tuple[Plane, ...]
    cells: NDArray[np.int64]
    depths: Vector
    focal_px: float
    roll_deg: float
    heights: dict[str, float] = field(default_factory=dict)

    def spot(
        self, class_name: str, size_px: float, limits: tuple[float, float], rng: np.random.Generator
    ) -> tuple[Spot, float] | None:
        """Return a place for a thing and its size there; None where none suits its size in space.

        The first thing of a scene has the size that is asked for, anywhere. By it the size in space of the others is
        known: they go to where they have the size that is asked for, or are as large as their place makes them.

        Args:
            class_name: of the thing.
            size_px: its longer side that is asked for.
            limits: of that size.
            rng: random numbers.
        """
        height, anywhere = self._height(class_name, rng), int(rng.integers(len(self.depths)))
        if height is None:
            return self._spot(anywhere), size_px
        fits = np.flatnonzero(np.abs(np.log(self.depths * (size_px / (height * self.focal_px)))) <= _DEPTH_BAND)
        chosen = int(fits[rng.integers(len(fits))]) if len(fits) else anywhere
        size_px = height * self.focal_px / float(self.depths[chosen])
        margin = math.exp(_DEPTH_BAND)
        if not limits[0] / margin <= size_px <= limits[1] * margin:
            return None
        return self._spot(chosen), size_px

    def note(self, class_name: str, size_px: float, depth: float) -> None:
        """Remember how large a thing of a class is."""
        self.heights.setdefault(class_name, size_px * depth / self.focal_px)

    def _height(self, class_name: str, rng: np.random.Generator) -> float | None:
        spread = rng.normal(0, 1)
        if class_name in self.heights:
            return self.heights[class_name] * math.exp(_SAME_CLASS * spread)
        if self.heights:
            return next(iter(self.heights.values())) * math.exp(_OTHER_CLASS * spread)
        return None

    def _spot(self, which: int) -> Spot:
        column, row, plane = self.cells[which].tolist()
        return Spot(column + 0.5, row + 0.5, float(self.depths[which]), self.planes[plane])


def floors_of(scene: Scene) -> Floors | None:
    """Return what things can stand on in a scene; None where there is nothing."""
    planes = tuple(plane for plane in scene.planes if plane.normal[1] < -_LIES)
    labels = scene.regions[::_STEP_PX, ::_STEP_PX]
    view = rays(scene.shape, scene.focal_px)[::_STEP_PX, ::_STEP_PX]
    cells, depths = [], []
    for number, plane in enumerate(planes):
        rows, columns = np.nonzero(labels == plane.region)
        depth = plane_depth(plane.normal, plane.offset, view[rows, columns])
        good = np.isfinite(depth) & (depth > 0)
        where = np.stack([columns * _STEP_PX, rows * _STEP_PX, np.full(len(rows), number)], axis=1)
        cells.append(where[good])
        depths.append(np.asarray(depth[good], np.float64))
    if not sum(map(len, depths)):
        return None
    slope = math.degrees(math.atan(scene.horizon[1])) if scene.horizon is not None else 0.0
    roll = float(np.clip(slope, -_MOST_ROLL_DEG, _MOST_ROLL_DEG))
    return Floors(planes, np.concatenate(cells), np.concatenate(depths), scene.focal_px, roll)


def upright(spot: Spot, aspect: float, size_px: float, angle_deg: float) -> Vector:
    """Return the corners float64 (4, 2) of a thing that stands on a spot as it was photographed, from its top left.

    Its picture is turned by an angle, clockwise, and not seen in perspective; the middle of its foot is on the spot.

    Args:
        spot: where it stands.
        aspect: its width divided by its height.
        size_px: longer side of its upright box.
        angle_deg: of the turn.
    """
    cos, sin = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
    across, along = aspect * abs(cos) + abs(sin), aspect * abs(sin) + abs(cos)
    height = size_px / max(across, along)
    half = aspect * height / 2
    local = np.array([[-half, -height], [half, -height], [half, 0.0], [-half, 0.0]])
    return np.asarray(local @ np.array([[cos, sin], [-sin, cos]]) + (spot.x, spot.y), np.float64)
