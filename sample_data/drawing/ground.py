"""Colour the sky, the land and the water."""

from dataclasses import dataclass

import numpy as np

from drawing.canvas import Canvas, as_rgb
from drawing.light import Rgb
from drawing.noise import Field, Noise, smoothstep
from drawing.terrain import Hits, Terrain


@dataclass(frozen=True, slots=True)
class Surface:
    """What the land is made of.

    Attributes:
        snow: cover of flat ground, 0 (none) to 1 (closed), patches between.
        snow_line_m: height from which mountains are white.
        tree_line_m: height up to which mountains carry forest.
        ice: whether water is frozen.
    """

    grass: Rgb
    dry: Rgb
    rock: Rgb
    forest: Rgb
    snow: float
    snow_line_m: float
    tree_line_m: float
    sand: bool = False
    ice: bool = False
    flowers: float = 0.0


_SNOW = as_rgb((0.97, 0.98, 1.0))
_SAND = as_rgb((0.93, 0.83, 0.64))
_ASPHALT = as_rgb((0.40, 0.40, 0.42))


def paint_sky(canvas: Canvas, noise: Noise) -> None:
    """Fill the picture with sky: gradient, glow of a low sun, clouds in perspective, stars."""
    view, light = canvas.view, canvas.light
    rows, columns = np.mgrid[0 : view.size_px[1], 0 : view.size_px[0]].astype(np.float32)
    up = np.clip((view.horizon_px - rows) / view.focal_px, 0, None)
    side = (columns - view.size_px[0] / 2) / view.focal_px
    share = (1 - np.exp(-up * 4))[..., None]
    sky = as_rgb(light.horizon) * (1 - share) + as_rgb(light.zenith) * share
    if light.name == "sunset":
        away = (side - light.toward[0]) ** 2 + (up - light.toward[1] * 0.5) ** 2
        sky += np.exp(-away * 9)[..., None] * as_rgb((0.35, 0.2, 0.05))
        sky += smoothstep(0.0035, 0.0025, away)[..., None] * 0.5
    if light.name == "dusk":
        stars = (noise.value(columns * 7.7, rows * 7.7) > 0.985) & (up > 0.12)
        sky += stars[..., None] * as_rgb((0.4, 0.4, 0.4))
    flat = up + 0.07
    density = noise.fractal(side / flat * 0.9 + 7, 0.9 / flat, 5)
    edge = 0.62 - light.clouds * 1.15
    alpha = smoothstep(edge, edge + 0.45, density) * smoothstep(0.0, 0.1, up) * 0.95
    lit = 1 - 0.28 * smoothstep(edge + 0.1, edge + 0.9, density)
    sky = sky * (1 - alpha[..., None]) + as_rgb(light.cloud) * lit[..., None] * alpha[..., None]
    canvas.rgb[:] = np.clip(sky, 0, 1.1)


def paint_land(canvas: Canvas, hits: Hits, terrain: Terrain, surface: Surface) -> None:
    """Colour what the rays hit, light it, and note mountains, roads, sand and snow."""
    noise, land = terrain.noise, (~hits.sky).astype(np.float32)
    albedo, snow = _materials(hits, noise, surface, canvas.view.focal_px)
    road = np.zeros_like(land)
    if terrain.road:
        albedo, snow, road = _road(albedo, snow, hits, terrain)
    cosine = np.clip(hits.normal @ as_rgb(canvas.light.toward), 0, 1)
    soft = 0.35 * canvas.light.toward[1] + 0.65 * cosine
    cosine = np.where(hits.z > 150, cosine, soft)[..., None]
    lit = albedo * (as_rgb(canvas.light.ambient) + as_rgb(canvas.light.sun) * cosine * 1.15)
    share = (1 - np.exp(-hits.z / canvas.light.visibility_m))[..., None]
    lit = lit * (1 - share) + as_rgb(canvas.light.horizon) * share
    canvas.rgb += (lit - canvas.rgb) * land[..., None]
    canvas.depth[:] = np.where(hits.sky, np.inf, hits.z)
    dry = land * (1 - hits.water)
    canvas.mark("snow", snow * dry)
    canvas.mark("road", road * dry)
    canvas.mark("mountain", dry * (hits.height > max(18, 0.06 * terrain.mountains_m)) * (terrain.mountains_m > 0))
    canvas.mark("water", hits.water)


