"""Surfaces that are not flat: a logo around a mug, or on cloth. The picture is bent before it goes onto its plane.

The lines of sight are taken as parallel across one object: a cylinder of half angle A shows the share u of its width
at sin(uA) / sin A, and seen from above or below its lines bow. Cloth moves points along sines. Both tell how the
surface turns to the light.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_MOST_ANGLE_DEG = 70.0
_DARKER = 0.5


@dataclass(frozen=True, slots=True)
class Bend:
    """How a picture is bent.

    Attributes:
        kind: `cylinder` or `cloth`.
        angle_deg: half the angle of the cylinder that the picture goes around.
        bow: share of the picture's height by which its sides hang lower (or, negative, higher) than its middle.
        across: bend along the height instead of the width.
        waves: of cloth, (amplitude as a share, periods, phase 0 to 1) along the width, and along the height.
        light: -1 to 1, from which side light comes.
    """

    kind: Literal["cylinder", "cloth"]
    angle_deg: float = 40.0
    bow: float = 0.0
    across: bool = False
    waves: tuple[tuple[float, float, float], tuple[float, float, float]] = ((0.0, 1.0, 0.0), (0.0, 1.0, 0.0))
    light: float = 0.0

    @property
    def margin(self) -> float:
        """How far the bent picture reaches beyond its rectangle, as a share of it."""
        return abs(self.bow) if self.kind == "cylinder" else max(self.waves[0][0], self.waves[1][0])


def draw(rng: np.random.Generator, kind: Literal["cylinder", "cloth"]) -> Bend:
    """Draw a bend."""
    if kind == "cylinder":
        angle = float(rng.uniform(20, _MOST_ANGLE_DEG))
        bow = float(rng.uniform(-0.18, 0.18)) * angle / _MOST_ANGLE_DEG
        return Bend("cylinder", angle, bow, bool(rng.random() < 0.25), light=float(rng.uniform(-1, 1)))
    waves = [(float(rng.uniform(0.01, 0.04)), float(rng.uniform(0.7, 2.2)), float(rng.random())) for _ in range(2)]
    return Bend("cloth", waves=(waves[0], waves[1]), light=float(rng.uniform(-1, 1)))


def bent(rgba: NDArray[np.uint8], bend: Bend) -> tuple[NDArray[np.uint8], Floats]:
    """Return the bent picture, and how bright its surface is (around 1), both larger by the margin at every side."""
    if bend.across:
        turned, light = bent(np.ascontiguousarray(rgba.transpose(1, 0, 2)), _turned(bend))
        return np.ascontiguousarray(turned.transpose(1, 0, 2)), np.ascontiguousarray(light.T)
    height, width = rgba.shape[:2]
    pad_x, pad_y = math.ceil(bend.margin * width) + 1, math.ceil(bend.margin * height) + 1
    s = ((np.arange(-pad_x, width + pad_x, dtype=np.float32) + 0.5) / width)[None, :]
    t = ((np.arange(-pad_y, height + pad_y, dtype=np.float32) + 0.5) / height)[:, None]
    (from_s, from_t), light = _cylinder(s, t, bend) if bend.kind == "cylinder" else _cloth(s, t, bend)
    padded = cv2.copyMakeBorder(rgba, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    padded[[0, -1], :, 3] = 0
    padded[:, [0, -1], 3] = 0
    shape = t.shape[0], s.shape[1]
    map_x = np.ascontiguousarray(np.broadcast_to(from_s * width + 0.5, shape), np.float32)
    map_y = np.ascontiguousarray(np.broadcast_to(from_t * height + 0.5, shape), np.float32)
    drawn = cv2.remap(padded, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(drawn, np.uint8), np.ascontiguousarray(np.broadcast_to(light, shape), np.float32)


def forward(points: Floats, bend: Bend) -> Floats:
    """Return where points of the picture (N, 2), as shares of it, come to lie."""
    s, t = (points[:, 1], points[:, 0]) if bend.across else (points[:, 0], points[:, 1])
    if bend.kind == "cylinder":
        half = math.radians(bend.angle_deg)
        turned = (s * 2 - 1) * half
        s_to = (np.sin(turned) / math.sin(half) + 1) / 2
        t_to = t + bend.bow * (1 - np.cos(turned)) / (1 - math.cos(half))
    else:
        (first, many, phase), (second, others, start) = bend.waves
        s_to = s - second * np.sin(2 * math.pi * (others * t + start))
        t_to = t - first * np.sin(2 * math.pi * (many * s + phase))
    return np.stack([t_to, s_to] if bend.across else [s_to, t_to], 1).astype(np.float32)


def _turned(bend: Bend) -> Bend:
    return Bend(bend.kind, bend.angle_deg, bend.bow, False, bend.waves, bend.light)


def _cylinder(s: Floats, t: Floats, bend: Bend) -> tuple[tuple[Floats, Floats], Floats]:
    half = math.radians(bend.angle_deg)
    sine = (s * 2 - 1) * math.sin(half)
    turned = np.arcsin(np.clip(sine, -1, 1))
    cosine = np.cos(turned)
    from_s = (turned / half + 1) / 2
    # Past the rim there is no surface; what the picture has there is transparent.
    from_s = np.where((s < 0) | (s > 1), s, from_s)
    from_t = t - bend.bow * (1 - cosine) / (1 - math.cos(half))
    # Lambert's law, half of it from the front and half from the side.
    light = 1 - _DARKER * (1 - cosine) + 0.35 * bend.light * sine
    return (from_s, from_t), np.clip(light, 0.3, 1.4)


def _cloth(s: Floats, t: Floats, bend: Bend) -> tuple[tuple[Floats, Floats], Floats]:
    (first, many, phase), (second, others, start) = bend.waves
    along, down = 2 * math.pi * (many * s + phase), 2 * math.pi * (others * t + start)
    light = 1 + 2.5 * (first * many * np.cos(along) + second * others * np.cos(down)) * (0.5 + abs(bend.light))
    return (s + second * np.sin(down), t + first * np.sin(along)), np.clip(light, 0.5, 1.5)
