"""What the pieces of a scene are made of."""

import numpy as np

from drawing.canvas import Sprite, as_rgb
from drawing.light import Rgb
from drawing.noise import Field, smoothstep
from drawing.stage import Cut, Material, Texels


def plain(colour: Rgb, grain: float = 0.04) -> Material:
    """Paint with a little unevenness."""

    def paint(at: Texels) -> Field:
        spots = at.noise.fractal(at.u * 1.7, at.v * 1.7, 3) * grain
        fine = at.noise.value(at.u * 60, at.v * 60) * grain * 0.6 * at.fade(0.02)
        return as_rgb(colour) * (1 + spots + fine)[:, None]

    return paint


def plaster(colour: Rgb) -> Material:
    """Rendered wall: stains that run down, a darker foot."""

    def paint(at: Texels) -> Field:
        stains = at.noise.fractal(at.u * 2.5, at.v * 0.5, 4) * 0.06 + at.noise.fractal(
            at.u * 22, at.v * 22, 3
        ) * 0.05 * at.fade(0.05)
        foot = 0.18 * np.exp(-at.v / 0.35) * (1 + at.noise.fractal(at.u * 3, at.v * 3, 3))
        return np.asarray(as_rgb(colour) * (1 + stains - foot)[:, None])

    return paint


def bricks(colour: Rgb, length_m: float = 0.24, height_m: float = 0.08) -> Material:
    """Running bond with mortar; each brick has its own tone."""

    def paint(at: Texels) -> Field:
        course = np.floor(at.v / height_m)
        along = at.u / length_m + 0.5 * np.mod(course, 2)
        tone = at.noise.value(np.floor(along) * 7.3 + 0.5, course * 3.7 + 0.5)
        tint = at.noise.value(np.floor(along) * 5.1 + 99.5, course * 9.1 + 0.5)
        to_edge = np.minimum(
            np.minimum(np.mod(along, 1), 1 - np.mod(along, 1)) * length_m,
            np.minimum(np.mod(at.v / height_m, 1), 1 - np.mod(at.v / height_m, 1)) * height_m,
        )
        mortar = smoothstep(0.009, 0.004, to_edge + at.noise.value(at.u * 50, at.v * 50) * 0.002) * at.fade(0.012)
        rough = at.noise.fractal(at.u * 40, at.v * 40, 3) * 0.16 * at.fade(0.02) + at.noise.fractal(at.u, at.v, 3) * 0.1
        shade = (1 + 0.2 * tone + rough)[:, None]
        brick = as_rgb(colour) * shade * (1 + 0.08 * tint[:, None] * as_rgb((1, 0, -1)))
        return np.asarray(brick * (1 - mortar[:, None]) + as_rgb((0.72, 0.69, 0.64)) * mortar[:, None], np.float32)

    return paint


def planks(colour: Rgb, width_m: float, gap_m: float = 0.006) -> Material:
    """Boards along u with the grain of wood."""

    def paint(at: Texels) -> Field:
        board = np.floor(at.v / width_m)
        tone = at.noise.value(board * 4.3 + 0.5, board * 0 + 7.5)
        warp = at.noise.fractal(at.u * 1.2 + board * 13, at.v * 9, 3)
        rings = at.noise.fractal(at.u * 2 + board * 31, at.v / width_m * 9 + warp * 4, 4)
        lines = at.noise.value(at.u * 5 + board * 17, at.v * 380) * at.fade(0.004)
        edge = np.minimum(np.mod(at.v / width_m, 1), 1 - np.mod(at.v / width_m, 1)) * width_m
        gap = smoothstep(gap_m, gap_m * 0.3, edge) * at.fade(gap_m)
        return as_rgb(colour) * ((1 + 0.16 * tone + 0.2 * rings + 0.07 * lines) * (1 - 0.65 * gap))[:, None]

    return paint


def slabs(colour: Rgb, size_m: float) -> Material:
    """Square paving stones."""

    def paint(at: Texels) -> Field:
        i, j = np.floor(at.u / size_m), np.floor(at.v / size_m)
        tone = at.noise.value(i * 3.3 + 0.5, j * 7.7 + 0.5)
        edge = np.minimum(
            np.minimum(np.mod(at.u, size_m), size_m - np.mod(at.u, size_m)),
            np.minimum(np.mod(at.v, size_m), size_m - np.mod(at.v, size_m)),
        )
        joint = smoothstep(0.014, 0.006, edge) * at.fade(0.015)
        speck = (
            at.noise.fractal(at.u * 30, at.v * 30, 3) * 0.12 * at.fade(0.03) + at.noise.fractal(at.u, at.v, 3) * 0.08
        )
        return as_rgb(colour) * ((1 + 0.1 * tone + speck) * (1 - 0.4 * joint))[:, None]

    return paint


