"""Scenes close by: a table, a desk, boxes, shirts on a line."""

from itertools import pairwise

import numpy as np

from drawing import materials as m
from drawing.light import Rgb
from drawing.outdoors import Scene
from drawing.solids import box, disc, on_wall, tree, tube, window, within_polygon, within_ring
from drawing.stage import Look, Piece, Vec

_LAMPLIGHT: Vec = (0.56, 0.50, 0.40)
_ROOM: Vec = (0.60, 0.60, 0.62)


def _mug(foot: Vec, colour: Rgb, *, handle: float = 1) -> list[Piece]:
    """A mug, 9.5 cm tall, with coffee in it; its handle to the right for 1, to the left for -1."""
    x, y, z = foot
    radius, tall, paint = 0.042, 0.095, m.plain(colour, 0.015)
    pieces = tube(foot, (tall, radius), paint, sides=44)
    rim = disc((x, y + tall, z), radius, m.plain((0.97, 0.97, 0.96)))
    pieces += [Piece(rim.corner, rim.edge_u, rim.edge_v, rim.paint, cut=within_ring(radius, radius * 0.9))]
    pieces.append(disc((x, y + tall - 0.008, z), radius * 0.92, m.plain((0.20, 0.11, 0.06))))
    steps, wide = 18, 0.03
    for a, b in pairwise(np.linspace(-1.75, 1.75, steps)):
        for out in (0.030, 0.022):
            p = (x + handle * (radius + np.cos(a) * out), y + tall / 2 + np.sin(a) * out)
            q = (x + handle * (radius + np.cos(b) * out), y + tall / 2 + np.sin(b) * out)
            pieces.append(
                Piece(
                    (float(p[0]), float(p[1]), z - wide / 4),
                    (0, 0, wide / 2),
                    (float(q[0] - p[0]), float(q[1] - p[1]), 0),
                    paint,
                )
            )
        ring = ((0.030, a), (0.030, b), (0.022, b), (0.022, a))
        corners = [(0.05 + handle * (0.02 + np.cos(t) * r), 0.05 + np.sin(t) * r) for r, t in ring]
        face = (x + handle * (radius - 0.02) - 0.05, y + tall / 2 - 0.05, z - wide / 4)
        pieces.append(
            Piece(
                face,
                (0.1, 0, 0),
                (0, 0.1, 0),
                paint,
                cut=within_polygon([(float(u), float(v)) for u, v in corners]),
                casts=False,
            )
        )
    return pieces


def mug(rng: np.random.Generator) -> Scene:
    """A white mug on a wooden table by a wall."""
    wall = Piece((-1.5, -0.5, 0.75), (3, 0, 0), (0, 2, 0), m.plaster((0.62, 0.70, 0.70)))
    pieces = [wall, *box((-1, -0.04, -0.4), (2, 0.04, 1.05), m.planks((0.66, 0.46, 0.29), 0.12, 0.003))]
    pieces += _mug((0, 0, 0.22), (0.96, 0.96, 0.94))
    pieces += box((-0.30, 0, 0.32), (0.20, 0.03, 0.14), m.plain((0.62, 0.22, 0.20)))
    pieces += box((-0.29, 0.03, 0.33), (0.17, 0.024, 0.12), m.plain((0.20, 0.34, 0.48)))
    pieces += tube((0.27, 0, 0.42), (0.09, 0.045), m.plain((0.75, 0.42, 0.28), 0.1), shrink=1.25)
    pieces.append(tree(rng, (0.27, 0.05, 0.42), 0.24))
    pieces += [disc((0.0, 0.002, 0.22), 0.062, m.plain((0.86, 0.80, 0.66)))]
    return pieces, Look(
        (0.0, 0.19, -0.16), pitch=-17, focal=1.05, sun=(-0.9, 0.9, -0.55), sunshine=_LAMPLIGHT, ambient=_ROOM
    )


def desk(rng: np.random.Generator) -> Scene:
    """A desk with an open laptop, a notebook, a mug."""
    wall = Piece((-3, -0.75, 1.05), (6, 0, 0), (0, 3, 0), m.plaster((0.88, 0.84, 0.78)))
    pieces = [wall, *box((-1.2, -0.05, -0.3), (2.4, 0.05, 1.25), m.planks((0.78, 0.66, 0.50), 0.3, 0.002))]
    grey = m.plain((0.70, 0.71, 0.74), 0.02)
    pieces += box((-0.22, 0, 0.2), (0.40, 0.014, 0.27), grey)
    pieces.append(
        Piece((-0.19, 0.0145, 0.31), (0.34, 0, 0), (0, 0, 0.13), m.slabs((0.13, 0.13, 0.15), 0.0228), casts=False)
    )
    pieces.append(Piece((-0.075, 0.0145, 0.215), (0.11, 0, 0), (0, 0, 0.075), m.plain((0.6, 0.61, 0.64)), casts=False))
    pieces.append(Piece((-0.22, 0.014, 0.47), (0.40, 0, 0), (0, 0.265, 0.075), m.plain((0.09, 0.09, 0.1))))
    pieces.append(
        Piece(
            (-0.205, 0.026, 0.468),
            (0.37, 0, 0),
            (0, 0.235, 0.0665),
            m.plain((0.80, 0.87, 0.93), 0.01),
            casts=False,
            glow=0.7,
        )
    )
    pieces += box(
        (0.30, 0, 0.22), (0.17, 0.015, 0.23), m.plain((0.92, 0.90, 0.85), 0.02), top=m.plain((0.24, 0.40, 0.42))
    )
    pieces += _mug((-0.42, 0, 0.42), (0.90, 0.72, 0.30), handle=-1)
    pieces += tube((0.42, 0, 0.72), (0.12, 0.06), m.plain((0.92, 0.91, 0.89)), shrink=1.2)
    pieces.append(tree(rng, (0.42, 0.07, 0.72), 0.34))
    pieces += [
        on_wall(wall, (2.0, 0.98, 0.62, 0.46), m.planks((0.3, 0.22, 0.16), 0.5)),
        on_wall(wall, (2.03, 1.01, 0.56, 0.40), m.plain((0.96, 0.96, 0.95), 0.01), out=0.04),
    ]
    return pieces, Look(
        (0.05, 0.42, -0.5), yaw=-1, pitch=-16, focal=0.95, sun=(0.8, 0.9, -0.4), sunshine=_LAMPLIGHT, ambient=_ROOM
    )


