"""Decide where trees, houses and small things stand."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from drawing import plants, things
from drawing.canvas import Canvas, Sprite
from drawing.ground import Surface
from drawing.motifs import Motif
from drawing.terrain import Terrain

Placed = tuple[float, Callable[[], None]]


@dataclass(frozen=True, slots=True)
class Setting:
    """The place and season things are put into."""

    season: str
    terrain: Terrain
    surface: Surface
    canvas: Canvas

    def height(self, x: float, z: float) -> float:
        """Return the height of the ground over the water level, metres."""
        at = self.terrain.height(np.array([x], np.float32), np.array([z], np.float32))
        return float(at[0])

    def is_free(self, x: float, z: float, gap_m: float) -> bool:
        """Tell whether (x, z) is dry and off the road."""
        if self.height(x, z) < 0.25:
            return False
        road = self.terrain.road
        away = self.terrain.road_distance(np.array([x], np.float32), np.array([z], np.float32))
        return road is None or float(away[0]) > road[2] + gap_m


def placed(rng: np.random.Generator, motif: Motif, setting: Setting) -> Iterator[Placed]:
    """Yield (distance in metres, how to draw it) for everything that stands in the picture."""
    houses = list(_house_spots(rng, motif, setting))
    for x, z, seed in houses:
        yield z, _house(setting, (x, z), seed)
    yield from _trees(rng, motif, setting, [(x, z) for x, z, _ in houses])
    yield from _extras(rng, motif, setting)


def _house_spots(rng: np.random.Generator, motif: Motif, setting: Setting) -> Iterator[tuple[float, float, int]]:
    wanted = int(rng.integers(motif.houses[0], motif.houses[1] + 1))
    taken: list[tuple[float, float]] = []
    view = setting.canvas.view
    for _ in range(wanted * 12):
        if len(taken) == wanted:
            return
        z = float(rng.uniform(26, 90))
        x = float(rng.uniform(-0.5, 0.5)) * z * view.size_px[0] / view.focal_px
        if setting.is_free(x, z, 6) and all(abs(x - a) > 11 or abs(z - b) > 16 for a, b in taken):
            taken.append((x, z))
            yield x, z, int(rng.integers(1 << 30))


def _house(setting: Setting, at: tuple[float, float], seed: int) -> Callable[[], None]:
    x, z = at

    def draw() -> None:
        where = (x, setting.height(x, z), z)
        things.draw_house(setting.canvas, np.random.default_rng(seed), where, snow=setting.surface.snow)

    return draw


def _trees(
    rng: np.random.Generator, motif: Motif, setting: Setting, houses: list[tuple[float, float]]
) -> Iterator[Placed]:
    view = setting.canvas.view
    conifers = float(rng.choice([0.1, 0.5, 0.85]))
    count = int(rng.integers(motif.trees[0], motif.trees[1] + 1))
    load = float(rng.choice([0.15, 0.6, 1.0])) if setting.season == "winter" else 0.0
    for _ in range(count):
        z = float(np.exp(rng.uniform(np.log(motif.near_m), np.log(motif.near_m * 14))))
        side = float(rng.uniform(-0.62, 0.62))
        if z < 16 and abs(side) < 0.28:
            side = float(np.sign(side)) * (0.3 + abs(side))
        x = side * z * view.size_px[0] / view.focal_px
        tall, seed, kind = float(rng.uniform(5, 12)), int(rng.integers(1 << 30)), float(rng.random())
        is_blocked = any(abs(x - a) < 8 and -3 < b - z < 9 for a, b in houses)
        if is_blocked or not setting.is_free(x, z, 2.5):
            continue
        painter = plants.conifer if kind < conifers else _leafy(setting)
        yield z, _stand(setting, painter, (x, z, tall), (seed, load))


def _leafy(setting: Setting) -> plants.Painter:
    if setting.surface.sand:
        return plants.palm
    return plants.broadleaf if setting.season == "summer" else plants.bare


def _stand(
    setting: Setting, painter: plants.Painter, at: tuple[float, float, float], how: tuple[int, float]
) -> Callable[[], None]:
    x, z, tall = at
    seed, load = how

    def draw() -> None:
        canvas = setting.canvas
        column, row = canvas.view.project(x, setting.height(x, z) - 0.1, z)
        size = int(tall / z * canvas.view.focal_px)
        sprite = painter(np.random.default_rng(seed), min(size, 420), canvas.light, load)
        if canvas.light.clouds < 0.85 and size > 8:
            flat = max(size * canvas.view.eye_m / z * 0.25, 2)
            canvas.shade((column - np.sign(canvas.light.toward[0]) * size * 0.15, row), (size * 0.36, flat), 0.3)
        height, width = sprite.alpha.shape
        canvas.paste(sprite, column - width / 2, row - height, z, "trees")

    return draw


def _extras(rng: np.random.Generator, motif: Motif, setting: Setting) -> Iterator[Placed]:
    lit = setting.canvas.light.flat(0.6)
    side = float(np.sign(setting.canvas.light.toward[0]) or 1)
    snowman = _Small((5, 8), 1.9, lambda size: things.snowman(rng, size, lit, side))
    skier = _Small((9, 22), 1.8, lambda size: things.person(rng, size, lit, on_skis=True))
    walker = _Small((7, 18), 1.75, lambda size: things.person(rng, size, lit, on_skis=False))
    parasol = _Small((6, 11), 2.3, lambda size: things.parasol(rng, size, lit))
    for small, is_here, most in (
        (snowman, motif.extra == "snowman", 1),
        (skier, motif.extra == "skier", 3),
        (walker, motif.extra == "walker", 2),
        (parasol, motif.sea, 3),
    ):
        if is_here:
            yield from (_put(rng, setting, small) for _ in range(int(rng.integers(1, most + 1))))
    if (motif.sea or motif.lake) and setting.season == "summer" and rng.random() < 0.6:
        yield _put(rng, setting, _Small((35, 60), 7.0, lambda size: things.boat(rng, size, lit), on_water=True))


@dataclass(frozen=True, slots=True)
class _Small:
    """A thing that stands between (least, most) metres away; `make` draws it so many pixels tall."""

    reach_m: tuple[float, float]
    tall_m: float
    make: Callable[[int], Sprite]
    on_water: bool = False


def _put(rng: np.random.Generator, setting: Setting, small: _Small) -> Placed:
    view = setting.canvas.view
    # Nearer than this, the feet would be below the picture.
    nearest = view.eye_m * view.focal_px / (view.size_px[1] * 0.93 - view.horizon_px)
    z, side = max(float(rng.uniform(*small.reach_m)), nearest), float(rng.uniform(-0.3, 0.3))

    def draw() -> None:
        canvas = setting.canvas
        x = side * z * view.size_px[0] / view.focal_px
        foot = 0.0 if small.on_water else setting.height(x, z)
        column, row = view.project(x, foot - 0.03, z)
        size = int(small.tall_m / z * view.focal_px)
        sprite = small.make(size)
        if not small.on_water:
            canvas.shade((column, row), (size * 0.35, max(size * 0.06, 2)), 0.35)
        height, width = sprite.alpha.shape
        canvas.paste(sprite, column - width / 2, row - height, z)

    return z, draw