def _materials(hits: Hits, noise: Noise, surface: Surface, focal_px: float) -> tuple[Field, Field]:
    x, z = hits.x, hits.z
    coarse = noise.fractal(x / 9, z / 9, 4)
    # A texture finer than a pixel is only noise, so it fades with distance.
    fine = noise.fractal(x * 3, z * 3, 4) * np.clip(focal_px / (z * 18), 0, 1)
    fine = fine + noise.fractal(x * 14 + 9, z * 6, 2) * np.clip(focal_px / (z * 60), 0, 1)
    steep = 1 - hits.normal[..., 1]
    mix = np.clip(0.5 + coarse * 0.9, 0, 1)[..., None]
    albedo = as_rgb(surface.grass) * (1 - mix * 0.55) + as_rgb(surface.dry) * mix * 0.55
    if surface.sand:
        beach = smoothstep(2.2, 1.6, hits.height + coarse * 0.4)[..., None]
        wet = smoothstep(0.35, 0.05, hits.height)[..., None]
        albedo = albedo * (1 - beach) + _SAND * (1 - 0.3 * wet) * beach
    albedo = albedo * (1 + 0.45 * fine[..., None] + 0.12 * coarse[..., None])
    if surface.flowers:
        dots = (noise.value(x * 11, z * 11 * 0.5) > 1 - surface.flowers) & (z < 40)
        hue = noise.value(x / 3 + 90, z / 3)[..., None]
        petal = np.where(
            hue > 0.1,
            as_rgb((0.95, 0.85, 0.25)),
            np.where(hue > -0.3, as_rgb((0.9, 0.3, 0.35)), as_rgb((0.95, 0.95, 0.98))),
        )
        albedo = np.where(dots[..., None], petal, albedo)
    far = smoothstep(25, 60, hits.height)
    grain = noise.fractal(x / 14, z / 14, 4)
    forest = smoothstep(surface.tree_line_m + 40, surface.tree_line_m - 40, hits.height + grain * 60)
    forest = forest * smoothstep(12, 30, hits.height) * smoothstep(0.5, 0.35, steep)
    stone = far * np.clip(
        smoothstep(0.16, 0.34, steep + grain * 0.08) + (surface.tree_line_m < hits.height) * 0.5, 0, 1
    )
    albedo = _over(albedo, as_rgb(surface.rock) * (1 + 0.35 * grain[..., None]), stone)
    trees = as_rgb(surface.forest) * (1 + 0.5 * noise.value(x / 5, z / 8)[..., None])
    albedo = _over(albedo, trees, forest)
    snow = _snow(hits, surface, steep, coarse + fine * 0.6, grain)
    snow = snow * (1 - forest * 0.72)
    white = _SNOW * (1 + 0.05 * coarse[..., None] + 0.05 * fine[..., None])
    return _over(albedo, white, snow), snow


def _snow(hits: Hits, surface: Surface, steep: Field, patches: Field, grain: Field) -> Field:
    level = surface.snow * 2.4 - 1.2
    ground = smoothstep(-0.18, 0.18, level + patches) * (surface.snow > 0)
    ground = ground * smoothstep(0.62, 0.4, steep)
    white = smoothstep(surface.snow_line_m - 30, surface.snow_line_m + 60, hits.height + grain * 130)
    white = white * smoothstep(0.52, 0.34, steep + grain * 0.12)
    high = smoothstep(25, 60, hits.height)
    return ground * (1 - high) + white * high


def _over(below: Field, above: Field, alpha: Field) -> Field:
    return np.asarray(below * (1 - alpha[..., None]) + above * alpha[..., None], np.float32)


