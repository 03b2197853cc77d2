"""Houses, people and the small things that tell a season."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from drawing.canvas import Canvas, Point, Sprite, as_rgb, polygon_mask
from drawing.light import Rgb
from drawing.noise import Field, Noise

_WALLS: tuple[Rgb, ...] = (
    (0.93, 0.90, 0.84),
    (0.96, 0.95, 0.93),
    (0.85, 0.70, 0.50),
    (0.55, 0.38, 0.26),
    (0.72, 0.45, 0.36),
    (0.90, 0.83, 0.62),
)
_ROOFS: tuple[Rgb, ...] = ((0.60, 0.28, 0.20), (0.45, 0.25, 0.20), (0.36, 0.36, 0.40), (0.50, 0.33, 0.22))


@dataclass(frozen=True, slots=True)
class House:
    """Measures in metres; (x, y, z) is the middle of the front's foot."""

    x: float
    y: float
    z: float
    wide: float
    deep: float
    tall: float
    rise: float
    gable_in_front: bool


def draw_house(canvas: Canvas, rng: np.random.Generator, at: tuple[float, float, float], *, snow: float) -> None:
    """Stand a house with a pitched roof at (x, ground height, z); gable or eaves look at the camera."""
    x, y, z = at
    wide, deep = float(rng.uniform(6, 10)), float(rng.uniform(6, 9))
    tall, pitch = float(rng.uniform(3, 5.2)), float(rng.uniform(0.32, 0.48))
    gable = bool(rng.random() < 0.4)
    house = House(x, y - 0.5, z, wide, deep, tall, (wide if gable else deep) * pitch, gable)
    wall, roof = as_rgb(_WALLS[rng.integers(len(_WALLS))]), as_rgb(_ROOFS[rng.integers(len(_ROOFS))])
    canvas.shade(canvas.view.project(x, y, z), (wide * 0.9 / z * canvas.view.focal_px, 6), 0.25)
    _walls(canvas, house, wall)
    white = snow > 0.25
    _roof(canvas, house, as_rgb((0.95, 0.96, 1.0)) if white else roof, float(white))
    _openings(canvas, rng, (x - wide / 2, house.y, z), (wide, tall))
    top, stack = house.y + tall + house.rise * 0.6, as_rgb((0.5, 0.3, 0.25)) * canvas.light.flat(0.4)
    _quad(
        canvas,
        [(x + 1, top, z + 2), (x + 1.8, top, z + 2), (x + 1.8, top + 2, z + 2), (x + 1, top + 2, z + 2)],
        stack,
        z,
    )


def _walls(canvas: Canvas, house: House, wall: Field) -> None:
    left, right, foot, top = house.x - house.wide / 2, house.x + house.wide / 2, house.y, house.y + house.tall
    z, back, facing = house.z, house.z + house.deep, canvas.light.toward
    edge, sign = (right, 1) if house.x < 0 else (left, -1)
    side = wall * canvas.light.flat(max(facing[0] * sign, 0) * 0.9) * 0.9
    outline = [(edge, foot, z), (edge, top, z), (edge, top, back), (edge, foot, back)]
    if not house.gable_in_front:
        outline.insert(2, (edge, top + house.rise, (z + back) / 2))
    _quad(canvas, outline, side, z)
    front = wall * canvas.light.flat(max(-facing[2], 0) * 0.9 + 0.1)
    outline = [(left, foot, z), (left, top, z), (right, top, z), (right, foot, z)]
    if house.gable_in_front:
        outline.insert(2, (house.x, top + house.rise, z))
    _quad(canvas, outline, front, z)


def _roof(canvas: Canvas, house: House, colour: Field, snow: float) -> None:
    over, thick = 0.5, 0.5 if snow else 0.25
    left, right, low, high = (
        house.x - house.wide / 2 - over,
        house.x + house.wide / 2 + over,
        house.y + house.tall - 0.3,
        house.y + house.tall + house.rise,
    )
    z, back = house.z - over, house.z + house.deep + over
    lit = colour * canvas.light.flat(0.75 * max(canvas.light.toward[1], 0.3))
    if not house.gable_in_front:
        ridge = (z + back) / 2
        _quad(
            canvas,
            [(left, low, z), (left, high, ridge), (right, high, ridge), (right, low, z)],
            lit,
            house.z,
            snow=snow,
        )
        _quad(
            canvas,
            [(left, low, z), (left, low + thick, z), (right, low + thick, z), (right, low, z)],
            lit * 0.88,
            house.z,
            snow=snow,
        )
        return
    eave = right if house.x < 0 else left
    slope = [(eave, low, z), (house.x, high, z), (house.x, high, back), (eave, low, back)]
    _quad(canvas, slope, lit, house.z, snow=snow)
    for end in (left, right):
        strip = [(end, low, z), (house.x, high, z), (house.x, high + thick, z), (end, low + thick, z)]
        _quad(canvas, strip, lit * 0.92, house.z, snow=snow)


