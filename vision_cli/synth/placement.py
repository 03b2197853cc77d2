"""Choose surfaces and poses: by weight, at the size that was drawn first, so that sizes follow what was asked for."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, field
from itertools import accumulate

import numpy as np

from vision_cli.synth.logos import Logo
from vision_cli.synth.pose import (
    Camera,
    Vector,
    area,
    frame,
    homography,
    is_lying,
    leaned,
    overlap,
    quad,
    slimness,
)
from vision_cli.synth.scene import Plane, Scene
from vision_cli.synth.settings import RenderSettings
from vision_cli.synth.standing import Floors, floors_of, upright

_TRIES, _TRIES_ON_SURFACES = 12, 9
_SLIMMEST = 0.12
_NEARER = 0.93
"""Of an object's depth: what is nearer than that stands before it."""

_LOOSE_DEPTH = 0.6
_FACING = np.array([0.0, 0.0, -1.0])
_LEAST_ROOM = 0.35
"""How many times a surface must hold half of an object's size, so that it is tried at all."""
_GRID = (np.stack(np.meshgrid(np.arange(9), np.arange(9)), -1).reshape(-1, 2) + 0.5) / 9


@dataclass(frozen=True, slots=True, eq=False)
class Pose:
    """An object in its place.

    Attributes:
        logo: which.
        corners: float64 (4, 2), from the object's own top left clockwise, pixels, counting edges.
        plane: the surface it is on; None for one held before the scene.
        normal: float64 (3,), of its own rectangle.
        offset: normal . p = offset for its points.
        depth: of its centre.
        size_px: longer side of its box, as drawn.
        angle_deg: turned so far, clockwise.
        tilt_deg: between its normal and the line of sight.
        lies: whether its surface is a floor or a table, and it lies there.
        stands: whether it stands upright on its surface instead of being a part of it.
    """

    logo: Logo
    corners: Vector
    plane: Plane | None
    normal: Vector
    offset: float
    depth: float
    size_px: float
    angle_deg: float
    tilt_deg: float
    lies: bool
    stands: bool = False


