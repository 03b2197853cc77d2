"""Colours of classes: far from each other, the same in every picture, and apart within one."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Colour = tuple[int, int, int]

# Each is the one that lies farthest from all before it, in OKLab with lightness at 0.6 of its weight, for a tint keeps
# hue better than lightness (Glasbey et al. 2007, Color Res. Appl. 32:304). Greys are left to photos. A digit a channel.
_TABLE = """
f73 05f 0f0 f0f 286 caf 4ff ed4 b27 82d 0ae 76a 960 6b3 f7c c00 8f9 faa c6f 77f b0b b67 ba5 f06
0ca 079 780 f1b fa0 b6b 17d 63f be0 080 89d b0f f78 c85 ad9 5cd fc8 fbe a43 f6f 0a6 85c 1d4 f43
948 e49 1aa 0fc d8a 3d8 a8f d8e ab2 d46 7b7 d5c d65 55d 93b 85f c60 59f 7bf a80 9d6 8ec 6f6 fa7
a8c 57b c09 39b 573 d3f dd8 c59 db3 0a0 a64 a46 e3d a4e a29 c40 695 ce7 f9d e87 e80 87d 47f c04
0cf a69 08c 592 d68 8d1 d07 4a8 96b 80f da6 0f9 a6e b4c f5c 8a4 d7b f58 9f0 f8f e03 bc6 084 89f
870 f09 c80 b1d 7ea 66c e50 c44 fc5 f7a d9d f9b 59d 36b 55f 7df 0b5 994 ee0 5dc f56 cc0 b7d 859
"""
_APART = 0.12
_LIGHTNESS = 0.6
# sRGB to cone responses to OKLab: Ottosson 2020, "A perceptual color space for image processing".
_TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


@lru_cache(maxsize=1)
def _table() -> tuple[Colour, ...]:
    return tuple((int(each[0], 16) * 17, int(each[1], 16) * 17, int(each[2], 16) * 17) for each in _TABLE.split())


def colour_of(index: int) -> Colour:
    """Return the colour of a class; the first ones lie farthest apart, and from 144 classes on they come again."""
    return _table()[index % len(_table())]


def apart(indices: Iterable[int]) -> dict[int, Colour]:
    """Return colours of the classes of one picture that can be told from each other, the most important class first.

    A class keeps its own colour but where one before it has nearly the same: then it gets the next that is free.
    """
    found: dict[int, Colour] = {}
    for index in indices:
        found[index] = _free(index, [_lab()[_table().index(each)] for each in found.values()])
    return found


def _free(index: int, taken: list[NDArray[np.float64]]) -> Colour:
    if not taken:
        return colour_of(index)
    nearest = np.linalg.norm(_lab()[:, None] - np.array(taken), axis=-1).min(axis=1)
    order = np.roll(np.arange(len(nearest)), -(index % len(nearest)))
    free = order[nearest[order] >= _APART]
    return _table()[int(free[0] if len(free) else nearest.argmax())]


@lru_cache(maxsize=1)
def _lab() -> NDArray[np.float64]:
    """Return the table in OKLab, float64 (colours, 3), lightness weighted."""
    shares = np.array(_table()) / 255
    linear = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
    return np.asarray(np.cbrt(linear @ _TO_CONES.T) @ _TO_LAB.T * (_LIGHTNESS, 1, 1))