def asphalt(lane_m: float | None = None) -> Material:
    """Tarmac; with a dashed line along v in the middle of a lane of this width."""

    def paint(at: Texels) -> Field:
        speck = (
            at.noise.fractal(at.u * 45, at.v * 45, 3) * 0.2 * at.fade(0.02)
            + at.noise.fractal(at.u * 0.7, at.v * 0.35, 4) * 0.12
        )
        rgb = as_rgb((0.36, 0.36, 0.38)) * (1 + speck)[:, None]
        if lane_m:
            line = (np.abs(at.u - lane_m) < 0.07) & (np.mod(at.v, 5) < 2.2)
            rgb = np.where(line[:, None], as_rgb((0.86, 0.86, 0.84)) * (1 + speck)[:, None], rgb)
        return np.asarray(rgb, np.float32)

    return paint


def grass(at: Texels) -> Field:
    """Paint a lawn."""
    blades = at.noise.fractal(at.u * 28, at.v * 11, 3) * 0.4 * at.fade(0.04)
    patches = at.noise.fractal(at.u * 0.8, at.v * 0.8, 4)
    return (
        as_rgb((0.36, 0.54, 0.20)) * (1 + blades + 0.2 * patches)[:, None] + as_rgb((0.1, 0.05, 0)) * patches[:, None]
    )


def glass(colour: Rgb = (0.20, 0.27, 0.34)) -> Material:
    """A window that mirrors a bright sky in streaks."""

    def paint(at: Texels) -> Field:
        streak = smoothstep(0.1, 0.5, at.noise.fractal((at.u + at.v * 0.6) * 1.3, at.v * 0.15, 2))
        return np.asarray(
            as_rgb(colour) * (1 + 0.25 * at.v[:, None]) + streak[:, None] * as_rgb((0.20, 0.24, 0.27)), np.float32
        )

    return paint


def stripes(first: Rgb, second: Rgb, width_m: float) -> Material:
    """Broad bands across u, as on an awning."""

    def paint(at: Texels) -> Field:
        is_first = np.mod(at.u / width_m, 2) < 1
        return np.asarray(
            np.where(is_first[:, None], as_rgb(first), as_rgb(second))
            * (1 + 0.05 * at.noise.fractal(at.u * 5, at.v * 2, 3))[:, None]
        )

    return paint


def ribs(colour: Rgb, pitch_m: float, *, upright: bool) -> Material:
    """Corrugated sheet or the slats of a roller door."""

    def paint(at: Texels) -> Field:
        across = at.u if upright else at.v
        wave = np.sin(across / pitch_m * 2 * np.pi) * at.fade(pitch_m * 0.5)
        rust = smoothstep(0.25, 0.7, at.noise.fractal(at.u * 1.3, at.v * 0.6, 5)) * 0.25
        return np.asarray(
            as_rgb(colour) * (0.88 + 0.14 * wave + at.noise.fractal(at.u, at.v, 3) * 0.05)[:, None]
            - rust[:, None] * as_rgb((0.1, 0.2, 0.25))
        )

    return paint


def cloth(colour: Rgb, fold_m: float = 0.16) -> Material:
    """Hanging fabric with soft upright folds and a fine weave."""

    def paint(at: Texels) -> Field:
        folds = at.noise.fractal(at.u / fold_m, at.v / fold_m * 0.28, 3)
        weave = at.noise.value(at.u * 420, at.v * 420) * 0.05 * at.fade(0.003)
        return as_rgb(colour) * (0.95 + 0.2 * folds + weave)[:, None]

    return paint


def cardboard(at: Texels) -> Field:
    """Paint brown board."""
    fibre = (
        at.noise.value(at.u * 160, at.v * 25) * 0.05 * at.fade(0.006) + at.noise.fractal(at.u * 4, at.v * 4, 3) * 0.05
    )
    return np.asarray(as_rgb((0.74, 0.56, 0.37)) * (1 + fibre)[:, None])


def picture(sprite: Sprite, width_m: float, height_m: float) -> tuple[Material, Cut]:
    """Return the material and outline of a sprite that stands upright, v up."""
    rows, columns = sprite.alpha.shape

    def index(u: Field, v: Field) -> tuple[Field, Field]:
        row = np.clip((1 - v / height_m) * rows, 0, rows - 1)
        return row.astype(np.int64), np.clip(u / width_m * columns, 0, columns - 1).astype(np.int64)

    return (lambda at: sprite.rgb[index(at.u, at.v)]), (lambda u, v: sprite.alpha[index(u, v)] > 0.5)