def _quad(
    canvas: Canvas, corners: list[tuple[float, float, float]], colour: Field, z: float, *, snow: float = 0
) -> None:
    points = [canvas.view.project(*corner) for corner in corners]
    canvas.polygon(points, colour, z, label="houses", snow=snow)


def _openings(
    canvas: Canvas, rng: np.random.Generator, corner: tuple[float, float, float], size: tuple[float, float]
) -> None:
    left, y, z = corner
    wide, tall = size
    lit = canvas.light.is_dark
    frame = as_rgb((0.95, 0.95, 0.95)) * canvas.light.flat(0.4)
    columns, floors = int(wide // 2.4), 1 + int(tall > 4.2)
    door = int(rng.integers(columns))
    for floor in range(floors):
        for column in range(columns):
            middle = left + wide * (column + 0.5) / columns
            is_door = floor == 0 and column == door
            low = y + (0.5 if is_door else 1.5 + 2.2 * floor)
            high = low + (2.0 if is_door else 1.1)
            glass = (
                as_rgb((1.0, 0.82, 0.42))
                if lit and rng.random() < 0.7
                else as_rgb((0.22, 0.28, 0.36)) * canvas.light.flat(0.6)
            )
            if is_door:
                glass = as_rgb((0.35, 0.22, 0.14)) * canvas.light.flat(0.4)
            _panel(canvas, (middle, low, z), (0.62, high), frame)
            _panel(canvas, (middle, low + 0.12, z), (0.48, high - 0.12), glass)


def _panel(canvas: Canvas, at: tuple[float, float, float], reach: tuple[float, float], colour: Field) -> None:
    x, low, z = at
    half, high = reach
    project = canvas.view.project
    corners = [(x - half, low), (x + half, low), (x + half, high), (x - half, high)]
    canvas.polygon([project(a, b, z) for a, b in corners], colour, z, label="houses")


def snowman(rng: np.random.Generator, height_px: int, lit: Field, side: float) -> Sprite:
    """Draw three balls of snow with hat, carrot, coal and scarf."""
    height, width = max(height_px, 12), max(int(height_px * 0.6), 8)
    rgb, alpha, white = _blank(height, width)
    middle = width / 2
    for share, radius in ((0.78, 0.21), (0.47, 0.16), (0.24, 0.115)):
        _ball(rgb, alpha, (middle, height * share), height * radius, side)
    white[:] = alpha
    dark, scarf = (
        as_rgb((0.10, 0.10, 0.12)),
        as_rgb(((0.8, 0.15, 0.15), (0.15, 0.35, 0.7), (0.15, 0.5, 0.25))[rng.integers(3)]),
    )
    for dx in (-0.045, 0.045):
        _spot(rgb, (alpha, white), (middle + dx * height, height * 0.21), height * 0.016, dark)
    for row in (0.43, 0.49, 0.55):
        _spot(rgb, (alpha, white), (middle, height * row), height * 0.016, dark)
    nose = [(middle, height * 0.23), (middle, height * 0.265), (middle + side * height * 0.11, height * 0.255)]
    _shape(rgb, (alpha, white), nose, as_rgb((0.95, 0.45, 0.1)))
    _box(rgb, (alpha, white), (middle - height * 0.1, height * 0.335, middle + height * 0.1, height * 0.375), scarf)
    _box(rgb, (alpha, white), (middle + height * 0.04, height * 0.36, middle + height * 0.085, height * 0.5), scarf)
    _box(rgb, (alpha, white), (middle - height * 0.15, height * 0.135, middle + height * 0.15, height * 0.155), dark)
    _box(rgb, (alpha, white), (middle - height * 0.09, height * 0.01, middle + height * 0.09, height * 0.14), dark)
    for end in (-1, 1):
        points = [
            (middle + end * height * 0.13, height * 0.45),
            (middle + end * height * 0.29, height * 0.33),
            (middle + end * height * 0.285, height * 0.315),
            (middle + end * height * 0.12, height * 0.43),
        ]
        _shape(rgb, (alpha, white), points, as_rgb((0.3, 0.2, 0.12)))
    return Sprite(rgb * lit, alpha, white)


def person(rng: np.random.Generator, height_px: int, lit: Field, *, on_skis: bool) -> Sprite:
    """Draw a walker, or a skier with skis and poles."""
    height, width = max(height_px, 10), max(height_px, 10)
    rgb, alpha, white = _blank(height, width)
    coat = as_rgb(((0.85, 0.2, 0.15), (0.15, 0.4, 0.8), (0.95, 0.7, 0.1), (0.2, 0.6, 0.4))[rng.integers(4)])
    tall, lean = float(height), 0.08 if on_skis else 0.0

    def part(points: list[Point], colour: Field) -> None:
        _shape(rgb, (alpha, white), [(width / 2 + x * tall, y * tall) for x, y in points], colour)

    for side in (-1, 1):
        for points, colour in _limbs(side, lean, coat, on_skis=on_skis):
            part(points, colour)
    part([(lean - 0.09, 0.2), (lean + 0.09, 0.2), (0.08, 0.55), (-0.08, 0.55)], coat)
    _spot(rgb, (alpha, white), (width / 2 + lean * tall, tall * 0.12), tall * 0.07, as_rgb((0.9, 0.72, 0.6)))
    part([(lean - 0.075, 0.12), (lean, 0.02), (lean + 0.075, 0.12)], coat * 0.6)
    return Sprite(rgb * lit, alpha, white)


def _limbs(side: int, lean: float, coat: Field, *, on_skis: bool) -> Iterator[tuple[list[Point], Field]]:
    """Yield the outlines of one side's leg, ski, pole and arm, in heights from the middle and the top."""
    trousers, foot, hip = as_rgb((0.16, 0.18, 0.26)), side * 0.08, side * 0.04
    yield [(hip - 0.04, 0.52), (hip + 0.04, 0.52), (foot + 0.03, 0.95), (foot - 0.03, 0.95)], trousers
    if on_skis:
        ski = [(foot - 0.3, 0.985), (foot + 0.32, 0.93), (foot + 0.33, 0.945), (foot - 0.3, 1.0)]
        yield ski, as_rgb((0.8, 0.1, 0.3))
        hand = [(side * 0.16 + lean, 0.42), (side * 0.18 + lean, 0.42)]
        yield [*hand, (side * 0.3, 0.95), (side * 0.285, 0.95)], trousers
    arm = [(lean, 0.2), (side * 0.08 + lean, 0.22), (side * 0.18 + lean, 0.43), (side * 0.12 + lean, 0.45)]
    yield arm, coat * 0.85


def parasol(rng: np.random.Generator, height_px: int, lit: Field) -> Sprite:
    """Draw a striped beach umbrella with a towel beside it."""
    height, width = max(height_px, 10), max(int(height_px * 1.3), 12)
    rgb, alpha, white = _blank(height, width)
    both, middle, tall = (alpha, white), width / 2, float(height)
    hue = as_rgb(((0.9, 0.2, 0.2), (0.15, 0.45, 0.8), (0.95, 0.75, 0.15), (0.1, 0.6, 0.5))[rng.integers(4)])
    _box(rgb, both, (middle - tall * 0.015, tall * 0.1, middle + tall * 0.015, tall * 0.97), as_rgb((0.9, 0.9, 0.88)))
    angles = np.linspace(np.pi, 0, 9)
    for index, (a, b) in enumerate(pairwise(angles)):
        rim = [(middle + np.cos(t) * tall * 0.6, tall * 0.38 - np.sin(t) * tall * 0.05) for t in (a, b)]
        colour = hue if index % 2 else as_rgb((0.97, 0.97, 0.95))
        arc = [
            (middle + np.cos(t) * tall * 0.6 * s, tall * 0.38 - tall * 0.34 * np.sqrt(1 - s * s))
            for t, s in ((a, 0.7), (b, 0.7))
        ]
        _shape(rgb, both, [rim[0], arc[0], (middle, tall * 0.04), arc[1], rim[1]], colour * (0.8 + 0.2 * index / 8))
    _shape(
        rgb,
        both,
        [
            (middle + tall * 0.1, tall * 0.93),
            (middle + tall * 0.5, tall * 0.93),
            (middle + tall * 0.6, tall * 0.99),
            (middle + tall * 0.12, tall * 0.99),
        ],
        hue * 0.9,
    )
    return Sprite(rgb * lit, alpha, white)


def boat(rng: np.random.Generator, height_px: int, lit: Field) -> Sprite:
    """Draw a sailing boat."""
    height, width = max(height_px, 10), max(height_px, 10)
    rgb, alpha, white = _blank(height, width)
    both, tall = (alpha, white), float(height)
    sail = as_rgb(((0.98, 0.98, 0.96), (0.95, 0.35, 0.25), (0.98, 0.98, 0.96))[rng.integers(3)])
    _shape(rgb, both, [(tall * 0.5, tall * 0.03), (tall * 0.5, tall * 0.78), (tall * 0.12, tall * 0.78)], sail * 0.9)
    _shape(rgb, both, [(tall * 0.53, tall * 0.1), (tall * 0.53, tall * 0.78), (tall * 0.88, tall * 0.78)], sail)
    _shape(
        rgb,
        both,
        [(tall * 0.08, tall * 0.83), (tall * 0.92, tall * 0.83), (tall * 0.78, tall * 0.98), (tall * 0.2, tall * 0.98)],
        as_rgb((0.35, 0.2, 0.14)),
    )
    return Sprite(rgb * lit, alpha, white)


def _blank(height: int, width: int) -> tuple[Field, Field, Field]:
    return (
        np.zeros((height, width, 3), np.float32),
        np.zeros((height, width), np.float32),
        np.zeros((height, width), np.float32),
    )


def _ball(rgb: Field, alpha: Field, centre: Point, radius: float, side: float) -> None:
    rows, columns = np.mgrid[0 : alpha.shape[0], 0 : alpha.shape[1]].astype(np.float32)
    x, y = (columns - centre[0]) / radius, (rows - centre[1]) / radius
    distance = np.sqrt(x * x + y * y)
    inside = np.clip((1 - distance) * radius + 0.5, 0, 1)
    light = np.clip(0.78 + 0.2 * (side * x * 0.7 - y * 0.7), 0.5, 1.0)
    colour = light[..., None] * as_rgb((0.97, 0.98, 1.0))
    rgb += (colour - rgb) * inside[..., None]
    alpha[:] = np.maximum(alpha, inside)


def _spot(rgb: Field, masks: tuple[Field, Field], centre: Point, radius: float, colour: Field) -> None:
    angles = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    _shape(rgb, masks, [(centre[0] + np.cos(a) * radius, centre[1] + np.sin(a) * radius) for a in angles], colour)


def _box(rgb: Field, masks: tuple[Field, Field], box: tuple[float, float, float, float], colour: Field) -> None:
    left, top, right, bottom = box
    _shape(rgb, masks, [(left, top), (right, top), (right, bottom), (left, bottom)], colour)


def _shape(rgb: Field, masks: tuple[Field, Field], points: list[Point], colour: Field) -> None:
    inside = polygon_mask(points, rgb.shape)
    rgb += (colour - rgb) * inside[..., None]
    masks[0][:] = np.maximum(masks[0], inside)
    masks[1][:] *= 1 - inside


def snowfall(canvas: Canvas, rng: np.random.Generator) -> None:
    """Let flakes fall between the camera and the scene; they are not counted as snow cover."""
    height, width = canvas.depth.shape
    layer = np.zeros((height, width), np.float32)
    for _ in range(int(rng.integers(120, 420))):
        point = int(rng.integers(width)), int(rng.integers(height))
        cv2.circle(layer, point, int(rng.choice([1, 1, 1, 2, 2, 3])), (float(rng.uniform(0.5, 0.95)),), -1, cv2.LINE_AA)
    layer = cv2.GaussianBlur(layer, (0, 0), 0.8)[..., None]
    canvas.rgb += (as_rgb((1, 1, 1)) * np.clip(canvas.light.flat(0.5), 0, 1) - canvas.rgb) * layer


def tracks(canvas: Canvas, noise: Noise, hits_x: Field, hits_z: Field) -> None:
    """Press the parallel tracks of skis into the snow."""
    snow = canvas.cover.get("snow")
    if snow is None:
        return
    shade = np.zeros_like(snow)
    for middle, bend in ((-0.6, 0.9), (1.4, -0.7)):
        curve = middle + bend * 3 * np.sin(hits_z / 9 + middle) * np.clip(hits_z / 30, 0, 1.5)
        for offset in (-0.16, 0.16):
            away = np.abs(hits_x - curve - offset)
            shade = np.maximum(shade, np.clip(1.3 - away / 0.07, 0, 1) * np.clip(45 / hits_z - 0.2, 0, 1))
    del noise
    canvas.rgb *= 1 - (0.28 * shade * snow)[..., None] * as_rgb((1.0, 0.85, 0.6))
