"""Scenes under the sky: streets, shops, a billboard, vehicles, walls."""

from itertools import pairwise

import numpy as np

from drawing import materials as m
from drawing.light import Rgb
from drawing.solids import box, disc, on_wall, tree, tube, window, within_circle, within_polygon
from drawing.stage import Look, Material, Piece, Vec

Scene = tuple[list[Piece], Look]

_FACADES: tuple[Rgb, ...] = (
    (0.86, 0.74, 0.55),
    (0.75, 0.82, 0.84),
    (0.88, 0.62, 0.50),
    (0.92, 0.89, 0.80),
    (0.68, 0.76, 0.62),
    (0.90, 0.80, 0.50),
)
_EVENING = ((0.16, 0.20, 0.40), (0.85, 0.55, 0.45))


def _ground(kind: Material, *, y: float = 0) -> Piece:
    return Piece((-60, y, -5), (120, 0, 0), (0, 0, 200), kind, casts=False)


def street(rng: np.random.Generator) -> Scene:
    """A street of town houses that runs away from the camera."""
    pieces = [
        _ground(m.slabs((0.66, 0.64, 0.60), 0.5)),
        Piece((-3, 0.02, -2), (6, 0, 0), (0, 0, 150), m.asphalt(3), casts=False),
        *box((-3.25, 0, -2), (0.25, 0.12, 150), m.plain((0.7, 0.7, 0.68))),
        *box((3.0, 0, -2), (0.25, 0.12, 150), m.plain((0.7, 0.7, 0.68))),
    ]
    for side in (-1, 1):
        z = 1.0
        while z < 85:
            deep, tall = float(rng.uniform(7, 11)), float(rng.uniform(7.5, 12))
            pieces += _town_house(rng, side, z, (deep, tall))
            z += deep
    pieces += [tree(rng, (4.4, 0, 17), 5.5), tree(rng, (-4.5, 0, 30), 6), tree(rng, (4.5, 0, 44), 6)]
    for z in (10, 24, 38):
        pieces += tube((-3.9, 0, z), (4.4, 0.06), m.plain((0.18, 0.2, 0.2)), sides=8)
        pieces += box((-4.05, 4.4, z - 0.15), (0.3, 0.42, 0.3), m.plain((0.9, 0.88, 0.75)))
    return pieces, Look((1.6, 1.75, 0), yaw=-13, pitch=6, focal=0.8, sun=(0.6, 0.9, -0.5), clouds=0.45)


