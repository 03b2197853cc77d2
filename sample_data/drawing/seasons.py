"""Compose a summer or winter photo from land, light, plants and things."""

from dataclasses import dataclass

import numpy as np

from drawing import ground, things
from drawing.camera import Shot, develop
from drawing.canvas import Canvas, View
from drawing.ground import Surface
from drawing.light import choose_light
from drawing.motifs import MOTIFS, Motif
from drawing.noise import Noise
from drawing.placement import Setting, placed
from drawing.terrain import Terrain, look

SEASONS = ("summer", "winter")
LABELS = ("mountain", "water", "trees", "houses", "road", "snow")

_SIZE_PX = (192, 144)
_SCALE = 2
_LEAST_SHARE = {"mountain": 0.03, "water": 0.03, "trees": 0.02, "houses": 0.01, "road": 0.03, "snow": 0.02}


@dataclass(frozen=True, slots=True)
class Photo:
    """A drawn photo and the truth about it.

    Attributes:
        labels: the season first, then the contents in the order of `LABELS`.
        snow_share: share of the picture that snow covers, 0..1.
    """

    shot: Shot
    labels: tuple[str, ...]
    snow_share: float


def draw_photo(seed: int, index: int, season: str) -> Photo:
    """Draw photo `index`; it depends on the seed, the season and the index alone."""
    rng = np.random.default_rng([seed, SEASONS.index(season), index])
    motifs = MOTIFS[season]
    motif = motifs[index % len(motifs)]
    size = _SIZE_PX if rng.random() < 0.85 else _SIZE_PX[::-1]
    canvas = _scene(rng, motif, season, size)
    shot = develop(canvas.rgb, canvas.cover, rng, size)
    seen = tuple(name for name in LABELS if shot.cover.get(name, 0) >= _LEAST_SHARE[name])
    return Photo(shot, (season, *seen), round(shot.cover.get("snow", 0.0), 4))


def _scene(rng: np.random.Generator, motif: Motif, season: str, size: tuple[int, int]) -> Canvas:
    light, noise = choose_light(rng, season, may_be_dark=motif.near_m > 8), Noise(rng)
    surface = _surface(rng, season, motif)
    view = _view(rng, motif, size)
    terrain = _terrain(rng, motif, noise)
    canvas, hits = Canvas.blank(view, light), look(terrain, view)
    ground.paint_sky(canvas, noise)
    ground.paint_land(canvas, hits, terrain, surface)
    if motif.extra == "skier":
        things.tracks(canvas, noise, hits.x, hits.z)
    wet_at = np.inf if terrain.lake is None else terrain.lake[1] * 0.9
    things_to_draw = sorted(placed(rng, motif, Setting(season, terrain, surface, canvas)), key=lambda item: -item[0])
    for _, draw in (item for item in things_to_draw if item[0] >= wet_at):
        draw()
    # Water mirrors what stands behind it, so it comes after that and before the rest.
    ground.paint_water(canvas, hits, noise, surface)
    for _, draw in (item for item in things_to_draw if item[0] < wet_at):
        draw()
    if season == "winter" and light.name in ("overcast", "haze", "dusk") and rng.random() < 0.4:
        things.snowfall(canvas, rng)
    return canvas


def _view(rng: np.random.Generator, motif: Motif, size: tuple[int, int]) -> View:
    width, height = size[0] * _SCALE, size[1] * _SCALE
    low, high = (5, 14) if motif.houses[1] > 3 or motif.mountains == 1 else (2.5, 6) if motif.lake else (1.7, 4.5)
    eye = rng.uniform(low, high)
    horizon = height * rng.uniform(0.38, 0.6)
    return View((width, height), max(width, height) * float(rng.uniform(0.75, 1.1)), float(horizon), float(eye))


def _terrain(rng: np.random.Generator, motif: Motif, noise: Noise) -> Terrain:
    tall = motif.mountains * float(rng.uniform(450, 1100)) if motif.mountains == 1 or rng.random() < 0.75 else 0.0
    lake = (float(rng.uniform(5, 9)), float(rng.uniform(70, 160)), float(rng.uniform(50, 120))) if motif.lake else None
    road = (
        (float(rng.uniform(-1.5, 1.5)), float(rng.uniform(-9, 9)), float(rng.uniform(2.6, 3.6))) if motif.road else None
    )
    return Terrain(
        noise,
        hills_m=float(rng.uniform(1, 5)) * (0.4 if motif.houses[1] or motif.lake else 1),
        mountains_m=tall,
        mountains_from_m=float(rng.uniform(250, 600)) if not motif.sea else 900.0,
        lake=lake,
        shore_m=float(rng.uniform(10, 22)) if motif.sea else None,
        road=road,
    )


def _surface(rng: np.random.Generator, season: str, motif: Motif) -> Surface:
    rock = float(rng.uniform(0.38, 0.55))
    stone = (rock, rock * 0.96, rock * 0.92)
    if season == "summer":
        green = float(rng.uniform(0.85, 1.15))
        return Surface(
            grass=(0.40 * green, 0.60 * green, 0.20 * green),
            dry=(0.72, 0.70, 0.36) if rng.random() < 0.4 else (0.52, 0.64, 0.26),
            rock=stone,
            forest=(0.16, 0.33, 0.16),
            snow=0.0,
            snow_line_m=float(rng.uniform(280, 700)) if rng.random() < 0.55 else 5000.0,
            tree_line_m=float(rng.uniform(120, 300)),
            sand=motif.sea,
            flowers=float(rng.choice([0.0, 0.0, 0.06, 0.12])),
        )
    cover = float(rng.uniform(0.38, 0.68)) if rng.random() < 0.35 else float(rng.uniform(0.8, 1.1))
    if motif.lake:
        # Dark water at dusk with bare ground around it could be any season.
        cover = max(cover, 0.9)
    return Surface(
        grass=(0.48, 0.46, 0.28),
        dry=(0.60, 0.50, 0.34),
        rock=stone,
        forest=(0.17, 0.24, 0.22),
        snow=cover,
        snow_line_m=float(rng.uniform(0, 90)),
        tree_line_m=float(rng.uniform(80, 260)),
        ice=bool(rng.random() < 0.75),
    )
