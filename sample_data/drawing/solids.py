"""Bodies made of pieces: boxes, round prisms, windows in walls, trees."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from drawing import plants
from drawing.light import Light, Rgb
from drawing.materials import glass, picture, plain
from drawing.noise import Field
from drawing.stage import Cut, Material, Piece, Vec

_NEUTRAL = Light("clear", (0, 0, 0), (0, 0, 0), (0.5, 0.5, 0.5), (0.7, 0.7, 0.7), (0, 0, 0), 0, 1e6, (0.6, 0.8, -0.1))


def box(corner: Vec, size: Vec, paint: Material, *, top: Material | None = None) -> list[Piece]:
    """Return the five visible sides of a box; its bottom is left out."""
    (x, y, z), (w, h, d) = corner, size
    return [
        Piece((x, y, z), (w, 0, 0), (0, h, 0), paint),
        Piece((x, y, z + d), (w, 0, 0), (0, h, 0), paint),
        Piece((x, y, z), (0, 0, d), (0, h, 0), paint),
        Piece((x + w, y, z), (0, 0, d), (0, h, 0), paint),
        Piece((x, y + h, z), (w, 0, 0), (0, 0, d), top or paint),
    ]


def tube(foot: Vec, size: tuple[float, float], paint: Material, *, sides: int = 28, shrink: float = 1.0) -> list[Piece]:
    """Return an upright round body of (height, radius), open at both ends; `shrink` is the ratio of top to foot."""
    height, radius = size
    pieces = []
    angles = np.linspace(0, 2 * np.pi, sides + 1)
    for a, b in pairwise(angles):
        pa, pb = (float(np.sin(a)), float(-np.cos(a))), (float(np.sin(b)), float(-np.cos(b)))
        middle = ((pa[0] + pb[0]) / 2, (pa[1] + pb[1]) / 2)
        # As wide as the wider end, so that no gap opens between neighbours.
        half = radius * max(shrink, 1.0) / 2
        edge = ((pb[0] - pa[0]) * 2 * half, 0.0, (pb[1] - pa[1]) * 2 * half)
        corner = (foot[0] + middle[0] * radius - edge[0] / 2, foot[1], foot[2] + middle[1] * radius - edge[2] / 2)
        lean = (shrink - 1) * radius
        pieces.append(
            Piece(
                corner,
                edge,
                (middle[0] * lean, height, middle[1] * lean),
                paint,
                bend=((pa[0], 0, pa[1]), (pb[0], 0, pb[1])),
            )
        )
    return pieces


def within_circle(radius: float) -> Cut:
    """Return the outline of a disc in a square of twice the radius."""
    return lambda u, v: (u - radius) ** 2 + (v - radius) ** 2 <= radius**2


def within_ring(outer: float, inner: float) -> Cut:
    """Return the outline of a ring in a square of twice the outer radius."""

    def inside(u: Field, v: Field) -> NDArray[np.bool_]:
        distance = (u - outer) ** 2 + (v - outer) ** 2
        return np.asarray((distance <= outer**2) & (distance >= inner**2))

    return inside


def disc(centre: Vec, radius: float, paint: Material) -> Piece:
    """Return a level disc."""
    x, y, z = centre
    return Piece((x - radius, y, z - radius), (2 * radius, 0, 0), (0, 0, 2 * radius), paint, cut=within_circle(radius))


def within_polygon(corners: Sequence[tuple[float, float]]) -> Cut:
    """Return the outline of a polygon given in metres along the edges (even-odd rule)."""

    def inside(u: Field, v: Field) -> NDArray[np.bool_]:
        result = np.zeros(u.shape, np.bool_)
        for (x1, y1), (x2, y2) in zip(corners, [*corners[1:], corners[0]], strict=True):
            if y1 == y2:
                continue
            crosses = (y1 > v) != (y2 > v)
            result ^= crosses & (u < (x2 - x1) * (v - y1) / (y2 - y1) + x1)
        return result

    return inside


def on_wall(
    wall: Piece, box_m: tuple[float, float, float, float], paint: Material, *, out: float = 0.03, glow: float = 0
) -> Piece:
    """Return a panel on a wall: (u, v, width, height) in metres, `out` in front of it."""
    u, v, width, height = box_m
    a, b = np.asarray(wall.edge_u, float), np.asarray(wall.edge_v, float)
    a, b = a / np.linalg.norm(a), b / np.linalg.norm(b)
    corner = np.asarray(wall.corner, float) + a * u + b * v + np.cross(b, a) * out
    return Piece(_vec(corner), _vec(a * width), _vec(b * height), paint, casts=False, glow=glow)


def window(wall: Piece, box_m: tuple[float, float, float, float], frame: Rgb, *, lit: bool = False) -> list[Piece]:
    """Return a window in a wall: frame, two panes, a sill."""
    u, v, width, height = box_m
    pane = plain((1.0, 0.83, 0.48), 0.12) if lit else glass()
    half = width / 2
    return [
        on_wall(wall, (u - 0.08, v - 0.08, width + 0.16, height + 0.16), plain(frame), out=0.02),
        on_wall(wall, (u, v, half - 0.03, height), pane, out=0.03, glow=0.9 * lit),
        on_wall(wall, (u + half + 0.03, v, half - 0.03, height), pane, out=0.03, glow=0.9 * lit),
        on_wall(wall, (u - 0.14, v - 0.16, width + 0.28, 0.09), plain((0.75, 0.73, 0.70)), out=0.10),
    ]


def tree(rng: np.random.Generator, foot: Vec, height: float) -> Piece:
    """Return a tree in leaf as a standing picture."""
    sprite = plants.broadleaf(rng, 420, _NEUTRAL, 0)
    width = height * sprite.alpha.shape[1] / sprite.alpha.shape[0]
    paint, cut = picture(sprite, width, height)
    return Piece((foot[0] - width / 2, foot[1], foot[2]), (width, 0, 0), (0, height, 0), paint, cut=cut)


def _vec(values: NDArray[np.float64]) -> Vec:
    return float(values[0]), float(values[1]), float(values[2])
