"""Trees as sprites: conifers, broad crowns, bare branches, palms."""

from collections.abc import Callable
from itertools import pairwise

import cv2
import numpy as np

from drawing.canvas import Point, Sprite, as_rgb
from drawing.light import Light, Rgb
from drawing.noise import Field, Noise, smoothstep

Painter = Callable[[np.random.Generator, int, Light, float], Sprite]

_GREENS: tuple[Rgb, ...] = ((0.30, 0.50, 0.16), (0.38, 0.56, 0.20), (0.24, 0.44, 0.18), (0.45, 0.58, 0.22))
_NEEDLES: tuple[Rgb, ...] = ((0.10, 0.26, 0.16), (0.13, 0.30, 0.17), (0.09, 0.22, 0.15))
_SNOW = as_rgb((0.96, 0.97, 1.0))


def conifer(rng: np.random.Generator, height_px: int, light: Light, snow: float) -> Sprite:
    """Draw a fir of layered branches; `snow` 0..1 loads them."""
    height = max(height_px, 4)
    slim = rng.uniform(0.4, 0.62)
    width = max(int(height * slim), 3)
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    t, s = (rows + 0.5) / height, (columns + 0.5) / width * 2 - 1
    layers = rng.uniform(6, 11)
    noise = Noise(rng)
    wobble = noise.value(s * 2.5 + 5, t * 5) * 0.35 + noise.value(s * 7, t * 16) * 0.3
    phase = np.mod(t * layers - 0.55 * np.abs(s) + wobble, 1)
    reach = np.clip(t * 1.05, 0, 1) ** 0.85 * (0.55 + 0.45 * phase) * (1 + 0.25 * wobble)
    body = smoothstep(0.04, -0.06, np.abs(s) - reach) * (t < 0.93)
    trunk = ((np.abs(s) < 0.07) & (t > 0.5)).astype(np.float32)
    needle = as_rgb(_NEEDLES[rng.integers(3)]) * rng.uniform(0.8, 1.25)
    side = np.sign(light.toward[0]) * s
    shade = (0.62 + 0.5 * (1 - phase)) * (1 + 0.35 * side) * (1 + 0.35 * noise.value(s * 12, t * 30))
    rgb = np.where(body[..., None] > 0.3, needle * shade[..., None], as_rgb((0.25, 0.18, 0.12)))
    white = snow * smoothstep(0.62, 0.25, phase + noise.value(s * 6, t * 14) * 0.35) * (body > 0.2)
    white = np.asarray(white, np.float32)
    cold = _SNOW * (0.86 + 0.14 * side)[..., None]
    rgb = (rgb * (1 - white[..., None]) + cold * white[..., None]) * light.flat(0.55)
    return Sprite(rgb.astype(np.float32), np.maximum(body, trunk), white)


def broadleaf(rng: np.random.Generator, height_px: int, light: Light, snow: float) -> Sprite:
    """Draw a tree in leaf: a trunk below clumps that are lit from the sun's side. It carries no snow."""
    del snow
    height = max(height_px, 6)
    width = int(height * rng.uniform(0.7, 1.0)) + 2
    rgb, alpha = np.zeros((height, width, 3), np.float32), np.zeros((height, width), np.float32)
    bark, middle = as_rgb((0.30, 0.22, 0.15)) * light.flat(0.4), width / 2
    _stroke(rgb, alpha, ((middle, height * 0.98), (middle, height * 0.5)), max(height * 0.06, 1), bark)
    green = as_rgb(_GREENS[rng.integers(4)]) * rng.uniform(0.8, 1.1)
    count = int(np.clip(height * 2.4, 24, 420))
    angles, reach = rng.uniform(0, 2 * np.pi, count), np.sqrt(rng.uniform(0, 1, count))
    x = middle + np.cos(angles) * reach * width * 0.4
    y = height * 0.38 + np.sin(angles) * reach * height * 0.32
    toward = np.sign(light.toward[0]) * (x - middle) / width * 0.9 - (y - height * 0.38) / height * 1.5
    for i in np.argsort(toward + rng.normal(0, 0.25, count)):
        radius = height * rng.uniform(0.04, 0.095) * (1 - min(height, 320) / 640)
        glow = np.clip(0.72 + toward[i] * 0.65 + rng.normal(0, 0.09), 0.35, 1.35)
        colour = green * glow * light.flat(0.6)
        _disc(rgb, alpha, (x[i], y[i]), radius, colour)
    return _leafy(rgb, alpha, rng)


