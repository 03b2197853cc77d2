"""Things that are like objects but of no class: drawn shapes with letters and marks, some in the outline of a logo."""

from __future__ import annotations

import math
import string

import cv2
import numpy as np
from numpy.typing import NDArray

from vision_cli.synth.logos import Logo, LogoBook

_SIDE = 160
_OUTLINE_OF_A_LOGO = 0.5
_FONTS = (cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_TRIPLEX, cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_SCRIPT_COMPLEX)
_FULL = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)

Colour = tuple[int, int, int]


def draw(book: LogoBook, rng: np.random.Generator) -> Logo:
    """Return one of the pictures that were given to distract, or a drawn one."""
    if book.distractors:
        return book.distractors[int(rng.integers(len(book.distractors)))]
    model = book.logos[int(rng.integers(len(book.logos)))]
    outlined = rng.random() < _OUTLINE_OF_A_LOGO
    aspect = model.aspect if outlined else math.exp(rng.normal(0, 0.35))
    width, height = (_SIDE, max(24, round(_SIDE / aspect))) if aspect > 1 else (max(24, round(_SIDE * aspect)), _SIDE)
    alpha = cv2.resize(model.rgba[..., 3], (width, height)) if outlined else _shape(width, height, rng)
    picture = _marks(width, height, _palette(model, rng), rng)
    rgba = np.ascontiguousarray(np.dstack([picture, alpha]))
    return Logo("", "drawn", rgba, _FULL, float((alpha >= 128).mean()))


def _palette(model: Logo, rng: np.random.Generator) -> list[Colour]:
    """Return a ground and three colours, half of the time those of a logo."""
    if rng.random() < 0.5:
        seen = model.rgba[model.rgba[..., 3] >= 128][:, :3]
        drawn = seen[rng.integers(0, len(seen), 4)].astype(np.int64)
    else:
        drawn = rng.integers(0, 256, (4, 3))
    if rng.random() < 0.35:
        drawn[0] = rng.integers(225, 256)
    return [(int(red), int(green), int(blue)) for red, green, blue in drawn]


def _shape(width: int, height: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return the alpha of an ellipse, a rounded rectangle or a polygon."""
    alpha = np.zeros((height, width), np.uint8)
    kind = rng.integers(3)
    if kind == 0:
        middle = width // 2, height // 2
        cv2.ellipse(alpha, middle, (middle[0] - 1, middle[1] - 1), 0, 0, 360, 255, -1, cv2.LINE_AA)
    elif kind == 1:
        radius = int(min(width, height) * rng.uniform(0.02, 0.3))
        inner = (slice(radius, height - radius), slice(radius, width - radius))
        alpha[inner] = 255
        if radius:
            alpha = cv2.dilate(alpha, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)))
    else:
        turns = np.sort(rng.uniform(0, 2 * math.pi, int(rng.integers(3, 9))))
        points = np.stack([np.cos(turns) * 0.5 + 0.5, np.sin(turns) * 0.5 + 0.5], 1) * (width - 1, height - 1)
        cv2.fillPoly(alpha, [points.round().astype(np.int32)], 255, cv2.LINE_AA)
        if (alpha >= 128).mean() < 0.25:
            alpha[...] = 255
    return np.asarray(alpha, np.uint8)


def _marks(width: int, height: int, palette: list[Colour], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return a picture of bars, discs, rings, polygons and letters."""
    picture = np.full((height, width, 3), palette[0], np.uint8)
    for _ in range(int(rng.integers(2, 9))):
        colour, kind = palette[int(rng.integers(1, 4))], int(rng.integers(5))
        x, y = int(rng.integers(width)), int(rng.integers(height))
        size = int(rng.uniform(0.05, 0.35) * min(width, height)) + 2
        if kind == 0:
            cv2.circle(picture, (x, y), size, colour, -1, cv2.LINE_AA)
        elif kind == 1:
            cv2.circle(picture, (x, y), size, colour, max(1, size // 4), cv2.LINE_AA)
        elif kind == 2:
            end = int(rng.integers(width)), int(rng.integers(height))
            cv2.line(picture, (x, y), end, colour, max(1, size // 3), cv2.LINE_AA)
        elif kind == 3:
            corners = rng.integers(-size, size + 1, (int(rng.integers(3, 6)), 2)) + np.array([x, y])
            cv2.fillPoly(picture, [corners.astype(np.int32)], colour, cv2.LINE_AA)
        else:
            _letters(picture, (x, y), size, (colour, rng))
    return picture


def _letters(
    picture: NDArray[np.uint8], at: tuple[int, int], size: int, ink: tuple[Colour, np.random.Generator]
) -> None:
    colour, rng = ink
    signs = string.ascii_letters + string.digits
    text = "".join(signs[int(index)] for index in rng.integers(0, len(signs), int(rng.integers(1, 5))))
    scale, weight = size / 18, max(1, size // 8)
    cv2.putText(picture, text, at, _FONTS[int(rng.integers(len(_FONTS)))], scale, colour, weight, cv2.LINE_AA)
