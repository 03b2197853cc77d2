"""What a camera and its owner do to a scene: framing, blur, colour cast, noise, JPEG."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from drawing.noise import Field


@dataclass(frozen=True, slots=True)
class Shot:
    """A finished photo.

    Attributes:
        rgb: uint8 (H, W, 3).
        cover: share of the picture each label covers, 0..1.
    """

    rgb: NDArray[np.uint8]
    cover: dict[str, float]


def develop(rgb: Field, cover: dict[str, Field], rng: np.random.Generator, size_px: tuple[int, int]) -> Shot:
    """Tilt, shrink and grade a drawing; the cover maps take the same way as the picture."""
    height, width = rgb.shape[:2]
    tilt = cv2.getRotationMatrix2D((width / 2, height / 2), float(rng.normal(0, 1.3)), 1.06)
    frame = (width, height)
    turned = cv2.warpAffine(rgb, tilt, frame, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    small = cv2.resize(turned, size_px, interpolation=cv2.INTER_AREA)
    shares = {}
    for name, layer in cover.items():
        moved = cv2.warpAffine(layer, tilt, frame, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
        shares[name] = float(np.clip(moved, 0, 1).mean())
    return Shot(_grade(np.asarray(small, np.float32), rng), shares)


def _grade(rgb: Field, rng: np.random.Generator) -> NDArray[np.uint8]:
    height, width = rgb.shape[:2]
    if rng.random() < 0.25:
        rgb = np.asarray(cv2.GaussianBlur(rgb, (0, 0), float(rng.uniform(0.4, 0.9))), np.float32)
    cast = (
        1
        + rng.normal(0, 0.035, 3).astype(np.float32)
        + np.array([1, 0, -1], np.float32) * np.float32(rng.normal(0, 0.05))
    )
    rgb = rgb * cast * np.float32(rng.uniform(0.88, 1.1))
    rgb = 0.5 + (rgb - 0.5) * np.float32(rng.uniform(0.9, 1.15))
    grey = rgb.mean(axis=-1, keepdims=True)
    rgb = grey + (rgb - grey) * np.float32(rng.uniform(0.7, 1.15))
    rows, columns = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    corner = (rows**2 + columns**2)[..., None]
    rgb = rgb * (1 - np.float32(rng.uniform(0, 0.14)) * corner)
    grain = rng.normal(0, rng.uniform(0.003, 0.02), rgb.shape).astype(np.float32)
    return np.asarray(np.clip(rgb + grain, 0, 1) * 255 + 0.5, np.uint8)