def _road(albedo: Field, snow: Field, hits: Hits, terrain: Terrain) -> tuple[Field, Field, Field]:
    half = (terrain.road or (0, 0, 1))[2]
    away = terrain.road_distance(hits.x, hits.z)
    near = hits.z < terrain.mountains_from_m
    road = smoothstep(half * 1.08, half * 0.98, away) * near * (hits.height > 0)
    is_white = float(snow.mean()) > 0.1
    grit = 1 + 0.12 * terrain.noise.fractal(hits.x * 4, hits.z * 4, 3)[..., None]
    tarmac = _ASPHALT * grit
    line = smoothstep(0.14, 0.08, away) * (np.mod(hits.z, 9) < 4.5) + smoothstep(0.12, 0.06, np.abs(away - half * 0.9))
    tarmac = _over(tarmac, np.full(3, 0.92, np.float32), np.clip(line, 0, 1))
    albedo = _over(albedo, tarmac, road)
    if is_white:
        ruts = smoothstep(0.55, 0.3, np.abs(away - half * 0.45) + 0.2 * terrain.noise.value(hits.x, hits.z / 3))
        left = road * (1 - 0.85 * ruts) * smoothstep(-0.6, 0.3, terrain.noise.fractal(hits.x / 2, hits.z / 6, 3) + 0.3)
        albedo = _over(albedo, _SNOW * 0.93, left)
        return albedo, np.maximum(snow * (1 - road), left), road
    return albedo, snow * (1 - road), road


def paint_water(canvas: Canvas, hits: Hits, noise: Noise, surface: Surface) -> None:
    """Turn the pixels below the water level into a mirror of what stands behind, or into ice."""
    water = hits.water
    if water.max() <= 0:
        return
    rows = np.arange(canvas.rgb.shape[0])[:, None]
    first = np.where(water.max(axis=0) > 0.5, (water > 0.5).argmax(axis=0), canvas.view.horizon_px)
    kernel = np.ones(31) / 31
    first = np.convolve(np.pad(first, 15, mode="edge"), kernel, mode="valid")
    ripple = noise.fractal(hits.x * 0.6, hits.z * 0.25, 4) * np.clip(60 / hits.z, 0.05, 1)
    mirror = np.rint(2 * first[None] - rows + ripple * 14).astype(np.int64)
    mirror = np.clip(mirror, 0, canvas.rgb.shape[0] - 1)
    shift = np.clip(
        np.arange(canvas.rgb.shape[1])[None] + np.rint(ripple * 5).astype(np.int64), 0, canvas.rgb.shape[1] - 1
    )
    image = canvas.rgb[mirror, shift]
    tint = canvas.light.flat(0.5)
    if surface.ice:
        colour, snow = _ice(image, hits, noise, tint)
        canvas.mark("snow", snow * water)
    else:
        deep = as_rgb((0.10, 0.30, 0.36) if not surface.sand else (0.08, 0.45, 0.55)) * tint
        shine = np.clip(0.25 + hits.z / 90, 0, 0.82)[..., None] * (0.75 if surface.sand else 1)
        colour = deep * (1 - shine) + image * shine * 0.94
        colour = colour * (1 + 0.22 * ripple[..., None])
        if surface.sand:
            colour = _surf(colour, hits, noise, tint)
    canvas.rgb += (colour - canvas.rgb) * water[..., None]


def _ice(image: Field, hits: Hits, noise: Noise, tint: Field) -> tuple[Field, Field]:
    ice = as_rgb((0.72, 0.82, 0.88)) * tint
    cracks = smoothstep(0.05, 0.01, np.abs(noise.fractal(hits.x / 7, hits.z / 7, 2))) * np.clip(30 / hits.z, 0, 1)
    colour = ice * 0.68 + image * 0.32 + cracks[..., None] * 0.12
    snow = smoothstep(-0.02, 0.2, noise.fractal(hits.x / 12 + 5, hits.z / 12, 5))
    return _over(colour, _SNOW * tint * 0.98, snow), snow


def _surf(colour: Field, hits: Hits, noise: Noise, tint: Field) -> Field:
    shallow = smoothstep(-0.9, 0, hits.height)[..., None]
    colour = colour * (1 - 0.5 * shallow) + as_rgb((0.45, 0.78, 0.74)) * tint * 0.5 * shallow
    swell = np.sin(hits.z * 0.8 + 4 * noise.fractal(hits.x / 15, hits.z / 15, 3))
    crest = smoothstep(0.8, 1.0, swell) * smoothstep(0.0, 0.5, noise.fractal(hits.x / 5, hits.z, 3) + 0.3)
    foam = np.clip(crest * np.clip(40 / hits.z, 0, 0.8) + smoothstep(-0.16, -0.02, hits.height), 0, 1)
    return _over(np.asarray(colour, np.float32), as_rgb((0.97, 0.98, 0.98)) * tint, foam * 0.9)
