"""A small ray caster for scenes built of flat pieces: perspective, sun, cast shadows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from drawing.noise import Field, Noise, smoothstep

Vec = tuple[float, float, float]

_SCALE = 2
_EPSILON_M = 2e-3


@dataclass(frozen=True, slots=True)
class Texels:
    """Points on a piece, float32 (N,): metres along its two edges, and the metres one pixel spans there."""

    u: Field
    v: Field
    footprint: Field
    noise: Noise

    def fade(self, detail_m: float) -> Field:
        """Return 1 where a detail of this size is visible, falling to 0 where it is finer than a pixel."""
        return np.asarray(np.clip(detail_m / self.footprint - 0.3, 0, 1))


Material = Callable[[Texels], Field]
Cut = Callable[[Field, Field], NDArray[np.bool_]]


@dataclass(frozen=True, slots=True)
class Piece:
    """A parallelogram in the world: x right, y up, z away; metres.

    Attributes:
        cut: which points (u, v) in metres exist; all if None.
        bend: normals at both ends of `edge_u`, for pieces of a round body.
        glow: share of its colour that needs no light, 0..1.
    """

    corner: Vec
    edge_u: Vec
    edge_v: Vec
    paint: Material
    cut: Cut | None = None
    casts: bool = True
    bend: tuple[Vec, Vec] | None = None
    glow: float = 0.0


@dataclass(frozen=True, slots=True)
class Look:
    """Camera and light. Angles in degrees; colours RGB, 0..1; `sun` points towards the sun."""

    eye: Vec
    yaw: float = 0
    pitch: float = 0
    focal: float = 1.0
    sun: Vec = (0.5, 0.8, -0.6)
    sunshine: Vec = (0.75, 0.70, 0.60)
    ambient: Vec = (0.44, 0.48, 0.56)
    sky: tuple[Vec, Vec] = ((0.30, 0.52, 0.85), (0.80, 0.89, 0.96))
    clouds: float = 0.4
    haze_m: float = 600


@dataclass(slots=True)
class _Buffer:
    depth: Field
    owner: NDArray[np.int32]
    u: Field
    v: Field


def render(pieces: Sequence[Piece], look: Look, noise: Noise, size_px: tuple[int, int]) -> NDArray[np.uint8]:
    """Return the picture, uint8 (H, W, 3)."""
    width, height = size_px[0] * _SCALE, size_px[1] * _SCALE
    rays = _rays(look, width, height)
    buffer = _cast(pieces, look, rays)
    rgb = _sky(look, rays, noise)
    points = np.asarray(look.eye, np.float32) + rays * np.where(np.isfinite(buffer.depth), buffer.depth, 0)[..., None]
    for index, piece in enumerate(pieces):
        chosen = buffer.owner == index
        if chosen.any():
            rgb[chosen] = _shade(piece, look, (points[chosen], rays[chosen]), (buffer, chosen, noise, width), pieces)
    depth = np.log(np.minimum(buffer.depth, 200))
    # Points that lie behind their surroundings get less light: Luft et al., "Unsharp masking the depth buffer" (2006).
    behind = np.clip(depth - cv2.GaussianBlur(depth, (0, 0), width / 60), 0, 0.35)
    rgb *= (1 - 0.6 * behind * np.isfinite(buffer.depth))[..., None]
    small = cv2.resize(rgb, size_px, interpolation=cv2.INTER_AREA)
    return np.asarray(np.clip(small, 0, 1) * 255 + 0.5, np.uint8)


def _rays(look: Look, width: int, height: int) -> Field:
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    x, y = (columns + 0.5 - width / 2) / (look.focal * width), (height / 2 - rows - 0.5) / (look.focal * width)
    yaw, pitch = np.radians(look.yaw), np.radians(look.pitch)
    up, away = y * np.cos(pitch) + np.sin(pitch), np.cos(pitch) - y * np.sin(pitch)
    return np.stack([x * np.cos(yaw) + away * np.sin(yaw), up, away * np.cos(yaw) - x * np.sin(yaw)], -1).astype(
        np.float32
    )


def _frame(piece: Piece) -> tuple[Field, Field, Field, Field]:
    """Return corner, normal and the dual edges that turn a point into shares of the edges."""
    a, b = np.asarray(piece.edge_u, np.float32), np.asarray(piece.edge_v, np.float32)
    normal = np.cross(a, b)
    area = float(normal @ normal)
    dual_a, dual_b = np.cross(b, normal) / area, np.cross(normal, a) / area
    return np.asarray(piece.corner, np.float32), normal / np.float32(np.sqrt(area)), dual_a, dual_b


def _meet(piece: Piece, start: Field, rays: Field) -> tuple[Field, Field, Field]:
    """Return distance along each ray, and the metres along both edges; distance is inf where a ray misses."""
    corner, normal, dual_a, dual_b = _frame(piece)
    slope = rays @ normal
    offset = (corner - start) @ normal
    t = offset / np.where(np.abs(slope) < 1e-7, 1e-7, slope)
    relative = start - corner
    s = relative @ dual_a + t * (rays @ dual_a)
    r = relative @ dual_b + t * (rays @ dual_b)
    u, v = s * np.linalg.norm(piece.edge_u), r * np.linalg.norm(piece.edge_v)
    hit = (t > _EPSILON_M) & (s >= 0) & (s <= 1) & (r >= 0) & (r <= 1)
    if piece.cut is not None and hit.any():
        hit &= piece.cut(u, v)
    return np.where(hit, t, np.inf).astype(np.float32), u.astype(np.float32), v.astype(np.float32)


def _cast(pieces: Sequence[Piece], look: Look, rays: Field) -> _Buffer:
    shape = rays.shape[:2]
    zero = np.zeros(shape, np.float32)
    buffer = _Buffer(np.full(shape, np.inf, np.float32), np.full(shape, -1, np.int32), zero, zero.copy())
    eye = np.asarray(look.eye, np.float32)
    for index, piece in enumerate(pieces):
        window = _window(piece, look, shape)
        t, u, v = _meet(piece, eye, rays[window])
        nearer = t < buffer.depth[window]
        for target, values in ((buffer.depth, t), (buffer.u, u), (buffer.v, v)):
            target[window][nearer] = values[nearer]
        buffer.owner[window][nearer] = index
    return buffer


def _window(piece: Piece, look: Look, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Return the rows and columns a piece can touch; everything if it reaches behind the camera."""
    corner, a, b = (np.asarray(value, np.float64) for value in (piece.corner, piece.edge_u, piece.edge_v))
    relative = np.array([corner, corner + a, corner + b, corner + a + b]) - look.eye
    yaw, pitch = np.radians(look.yaw), np.radians(look.pitch)
    x, away = (
        relative[:, 0] * np.cos(yaw) - relative[:, 2] * np.sin(yaw),
        relative[:, 0] * np.sin(yaw) + relative[:, 2] * np.cos(yaw),
    )
    y, z = relative[:, 1] * np.cos(pitch) - away * np.sin(pitch), relative[:, 1] * np.sin(pitch) + away * np.cos(pitch)
    if z.min() < 0.05:
        return slice(None), slice(None)
    scale = look.focal * shape[1]
    columns, rows = shape[1] / 2 + scale * x / z, shape[0] / 2 - scale * y / z
    low, high = np.clip([rows.min() - 2, rows.max() + 3], 0, shape[0]).astype(int)
    left, right = np.clip([columns.min() - 2, columns.max() + 3], 0, shape[1]).astype(int)
    return slice(low, high), slice(left, right)


