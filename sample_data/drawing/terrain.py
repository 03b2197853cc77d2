"""The shape of the land, and the ray caster that looks at it."""

from dataclasses import dataclass

import numpy as np

from drawing.canvas import View
from drawing.noise import Field, Noise, smoothstep

_NEAR_M = 1.2
_FAR_M = 5000.0
_STEPS = 520


@dataclass(frozen=True, slots=True)
class Terrain:
    """Heights in metres over the water level at any (x, z).

    Attributes:
        lake: (near z, far z, half width) of a lake, or None.
        shore_m: z at which a beach meets the sea, or None.
        road: (offset, bend, half width) of a road along z, or None.
    """

    noise: Noise
    hills_m: float
    mountains_m: float
    mountains_from_m: float
    base_m: float = 1.0
    lake: tuple[float, float, float] | None = None
    shore_m: float | None = None
    road: tuple[float, float, float] | None = None

    def height(self, x: Field, z: Field) -> Field:
        """Return metres above the water level; negative is the bottom of a lake or the sea."""
        rise = smoothstep(0, 70, z)
        hills = self.noise.fractal(x / 60, z / 60, 3) * self.hills_m * rise
        if self.road:
            hills = hills * smoothstep(self.road[2], self.road[2] * 8, self.road_distance(x, z))
        bumps = self.noise.fractal(x / 2.2, z / 2.2, 3) * 0.12
        land = self.base_m + hills + bumps
        if self.lake:
            land = land - (self.base_m + 2.5) * self._lake(x, z)
        if self.shore_m is not None:
            line = self.shore_m + self.noise.fractal(x / 25, x * 0, 3) * 4
            land = np.clip((line - z) * 0.08, -5, 2.5) + bumps * 0.4
        return np.asarray(land + self._mountains(x, z), np.float32)

    def _lake(self, x: Field, z: Field) -> Field:
        near, far, half = self.lake or (0, 0, 0)
        wave = self.noise.fractal(x / 40, z / 40, 4)
        across = smoothstep(1.0, 0.75, np.abs(x) / half + wave * 0.25)
        return across * smoothstep(near, near * 1.4, z + wave * near * 0.3) * smoothstep(far, far * 0.9, z)

    def _mountains(self, x: Field, z: Field) -> Field:
        if self.mountains_m <= 0:
            return np.zeros(np.broadcast_shapes(x.shape, z.shape), np.float32)
        start = self.mountains_from_m
        foot = smoothstep(start, start * 2.6, z + self.noise.fractal(x / 300, z / 300, 2) * start * 0.25)
        ridges = self.noise.ridged(x / 900 + 3.1, z / 900, 7)
        large = 0.55 + 0.45 * self.noise.value(x / 1400 + 40, z / 1400)
        return foot * self.mountains_m * ridges * large * smoothstep(_FAR_M * 1.3, _FAR_M * 0.6, z)

    def road_distance(self, x: Field, z: Field) -> Field:
        """Return metres from the middle of the road."""
        offset, bend, _ = self.road or (0, 0, 0)
        middle = offset + bend * (z / 60) ** 2 * np.sin(z / 75 + bend)
        return np.abs(x - np.asarray(middle, np.float32))


@dataclass(frozen=True, slots=True)
class Hits:
    """What each pixel looks at; all float32 (H, W), metres, but for `normal` (H, W, 3) and `sky` bool (H, W)."""

    x: Field
    z: Field
    height: Field
    normal: Field
    sky: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]

    @property
    def water(self) -> Field:
        """1 where the pixel shows water, with a soft edge."""
        return smoothstep(0.03, -0.03, self.height) * ~self.sky


def look(terrain: Terrain, view: View) -> Hits:
    """Cast one ray a pixel: march outwards over the columns and keep the first row that rises above it."""
    width, height = view.size_px
    steps = np.geomspace(_NEAR_M, _FAR_M, _STEPS).astype(np.float32)[:, None]
    slopes = ((np.arange(width, dtype=np.float32) + 0.5 - width / 2) / view.focal_px)[None]
    land = np.maximum(terrain.height(slopes * steps, steps), 0)
    rows = view.horizon_px + view.focal_px * (view.eye_m - land) / steps
    z = _first_hits(rows, np.minimum.accumulate(rows, axis=0), steps[:, 0], height)
    sky = ~np.isfinite(z)
    z = np.where(sky, np.float32(_FAR_M), z)
    x = slopes * z
    middle = terrain.height(x, z)
    step = np.maximum(0.12, z * 0.004)
    across, along = terrain.height(x + step, z) - middle, terrain.height(x, z + step) - middle
    normal = np.stack([-across / step, np.ones_like(z), -along / step], axis=-1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    return Hits(x, z, middle, normal.astype(np.float32), sky)


def _first_hits(rows: Field, skyline: Field, steps: Field, height: int) -> Field:
    wanted = np.arange(height, dtype=np.float32) + 0.5
    depth = np.full((height, rows.shape[1]), np.inf, np.float32)
    for column in range(rows.shape[1]):
        index = np.searchsorted(-skyline[:, column], -wanted)
        hit = index < len(steps)
        after = np.clip(index, 1, len(steps) - 1)
        low, high = rows[after - 1, column], rows[after, column]
        share = np.clip((low - wanted) / np.maximum(low - high, 1e-6), 0, 1)
        depth[:, column] = np.where(hit, steps[after - 1] + share * (steps[after] - steps[after - 1]), np.inf)
    return depth