@dataclass(slots=True, eq=False)
class Placer:
    """Finds places in one scene, one object after the other.

    Attributes:
        scene: the background's.
        settings: what was asked for.
        rng: its random numbers.
        taken: corners and area of what has its place already.
        rejects: how many tries failed, by reason.
    """

    scene: Scene
    settings: RenderSettings
    rng: np.random.Generator
    taken: list[tuple[Vector, float]]
    rejects: Counter[str]
    _worths: list[tuple[float, float]] = field(init=False)
    _floors: Floors | None = field(init=False)

    def __post_init__(self) -> None:
        self._floors = floors_of(self.scene) if self.settings.standing and self.settings.planes else None
        self._worths = [
            (math.sqrt(plane.area_px) * plane.inliers * math.cos(math.radians(plane.tilt_deg)), plane.room_px)
            for plane in self.scene.planes
        ]

    def place(self, logo: Logo) -> Pose | None:
        """Return a place for an object; None when all tries failed."""
        size_px = self._size()
        loose = not self.settings.planes or not self.scene.planes or self.rng.random() < self.settings.loose
        stands = bool(self.settings.standing) and not loose and self.rng.random() < self.settings.standing
        for attempt in range(_TRIES):
            found = self._try(logo, size_px, stands, loose or attempt >= _TRIES_ON_SURFACES)
            reason = found if isinstance(found, str) else self._fault(found)
            if reason is None and isinstance(found, Pose):
                self.taken.append((found.corners, area(found.corners)))
                if self._floors is not None and found.stands:
                    self._floors.note(logo.class_name, found.size_px, found.depth)
                return found
            self.rejects[reason or "lost"] += 1
        return None

    def _try(self, logo: Logo, size_px: float, stands: bool, loose: bool) -> Pose | str:
        if stands and not loose:
            return self._standing(logo, size_px)
        plane = None if loose else self._plane(size_px)
        return self._loose(logo, size_px) if plane is None else self._on(plane, logo, size_px)

    def _size(self) -> float:
        low, high = self.settings.size_range_px(max(self.scene.shape))
        return math.exp(self.rng.uniform(math.log(low), math.log(high)))

    def _plane(self, size_px: float) -> Plane | None:
        """Choose a surface by area, flatness and room; None where none has room."""
        planes = self.scene.planes
        weights = []
        for worth, room_px in self._worths:
            room = min(1.0, 2.2 * room_px / size_px)
            weights.append(worth * room**3 if room >= _LEAST_ROOM else 0.0)
        limits = list(accumulate(weights))
        if limits[-1] <= 0:
            self.rejects["no surface of that size"] += 1
            return None
        return planes[bisect_right(limits, self.rng.random() * limits[-1])]

    def _on(self, plane: Plane, logo: Logo, size_px: float) -> Pose | str:
        """Put an object on a surface, near the middle of its region the larger it is."""
        reach = max(plane.room_px * 1.2 - 0.35 * size_px, 0.25 * plane.room_px)
        around, far = self.rng.uniform(0, 2 * math.pi), math.sqrt(self.rng.random())
        x = plane.centre[0] + 0.5 + reach * far * math.cos(around)
        y = plane.centre[1] + 0.5 + reach * far * math.sin(around)
        camera = Camera(self.scene.shape, self.scene.focal_px)
        view = camera.ray(x, y)
        facing_out = plane.normal.astype(np.float64)
        facing = float(facing_out @ view)
        if facing >= -0.05 or plane.offset / facing <= 0:
            return "seen from the side"
        at = view * (plane.offset / facing)
        lies = is_lying(facing_out)
        turn = self.settings.lying_rotation_deg if lies else self.settings.rotation_deg
        lean = self.settings.lean_deg * self.rng.random() ** 2
        normal = leaned(facing_out, view, lean, self.rng.uniform(0, 360))
        return self._pose(camera, (logo, plane, lies), (at, normal), (size_px, self.rng.uniform(-turn, turn)))

    def _loose(self, logo: Logo, size_px: float) -> Pose | str:
        """Hold an object before the scene, anywhere, in any pose."""
        height, width = self.scene.shape
        camera = Camera(self.scene.shape, self.scene.focal_px)
        view = camera.ray(self.rng.uniform(0, width), self.rng.uniform(0, height))
        tilt = self.settings.loose_tilt_deg * math.sqrt(self.rng.random())
        normal = leaned(-view / np.linalg.norm(view), view, tilt, self.rng.uniform(0, 360))
        turn = self.settings.rotation_deg * (2 if self.rng.random() < 0.3 else 1)
        drawn = size_px, self.rng.uniform(-turn, turn)
        return self._pose(camera, (logo, None, False), (view * _LOOSE_DEPTH, normal), drawn)

    def _standing(self, logo: Logo, size_px: float) -> Pose | str:
        """Stand an object on a floor or a table, at the size that its distance gives it."""
        if self._floors is None:
            return "nothing to stand on"
        limits = self.settings.size_range_px(max(self.scene.shape))
        found = self._floors.spot(logo.class_name, size_px, limits, self.rng)
        angle = self._floors.roll_deg + self.rng.uniform(-1, 1) * self.settings.rotation_deg
        if found is None:
            return "no floor at the distance of that size"
        spot, size_px = found
        corners = upright(spot, logo.aspect, size_px, angle)
        drawn = -spot.depth, spot.depth, size_px, angle
        return Pose(logo, corners, spot.plane, _FACING, *drawn, 0.0, False, stands=True)

    def _pose(
        self,
        camera: Camera,
        what: tuple[Logo, Plane | None, bool],
        where: tuple[Vector, Vector],
        drawn: tuple[float, float],
    ) -> Pose | str:
        (logo, plane, lies), (at, normal), (size_px, angle_deg) = what, where, drawn
        found = quad(camera, frame(at, normal, angle_deg), logo.aspect, size_px)
        if found is None:
            return "behind the camera"
        tilt = math.degrees(math.acos(min(1.0, abs(float(normal @ at)) / float(np.linalg.norm(at)))))
        return Pose(logo, found[0], plane, normal, float(normal @ at), float(at[2]), size_px, angle_deg, tilt, lies)

    def _fault(self, pose: Pose) -> str | None:
        """Say what is wrong with a pose."""
        whole = area(pose.corners)
        if whole <= 0 or slimness(pose.corners) < _SLIMMEST * min(pose.logo.aspect, 1 / pose.logo.aspect):
            return "seen from the side"
        if min(np.ptp(pose.corners, axis=0)) < 8:
            return "too small"
        hidden = sum(overlap(pose.corners, other) for other, _ in self.taken)
        if hidden > self.settings.overlap * min([whole, *(size for _, size in self.taken)]):
            return "overlaps another"
        return self._misplaced(pose)

    def _misplaced(self, pose: Pose) -> str | None:
        """Say whether too much of it leaves the photo, or its surface."""
        points = _project(homography(pose.corners, 1, 1), _GRID)
        height, width = self.scene.shape
        columns, rows = np.floor(points).astype(np.int64).T
        inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
        if inside.mean() < max(self.settings.visibility_least, 0.3) + 0.05:
            return "leaves the photo"
        if pose.plane is None:
            return None
        columns, rows = columns[inside], rows[inside]
        own = self.scene.regions[rows, columns] == pose.plane.region
        nearer = ~own & (self.scene.depth[rows, columns] < _NEARER * pose.depth) & self.settings.occlusion
        if not pose.stands and (own | nearer).mean() < self.settings.inside_least:
            return "leaves its surface"
        return "hidden by what is nearer" if 1 - nearer.mean() < self.settings.visibility_least + 0.1 else None


def _project(transform: Vector, points: Vector) -> Vector:
    mapped = points @ transform[:, :2].T + transform[:, 2]
    return np.asarray(mapped[:, :2] / mapped[:, 2:], np.float64)