def _leafy(rgb: Field, alpha: Field, rng: np.random.Generator) -> Sprite:
    """Break up smooth clumps into leaves."""
    rows, columns = np.mgrid[0 : alpha.shape[0], 0 : alpha.shape[1]].astype(np.float32)
    noise = Noise(rng)
    grain = noise.value(columns / 3.1, rows / 3.1) + 0.8 * noise.value(columns / 1.4 + 50, rows / 1.4)
    rgb = rgb * (1 + 0.26 * grain[..., None])
    ragged = alpha * smoothstep(-1.3, -0.8, grain + (cv2.blur(alpha, (5, 5)) - 0.6) * 3)
    return Sprite(rgb.astype(np.float32), ragged.astype(np.float32), np.zeros_like(alpha))


def bare(rng: np.random.Generator, height_px: int, light: Light, snow: float) -> Sprite:
    """Draw a leafless tree by branching; snow lies on the upper side of its limbs."""
    height = max(height_px, 8)
    width = int(height * 0.9) + 2
    shape = (height, width)
    rgb, alpha, white = np.zeros((*shape, 3), np.float32), np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    bark = as_rgb((0.27, 0.22, 0.19)) * rng.uniform(0.8, 1.3) * light.flat(0.45)
    limbs = [(width / 2, height * 0.99, -np.pi / 2 + rng.normal(0, 0.05), height * 0.27, height * 0.045, 0)]
    while limbs:
        x, y, angle, length, thick, level = limbs.pop()
        end = x + np.cos(angle) * length, y + np.sin(angle) * length
        _stroke(rgb, alpha, ((x, y), end), max(thick, 0.8), bark)
        if snow > 0.2 and level and thick > 1.2 and abs(np.cos(angle)) > 0.25:
            up = thick * 0.5
            _stroke(rgb, white, ((x, y - up), (end[0], end[1] - up)), max(thick * 0.55, 1), _SNOW * light.flat(0.6))
        if level < 6 and length > 2.5:
            turns = [-0.45, 0.45, 0.0][: 2 + int(level > 0 and rng.random() < 0.5)]
            for turn in turns:
                bend = angle + turn + float(rng.normal(0, 0.18))
                limbs.append((*end, bend, length * rng.uniform(0.64, 0.86), thick * 0.62, level + 1))
    return Sprite(rgb, np.maximum(alpha, white), white)


def palm(rng: np.random.Generator, height_px: int, light: Light, snow: float) -> Sprite:
    """Draw a palm: a leaning trunk and hanging fronds."""
    del snow
    height = max(height_px, 10)
    width = int(height * 0.9)
    rgb, alpha = np.zeros((height, width, 3), np.float32), np.zeros((height, width), np.float32)
    lean, bark = rng.uniform(-0.15, 0.15) * width, as_rgb((0.45, 0.36, 0.26)) * light.flat(0.5)
    path = [(width / 2 - lean * (1 - t) ** 2, height * (0.99 - 0.69 * t)) for t in np.linspace(0, 1, 8)]
    for start, end in pairwise(path):
        _stroke(rgb, alpha, (start, end), max(height * 0.035, 1), bark * rng.uniform(0.85, 1.1))
    top = path[-1]
    for angle in np.linspace(-0.4, np.pi + 0.4, 11) + rng.normal(0, 0.1, 11):
        colour = as_rgb((0.24, 0.46, 0.16)) * light.flat(0.55) * rng.uniform(0.7, 1.25)
        span = height * rng.uniform(0.3, 0.4)
        for t in np.linspace(0, 1, 14):
            x = top[0] + np.cos(angle) * span * t
            y = top[1] - np.sin(angle) * span * t * 0.75 + span * 0.75 * t * t
            _disc(rgb, alpha, (x, y), max(height * 0.028 * (1.1 - t), 0.6), colour)
    return _leafy(rgb, alpha, rng)


def _disc(rgb: Field, alpha: Field, centre: tuple[float, float], radius: float, colour: Field) -> None:
    point, size = _fixed(centre), int(radius * 16)
    tint = (float(colour[0]), float(colour[1]), float(colour[2]))
    cv2.circle(rgb, point, size, tint, -1, cv2.LINE_8, 4)
    cv2.circle(alpha, point, size, (1.0,), -1, cv2.LINE_8, 4)


def _stroke(rgb: Field, alpha: Field, line: tuple[Point, Point], width: float, colour: Field) -> None:
    """Draw a line; one thinner than a pixel becomes translucent."""
    start, end = line
    thick = max(round(width), 1)
    tint = (float(colour[0]), float(colour[1]), float(colour[2]))
    cv2.line(rgb, _fixed(start), _fixed(end), tint, thick, cv2.LINE_8, 4)
    cv2.line(alpha, _fixed(start), _fixed(end), (min(float(width), 1.0),), thick, cv2.LINE_8, 4)


def _fixed(point: tuple[float, float]) -> tuple[int, int]:
    return round(point[0] * 16), round(point[1] * 16)