def boxes(rng: np.random.Generator) -> Scene:
    """Cardboard boxes piled up in an empty room with a window."""
    wall = Piece((-4, 0, 4.2), (8, 0, 0), (0, 3, 0), m.plaster((0.84, 0.86, 0.84)))
    side = Piece((-2.6, 0, -2), (0, 0, 6.2), (0, 3, 0), m.plaster((0.80, 0.82, 0.80)), casts=False)
    pieces = [Piece((-5, 0, -2), (10, 0, 0), (0, 0, 6.2), m.planks((0.62, 0.45, 0.30), 0.14, 0.004)), wall, side]
    pieces += window(wall, (5.0, 1.1, 1.3, 1.3), (0.95, 0.95, 0.95))
    pieces.append(on_wall(wall, (0, 0, 8, 0.12), m.plain((0.95, 0.95, 0.94)), out=0.03))
    tape = m.plain((0.83, 0.72, 0.52), 0.02)
    for (x, y, z), (w, h, d) in (
        ((-1.5, 0, 2.3), (1.0, 0.75, 0.8)),
        ((-0.4, 0, 2.5), (0.85, 0.62, 0.7)),
        ((-1.35, 0.75, 2.4), (0.7, 0.5, 0.6)),
        ((0.75, 0, 2.0), (0.7, 0.48, 0.6)),
        ((-0.3, 0.62, 2.6), (0.55, 0.42, 0.5)),
        ((-0.45, 0, 1.35), (0.55, 0.34, 0.45)),
    ):
        pieces += box((x, y, z), (w, h, d), m.cardboard)
        pieces.append(Piece((x + w / 2 - 0.03, y + h + 0.002, z), (0.06, 0, 0), (0, 0, d), tape, casts=False))
        pieces.append(
            Piece((x + w / 2 - 0.03, y + h * 0.7, z - 0.002), (0.06, 0, 0), (0, h * 0.3, 0), tape, casts=False)
        )
    del rng
    return pieces, Look(
        (0.1, 1.35, -0.7), yaw=-6, pitch=-12, focal=0.9, sun=(0.7, 0.9, -0.6), sunshine=_LAMPLIGHT, ambient=_ROOM
    )


_SHIRT = (
    (0.22, 0.0), (0.20, 0.42), (0.09, 0.36), (0.0, 0.54), (0.20, 0.70), (0.28, 0.72), (0.33, 0.675), (0.39, 0.66),
    (0.45, 0.675), (0.50, 0.72), (0.58, 0.70), (0.78, 0.54), (0.69, 0.36), (0.58, 0.42), (0.56, 0.0),
)  # fmt: skip


def shirts(rng: np.random.Generator) -> Scene:
    """T-shirts on a washing line in a garden."""
    pieces = [Piece((-40, 0, -4), (80, 0, 0), (0, 0, 60), m.grass, casts=False)]
    fence = m.planks((0.60, 0.44, 0.30), 0.15, 0.02)
    pieces.append(Piece((8, 0, 7.5), (0, 1.5, 0), (-16, 0, 0.8), fence))
    for x in (-2.6, 2.6):
        pieces += tube((x, 0, 3.4), (2.25, 0.05), m.plain((0.80, 0.80, 0.80)), sides=12)
    pieces += box((-2.6, 2.1, 3.39), (5.2, 0.012, 0.012), m.plain((0.9, 0.9, 0.88)))
    for x, tone in zip(
        (-2.1, -1.15, -0.2, 0.8, 1.7),
        ((0.95, 0.95, 0.94), (0.22, 0.36, 0.58), (0.95, 0.94, 0.90), (0.80, 0.30, 0.26), (0.93, 0.80, 0.38)),
        strict=True,
    ):
        sway, z = float(rng.uniform(-0.1, 0.12)), 3.38
        pieces.append(
            Piece((x, 1.38, z + sway), (0.78, 0, 0), (0, 0.74, -sway), m.cloth(tone), cut=within_polygon(_SHIRT))
        )
        for peg in (0.24, 0.54):
            pieces += box((x + peg - 0.012, 2.04, z - 0.03), (0.024, 0.1, 0.03), m.plain((0.86, 0.66, 0.40)))
    pieces += [
        tree(rng, (-6.5, 0, 11), 5.5),
        tree(rng, (5.8, 0, 12), 6.5),
        tree(rng, (0.5, 0, 16), 5.5),
        tree(rng, (-2.5, 0, 20), 6),
    ]
    return pieces, Look((-0.2, 1.5, 0.15), yaw=0, pitch=1, focal=0.78, sun=(-0.5, 0.8, -0.7), clouds=0.5)
