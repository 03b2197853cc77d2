"""What is kept of a photo for a classifier: one object with a margin, or a part of a photo without any."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from vision_cli.synth.lot import Lot, Purpose
from vision_cli.synth.render import Rendered
from vision_cli.synth.settings import RenderSettings

_ASPECT_SPREAD = 0.25
_LEAST_PX = 16

Window = tuple[int, int, int, int]
"""left, top, right, bottom; the last two exclusive."""


@dataclass(frozen=True, slots=True)
class Crop:
    """How much is kept around an object.

    Attributes:
        margin: lowest and highest, on each side by itself, as a share of the object's longer side.
    """

    margin: tuple[float, float]


def cropped(made: Rendered, crop: Crop, settings: RenderSettings, lot: Lot) -> Rendered:
    """Return the part of a photo that shows its first object, or one as large where it has none."""
    rng = lot.rng(Purpose.CROP, lot.member)
    shares = rng.uniform(*crop.margin, 4).tolist()
    height, width = made.photo.shape[:2]
    if made.objects:
        window = _around(made.objects[0].box, shares, (width, height))
    else:
        window = _anywhere(settings, 1 + shares[0] + shares[1], (width, height), rng)
    left, top, right, bottom = window
    objects = tuple(each.moved(-left, -top) for each in made.objects)
    return replace(made, photo=np.ascontiguousarray(made.photo[top:bottom, left:right]), objects=objects)


def _around(box: tuple[float, float, float, float], shares: list[float], size_px: tuple[int, int]) -> Window:
    x, y, w, h = box
    left, top, right, bottom = (share * max(w, h) for share in shares)
    return (
        max(0, math.floor(x - left)),
        max(0, math.floor(y - top)),
        min(size_px[0], math.ceil(x + w + right)),
        min(size_px[1], math.ceil(y + h + bottom)),
    )


def _anywhere(settings: RenderSettings, wider: float, size_px: tuple[int, int], rng: np.random.Generator) -> Window:
    low, high = settings.size_range_px(max(size_px))
    longer = math.exp(rng.uniform(math.log(low), math.log(high))) * wider
    aspect = math.exp(rng.normal(0, _ASPECT_SPREAD))
    wanted = longer * min(1, aspect), longer * min(1, 1 / aspect)
    width, height = (int(min(most, max(_LEAST_PX, side))) for side, most in zip(wanted, size_px, strict=True))
    left, top = int(rng.integers(size_px[0] - width + 1)), int(rng.integers(size_px[1] - height + 1))
    return left, top, left + width, top + height