def _town_house(rng: np.random.Generator, side: int, z: float, size: tuple[float, float]) -> list[Piece]:
    deep, tall = size
    x = 6.0
    colour = _FACADES[int(rng.integers(len(_FACADES)))]
    skin = m.bricks((0.62, 0.34, 0.26)) if rng.random() < 0.3 else m.plaster(colour)
    start, edge = (z, deep) if side < 0 else (z + deep, -deep)
    wall = Piece((side * x, 0, start), (0, 0, edge), (0, tall, 0), skin)
    near = Piece((side * x, 0, z), (side * 8, 0, 0), (0, tall, 0), skin)
    roof = Piece(
        (side * (x - 0.35), tall - 0.1, start),
        (0, 0, edge),
        (side * 4, 2.6, 0),
        m.ribs((0.58, 0.30, 0.22), 0.3, upright=True),
    )
    cornice = on_wall(wall, (0, tall - 0.35, deep, 0.3), m.plain((0.93, 0.91, 0.87)), out=0.25)
    pieces = [wall, near, roof, cornice]
    count = int(deep // 2.4)
    for floor in range(int((tall - 3.6) // 2.8)):
        for column in range(count):
            u = deep * (column + 0.5) / count - 0.5
            pieces += window(wall, (u, 4.1 + floor * 2.8, 1.0, 1.5), (0.95, 0.94, 0.92))
    awning = ((0.75, 0.2, 0.2), (0.15, 0.4, 0.35), (0.2, 0.3, 0.55))[int(rng.integers(3))]
    if rng.random() < 0.55:
        pieces.append(on_wall(wall, (0.6, 0.5, deep - 2.4, 2.0), m.glass()))
        pieces.append(on_wall(wall, (deep - 1.5, 0.05, 1.0, 2.4), m.planks((0.36, 0.24, 0.17), 0.2)))
        pieces.append(on_wall(wall, (0.4, 2.75, deep - 0.8, 0.6), m.plain((0.93, 0.92, 0.88)), out=0.08))
        shade = Piece(
            (side * x, 2.7, start), (0, 0, edge), (-side * 1.1, -0.45, 0), m.stripes(awning, (0.95, 0.93, 0.9), 0.35)
        )
        pieces.append(shade)
    else:
        pieces += window(wall, (0.8, 1.1, 1.2, 1.5), (0.95, 0.94, 0.92))
        pieces.append(on_wall(wall, (deep / 2, 0.05, 1.1, 2.3), m.planks(awning, 0.2)))
    return pieces


def shop_front(rng: np.random.Generator) -> Scene:
    """A shop seen from across the pavement: sign board, awning, display window, door."""
    wall = Piece((-7, 0, 6), (14, 0, 0), (0, 7, 0), m.bricks((0.66, 0.37, 0.29)))
    dark = (0.16, 0.26, 0.25)
    pieces = [
        _ground(m.slabs((0.64, 0.62, 0.58), 0.6)), wall,
        on_wall(wall, (3.4, 0, 7.2, 3.9), m.planks(dark, 0.4), out=0.06),
        on_wall(wall, (3.9, 0.75, 3.9, 2.0), m.glass((0.26, 0.25, 0.22)), out=0.09),
        on_wall(wall, (8.5, 0.05, 1.5, 2.7), m.planks((0.50, 0.20, 0.15), 0.3), out=0.09),
        on_wall(wall, (8.75, 1.0, 1.0, 1.5), m.glass((0.26, 0.25, 0.22)), out=0.11),
        on_wall(wall, (3.5, 3.05, 7.0, 0.8), m.plain((0.95, 0.93, 0.87)), out=0.16),
        Piece((-3.3, 3.0, 5.84), (4.3, 0, 0), (0, -0.5, -1.1), m.stripes((0.80, 0.22, 0.20), (0.96, 0.94, 0.90), 0.43)),
        Piece((-3.3, 2.28, 4.74), (4.3, 0, 0), (0, 0.23, 0), m.stripes((0.74, 0.19, 0.18), (0.90, 0.88, 0.84), 0.43)),
    ]  # fmt: skip
    for u in (0.9, 4.6, 6.6, 8.6, 12):
        pieces += window(wall, (u, 4.7, 1.1, 1.7), (0.93, 0.92, 0.9))
    pieces += window(wall, (0.9, 1.2, 1.3, 1.7), (0.93, 0.92, 0.9)) + window(
        wall, (11.9, 1.2, 1.3, 1.7), (0.93, 0.92, 0.9)
    )
    for x in (-3.2, 3.2):
        pieces += tube((x, 0, 5.0), (0.55, 0.26), m.plain((0.62, 0.34, 0.24), 0.1), shrink=1.2)
        pieces.append(tree(rng, (x, 0.45, 5.0), 1.3))
    return pieces, Look((-0.6, 1.65, -3.2), yaw=4, pitch=8, focal=0.95, sun=(-0.6, 0.75, -0.7), clouds=0.3)


def cafe_corner(rng: np.random.Generator) -> Scene:
    """A corner house with a hanging sign and tables before it."""
    left = Piece((-9, 0, 14), (9.5, 0, -8), (0, 6.5, 0), m.plaster((0.90, 0.80, 0.60)))
    right = Piece((0.5, 0, 6), (7, 0, 9), (0, 6.5, 0), m.plaster((0.93, 0.84, 0.66)))
    pieces = [_ground(m.slabs((0.60, 0.56, 0.52), 0.24)), left, right]
    for u in (1.2, 4.2, 7.2, 9.8):
        pieces += window(left, (u, 4.0, 1.2, 1.6), (0.30, 0.40, 0.42)) + window(
            right, (u - 0.3, 4.0, 1.2, 1.6), (0.30, 0.40, 0.42)
        )
    for u in (1.0, 4.4, 8.0):
        pieces.append(on_wall(left, (u, 0.6, 2.4, 1.9), m.glass((0.30, 0.26, 0.2)), out=0.04))
        pieces.append(
            on_wall(
                right,
                (u, 0.05 if u == 4.4 else 0.7, 1.7, 2.4 if u == 4.4 else 1.7),
                m.glass((0.30, 0.26, 0.2)),
                out=0.04,
            )
        )
    pieces += [
        on_wall(left, (0.4, 2.85, 11.6, 0.62), m.plain((0.24, 0.36, 0.38)), out=0.1),
        on_wall(right, (0.3, 2.85, 10.6, 0.62), m.plain((0.24, 0.36, 0.38)), out=0.1),
    ]
    pieces += box((0.42, 3.95, 4.7), (0.07, 0.06, 1.35), m.plain((0.1, 0.1, 0.1)))
    pieces.append(
        Piece((-0.1, 2.75, 4.9), (1.1, 0, 0), (0, 1.1, 0), m.plain((0.95, 0.93, 0.86)), cut=within_circle(0.55))
    )
    for x, z in ((-4.2, 7.5), (-2.3, 5.6), (3.6, 6.8)):
        pieces += [
            disc((x, 0.74, z), 0.42, m.planks((0.62, 0.45, 0.3), 0.12)),
            *tube((x, 0, z), (0.74, 0.04), m.plain((0.15, 0.15, 0.15)), sides=8),
        ]
        for dx in (-0.75, 0.75):
            pieces += box((x + dx - 0.2, 0.42, z - 0.2), (0.4, 0.05, 0.4), m.plain((0.7, 0.25, 0.2)))
            pieces += box(
                (x + dx - 0.2 + (0.36 if dx > 0 else 0), 0.42, z - 0.2), (0.04, 0.5, 0.4), m.plain((0.7, 0.25, 0.2))
            )
            pieces += box((x + dx - 0.03, 0, z - 0.03), (0.06, 0.42, 0.06), m.plain((0.15, 0.15, 0.15)))
    pieces.append(tree(rng, (6.2, 0, 9), 4.8))
    return pieces, Look(
        (-0.3, 1.7, -1.5), pitch=8, focal=0.85, sun=(0.7, 0.6, -0.7), sunshine=(0.82, 0.68, 0.48), clouds=0.5
    )


def billboard(rng: np.random.Generator) -> Scene:
    """A blank hoarding on two legs beside a country road."""
    board = Piece((-4.6, 3.0, 15), (8.6, 0, 2.4), (0, 4.2, 0), m.plain((0.94, 0.94, 0.92), 0.02))
    frame = Piece((-4.8, 2.8, 15.05), (9.0, 0, 2.5), (0, 4.6, 0), m.plain((0.30, 0.32, 0.34)))
    pieces = [_ground(m.grass), board, frame]
    pieces.append(Piece((1.2, 0.02, -2), (5.4, 0, 0), (6, 0, 170), m.asphalt(2.7), casts=False))
    for x, z in ((-3.2, 15.6), (2.4, 17.2)):
        pieces += tube((x, 0, z), (3.0, 0.16), m.plain((0.34, 0.35, 0.36)), sides=14)
    pieces += box((-4.6, 2.55, 14.2), (8.6, 0.08, 0.7), m.planks((0.5, 0.42, 0.34), 0.2))
    for z in np.linspace(6, 110, 26):
        pieces += box((0.55 + (z + 2) * 6 / 172, 0, float(z)), (0.1, 0.85, 0.1), m.plain((0.9, 0.9, 0.9)))
    for _ in range(16):
        x, z = float(rng.uniform(-40, 45)), float(rng.uniform(32, 80))
        if not -1 < x - z * 0.035 < 9:
            pieces.append(tree(rng, (x, -0.1, z), float(rng.uniform(5, 9))))
    return pieces, Look((0, 1.7, 0), yaw=2, pitch=9, focal=0.9, sun=(-0.4, 0.6, -0.8), clouds=0.55, haze_m=260)


def van(rng: np.random.Generator) -> Scene:
    """A white delivery van at the kerb before a wall."""
    wall = Piece((-14, 0, 11), (30, 0, 0), (0, 5.5, 0), m.bricks((0.55, 0.40, 0.34)))
    pieces = [
        _ground(m.asphalt()),
        Piece((-30, 0.13, 8.2), (60, 0, 0), (0, 0, 2.8), m.slabs((0.68, 0.66, 0.62), 0.6)),
        wall,
    ]
    pieces += box((-30, 0, 8.1), (60, 0.14, 0.15), m.plain((0.76, 0.75, 0.72)))
    for u in (2, 7, 12, 17, 22):
        pieces += window(wall, (u, 2.6, 1.5, 1.8), (0.85, 0.85, 0.83))
    pieces += _van_body((0.94, 0.95, 0.96))
    pieces += [tree(rng, (-6.6, 0, 9.2), 5.2), tree(rng, (7.6, 0, 9.4), 4.6)]
    return pieces, Look((-2.3, 1.75, -0.6), yaw=18, pitch=-1, focal=0.88, sun=(-0.55, 0.8, -0.75), clouds=0.3)


def _van_body(colour: Rgb) -> list[Piece]:
    """A panel van, 5.4 m long, its nose to the left."""
    x, z, wide = -2.6, 5.4, 2.0
    paint = m.plain(colour, 0.015)
    side = [(0.0, 0.35), (0.0, 1.05), (0.25, 1.2), (1.1, 1.32), (1.75, 2.25), (2.05, 2.4), (5.4, 2.4), (5.4, 0.35)]
    shape = within_polygon(side)
    pieces = [Piece((x, 0, end), (5.4, 0, 0), (0, 2.5, 0), paint, cut=shape) for end in (z, z + wide)]
    for (ua, va), (ub, vb) in pairwise(side):
        skin = m.glass((0.12, 0.16, 0.20)) if (ua, ub) == (1.1, 1.75) else paint
        pieces.append(Piece((x + ua, va, z), (0, 0, wide), (ub - ua, vb - va, 0), skin))
    door = within_polygon([(0.0, 0.0), (0.62, 0.82), (1.25, 0.82), (1.25, 0.0)])
    pieces.append(
        Piece((x + 1.3, 1.32, z - 0.01), (1.25, 0, 0), (0, 0.85, 0), m.glass((0.12, 0.16, 0.20)), cut=door, casts=False)
    )
    for u, v, w, h in (
        (2.68, 0.42, 0.015, 1.92),
        (1.18, 0.42, 0.015, 0.86),
        (2.4, 1.1, 0.18, 0.05),
        (0.0, 0.35, 5.4, 0.16),
        (3.2, 1.25, 2.0, 0.012),
    ):
        tone = m.plain((0.15, 0.15, 0.16)) if w < 5 else m.plain((0.2, 0.2, 0.22))
        pieces.append(Piece((x + u, v, z - 0.008), (w, 0, 0), (0, h, 0), tone, casts=False))
    for u in (1.0, 4.35):
        pieces += _wheel((x + u, 0.36, z))
    nose, lamp = x - 0.01, m.plain((0.95, 0.93, 0.8))
    for start in (0.12, 1.5):
        pieces.append(Piece((nose, 0.72, z + start), (0, 0, 0.38), (0, 0.26, 0), lamp, casts=False))
    grille = m.ribs((0.14, 0.14, 0.15), 0.1, upright=False)
    pieces.append(Piece((nose, 0.5, z + 0.55), (0, 0, 0.9), (0, 0.4, 0), grille, casts=False))
    return pieces


def _wheel(hub: Vec) -> list[Piece]:
    x, y, z = hub
    rings = ((0.02, 0.43, (0.07, 0.07, 0.08)), (0.03, 0.36, (0.12, 0.12, 0.13)), (0.04, 0.21, (0.66, 0.68, 0.7)))
    return [
        Piece((x - r, y - r, z - out), (2 * r, 0, 0), (0, 2 * r, 0), m.plain(tone), cut=within_circle(r))
        for out, r, tone in rings
    ]


def brick_wall(rng: np.random.Generator) -> Scene:
    """A brick wall that runs away along a pavement."""
    wall = Piece((-2.4, 0, -1), (0, 0, 60), (0, 4.2, 0), m.bricks((0.68, 0.36, 0.27)))
    pieces = [_ground(m.asphalt()), wall]
    pieces.append(Piece((-2.4, 0.14, -1), (2.6, 0, 0), (0, 0, 60), m.slabs((0.68, 0.66, 0.62), 0.65)))
    pieces += box((0.2, 0, -1), (0.16, 0.145, 60), m.plain((0.76, 0.75, 0.72)))
    pieces += box((-2.75, 4.2, -1), (0.45, 0.14, 60), m.plain((0.70, 0.68, 0.64)))
    for z in (12, 20, 28, 36, 44):
        pieces.append(tree(rng, (float(rng.uniform(5, 8)), 0, z), float(rng.uniform(5, 7))))
        pieces.append(tree(rng, (-5, 2.2, z + 3), float(rng.uniform(4, 6))))
    for z in (9, 22, 35):
        pieces += tube((0.0, 0.14, z), (4.6, 0.07), m.plain((0.2, 0.24, 0.22)), sides=12)
        pieces += box((-0.18, 4.74, z - 0.18), (0.36, 0.45, 0.36), m.plain((0.92, 0.9, 0.78)))
    return pieces, Look((0.1, 1.65, -0.6), yaw=-22, pitch=3, focal=0.85, sun=(0.8, 0.7, -0.2), clouds=0.4, haze_m=250)


def bus_stop(rng: np.random.Generator) -> Scene:
    """A shelter in the evening with a lit, empty poster case."""
    steel = m.plain((0.28, 0.30, 0.33))
    pieces = [_ground(m.asphalt()), Piece((-30, 0.13, 3.6), (60, 0, 0), (0, 0, 7), m.slabs((0.55, 0.54, 0.54), 0.5))]
    pieces += box((-30, 0, 3.5), (60, 0.14, 0.15), m.plain((0.66, 0.65, 0.64)))
    for x in (-2.6, 0.0, 2.2):
        pieces += box((x, 0.13, 6.2), (0.09, 2.5, 0.09), steel)
    pieces += box((-2.9, 2.6, 4.6), (5.6, 0.12, 2.0), steel)
    pieces += box((2.2, 0.3, 4.9), (0.22, 2.25, 1.45), steel)
    pieces.append(
        Piece((2.19, 0.5, 4.98), (0, 0, 1.28), (0, 1.85, 0), m.plain((0.97, 0.97, 0.93), 0.01), casts=False, glow=0.85)
    )
    pieces += box((-2.3, 0.55, 5.6), (2.9, 0.07, 0.45), m.planks((0.55, 0.36, 0.22), 0.15))
    for x in (-2.0, 0.3):
        pieces += box((x, 0.13, 5.7), (0.08, 0.42, 0.3), steel)
    pieces += tube((-3.8, 0.13, 4.6), (2.9, 0.05), steel, sides=10)
    pieces.append(
        Piece((-4.15, 2.4, 4.55), (0.7, 0, 0), (0, 0.7, 0), m.plain((0.95, 0.80, 0.25)), cut=within_circle(0.35))
    )
    wall = Piece((-22, 0, 16), (46, 0, 0), (0, 9, 0), m.plaster((0.62, 0.54, 0.52)))
    pieces.append(wall)
    for u in np.arange(1, 44, 3.1):
        for floor in range(3):
            pieces += window(
                wall, (float(u), 1.2 + floor * 2.7, 1.3, 1.6), (0.6, 0.58, 0.57), lit=bool(rng.random() < 0.4)
            )
    pieces += [tree(rng, (-7.5, 0, 9.5), 6.5), tree(rng, (6.8, 0, 10), 6)]
    look = Look(
        (-1.9, 1.6, -0.4),
        yaw=14,
        pitch=3,
        focal=0.9,
        sun=(-0.8, 0.35, -0.5),
        sunshine=(0.26, 0.17, 0.12),
        ambient=(0.52, 0.50, 0.60),
        sky=_EVENING,
        clouds=0.4,
    )
    return pieces, look


def warehouse(rng: np.random.Generator) -> Scene:
    """A hall of corrugated sheet with a roller door, crates and a barrel."""
    wall = Piece((-12, 0, 9), (26, 0, 5), (0, 6.2, 0), m.ribs((0.48, 0.58, 0.66), 0.22, upright=True))
    pieces = [_ground(m.asphalt()), wall, on_wall(wall, (0, 0, 26.5, 0.7), m.plaster((0.62, 0.61, 0.6)), out=0.05)]
    pieces.append(on_wall(wall, (9.3, 0.0, 4.9, 4.3), m.plain((0.88, 0.72, 0.15)), out=0.07))
    pieces.append(on_wall(wall, (9.5, 0.0, 4.5, 4.1), m.ribs((0.82, 0.83, 0.84), 0.22, upright=False), out=0.1))
    pieces.append(on_wall(wall, (15.4, 0.0, 1.15, 2.3), m.plain((0.20, 0.34, 0.45)), out=0.09))
    for u in (4.4, 6.9, 17.6, 20.2):
        pieces += window(wall, (u, 2.6, 1.7, 1.1), (0.86, 0.86, 0.85))
    wood = m.planks((0.70, 0.53, 0.34), 0.16, 0.014)
    for corner, size in (
        ((-4.6, 0, 6.4), 1.25),
        ((-3.2, 0, 6.9), 1.1),
        ((-4.3, 1.25, 6.5), 0.95),
        ((-6.0, 0, 7.0), 1.1),
    ):
        pieces += box(corner, (size, size, size), wood)
    for x, z, tone in ((3.6, 7.4, (0.16, 0.38, 0.62)), (4.35, 8.0, (0.70, 0.22, 0.16))):
        pieces += [
            *tube((x, 0, z), (0.9, 0.31), m.ribs(tone, 0.3, upright=False)),
            disc((x, 0.9, z), 0.31, m.plain((0.4, 0.4, 0.42))),
        ]
    del rng
    return pieces, Look((0, 1.7, -1), yaw=-2, pitch=5, focal=0.85, sun=(-0.5, 0.7, -0.8), clouds=0.35)
