"""A picture in the making: colours, depth, and what covers each pixel."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from drawing.light import Light, Rgb
from drawing.noise import Field

Point = tuple[float, float]

_SHIFT = 4


@dataclass(frozen=True, slots=True)
class View:
    """A level pinhole camera at (0, `eye_m`, 0) that looks along z.

    Attributes:
        size_px: (width, height).
        horizon_px: row of the horizon.
    """

    size_px: tuple[int, int]
    focal_px: float
    horizon_px: float
    eye_m: float

    def project(self, x: float, y: float, z: float) -> Point:
        """Return column and row of a point of the world, metres."""
        return self.size_px[0] / 2 + self.focal_px * x / z, self.horizon_px + self.focal_px * (self.eye_m - y) / z


@dataclass(frozen=True, slots=True)
class Sprite:
    """A flat thing to stand in the picture.

    Attributes:
        rgb: float32 (H, W, 3), 0..1, before light.
        alpha: float32 (H, W), 0..1.
        snow: float32 (H, W), share of each pixel that is snow.
    """

    rgb: Field
    alpha: Field
    snow: Field


@dataclass(slots=True)
class Canvas:
    """RGB float32 (H, W, 3) in 0..1, depth in metres, shadow 0..1, and a cover map (H, W) in 0..1 a label."""

    view: View
    light: Light
    rgb: Field
    depth: Field
    shadow: Field
    cover: dict[str, Field] = field(default_factory=dict)

    @classmethod
    def blank(cls, view: View, light: Light) -> "Canvas":
        """Return an empty canvas, infinitely deep."""
        width, height = view.size_px
        black = np.zeros((height, width, 3), np.float32)
        return cls(view, light, black, np.full((height, width), np.inf, np.float32), np.zeros_like(black[..., 0]))

    def mark(self, label: str, alpha: Field, rows: slice = slice(None), columns: slice = slice(None)) -> None:
        """Note that `label` covers a part of the picture."""
        cover = self.cover.setdefault(label, np.zeros(self.depth.shape, np.float32))
        cover[rows, columns] = np.maximum(cover[rows, columns], alpha)

    def hide(self, alpha: Field, rows: slice, columns: slice) -> None:
        """Note that everything before is hidden by `alpha`."""
        for cover in self.cover.values():
            cover[rows, columns] *= 1 - alpha

    def hazed(self, rgb: Field, z: float) -> Field:
        """Mix colours with the haze of `z` metres of air."""
        share = 1 - np.exp(-z / self.light.visibility_m)
        return np.asarray(rgb * (1 - share) + np.asarray(self.light.horizon, np.float32) * share, np.float32)

    def paste(self, sprite: Sprite, left: float, top: float, z: float, label: str = "") -> None:
        """Put a lit sprite into the picture, behind what is nearer than `z` metres."""
        height, width = sprite.alpha.shape
        x, y = round(left), round(top)
        x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + width, self.depth.shape[1]), min(y + height, self.depth.shape[0])
        if x1 <= x0 or y1 <= y0:
            return
        rows, columns = slice(y0, y1), slice(x0, x1)
        inner = slice(y0 - y, y1 - y), slice(x0 - x, x1 - x)
        alpha = sprite.alpha[inner] * (self.depth[rows, columns] > z * 0.97)
        self._blend(self.hazed(sprite.rgb[inner], z), alpha, rows, columns)
        self.hide(alpha, rows, columns)
        if label:
            self.mark(label, alpha, rows, columns)
        self.mark("snow", alpha * sprite.snow[inner], rows, columns)

    def polygon(
        self, points: Sequence[Point], colour: Rgb | Field, z: float, *, label: str = "", snow: float = 0
    ) -> None:
        """Fill a polygon of pixel coordinates with one lit colour, behind what is nearer than `z` metres."""
        mask = polygon_mask(points, self.depth.shape) * (self.depth > z * 0.97)
        everything = slice(None)
        tint = self.hazed(np.asarray(colour, np.float32), z)
        self._blend(tint, mask, everything, everything)
        self.hide(mask, everything, everything)
        if label:
            self.mark(label, mask)
        if snow:
            self.mark("snow", mask * np.float32(snow))

    def shade(self, centre: Point, radii: Point, strength: float) -> None:
        """Darken a soft ellipse, the shadow below a thing; shadows do not add up where they cross."""
        rows, columns = np.mgrid[0 : self.depth.shape[0], 0 : self.depth.shape[1]].astype(np.float32)
        distance = ((columns - centre[0]) / max(radii[0], 1)) ** 2 + ((rows - centre[1]) / max(radii[1], 1)) ** 2
        deeper = np.maximum(self.shadow, strength * np.clip(1.2 - distance, 0, 1))
        tint = np.asarray((1.0, 0.92, 0.75), np.float32)
        self.rgb *= (1 - deeper[..., None] * tint) / (1 - self.shadow[..., None] * tint)
        self.shadow = deeper

    def _blend(self, rgb: Field, alpha: Field, rows: slice, columns: slice) -> None:
        region = self.rgb[rows, columns]
        region += (rgb - region) * alpha[..., None]


def polygon_mask(points: Sequence[Point], shape: tuple[int, ...]) -> Field:
    """Return the anti-aliased inside of a polygon, float32 (H, W), 0..1."""
    mask = np.zeros(shape[:2], np.uint8)
    limit = 1 << 14
    corners = np.clip(np.asarray(points, np.float64), -limit, limit) * (1 << _SHIFT)
    cv2.fillPoly(mask, [np.rint(corners).astype(np.int32)], 255, cv2.LINE_AA, _SHIFT)
    return mask.astype(np.float32) / 255


def as_rgb(colour: Rgb | NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a colour as float32 (3,)."""
    return np.asarray(colour, np.float32)