def _shade(
    piece: Piece,
    look: Look,
    where: tuple[Field, Field],
    texture: tuple[_Buffer, NDArray[np.bool_], Noise, int],
    pieces: Sequence[Piece],
) -> Field:
    points, rays = where
    buffer, chosen, noise, width = texture
    u, depth = buffer.u[chosen], buffer.depth[chosen]
    albedo = piece.paint(Texels(u, buffer.v[chosen], depth / np.float32(look.focal * width), noise))
    normal = np.broadcast_to(_frame(piece)[1], points.shape)
    if piece.bend:
        share = (u / np.linalg.norm(piece.edge_u))[:, None]
        normal = np.asarray(piece.bend[0], np.float32) * (1 - share) + np.asarray(piece.bend[1], np.float32) * share
    elif float((rays * normal).sum(-1).mean()) > 0:
        normal = -normal
    sun = np.asarray(look.sun, np.float32) / np.float32(np.linalg.norm(look.sun))
    cosine = np.clip(normal @ sun, 0, 1)
    if cosine.max() > 0 and max(look.sunshine) > 0:
        cosine = cosine * (1 - _shadow(pieces, points + normal * 4e-3, sun))
    facing_up = (0.82 + 0.18 * normal[:, 1])[:, None]
    lit = albedo * (
        np.asarray(look.ambient, np.float32) * facing_up + np.asarray(look.sunshine, np.float32) * cosine[:, None]
    )
    lit = lit * (1 - piece.glow) + albedo * piece.glow
    haze = (1 - np.exp(-depth / look.haze_m))[:, None]
    return np.asarray(lit * (1 - haze) + np.asarray(look.sky[1], np.float32) * haze, np.float32)


def _shadow(pieces: Sequence[Piece], points: Field, sun: Field) -> Field:
    blocked = np.zeros(len(points), np.bool_)
    rays = np.broadcast_to(sun, points.shape)
    for piece in pieces:
        if piece.casts:
            left = ~blocked
            t, _, _ = _meet(piece, points[left], rays[left])
            blocked[left] = np.isfinite(t)
    return blocked.astype(np.float32)


def _sky(look: Look, rays: Field, noise: Noise) -> Field:
    length = np.linalg.norm(rays, axis=-1)
    up = np.clip(rays[..., 1] / length, 0, None)
    share = (1 - np.exp(-up * 3))[..., None]
    sky = np.asarray(look.sky[1], np.float32) * (1 - share) + np.asarray(look.sky[0], np.float32) * share
    flat = up + 0.08
    density = noise.fractal(rays[..., 0] / length / flat * 0.8, rays[..., 2] / length / flat * 0.8, 6)
    alpha = smoothstep(0.55 - look.clouds, 1.0 - look.clouds, density) * smoothstep(0, 0.12, up)
    bright = np.asarray(look.ambient, np.float32) * 0.5 + np.asarray(look.sunshine, np.float32) * 0.4 + 0.42
    cloud = np.clip(bright, 0, 1) * (1 - 0.2 * smoothstep(0.2, 0.9, density)[..., None])
    return np.asarray(sky * (1 - alpha[..., None]) + cloud * alpha[..., None], np.float32)
