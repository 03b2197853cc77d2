"""The light of a scene, its camera's noise and lens: what makes an object look as if photographed there."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vision_cli.synth.looks.sample import Floats
from vision_cli.synth.placement import Pose
from vision_cli.synth.scene import Scene
from vision_cli.synth.warp import Layer, Lens

_PAPER = 225.0
"""Grey level of white paper in a well-exposed photo."""

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_SHARPEST_PX = 0.45
_NOISE_SIDE = 768
_NOISE_SEED = 20240607


@dataclass(frozen=True, slots=True)
class Light:
    """What one photo's objects share.

    Attributes:
        exposure: what white paper's grey level is multiplied with.
        mean: average luminance of the scene.
        from_deg: direction in which shadows fall, on the screen.
        softness: of shadows, as a share of an object's size.
        depth: 0 to 1, how dark shadows are.
    """

    exposure: float
    mean: float
    from_deg: float
    softness: float
    depth: float


def light_of(scene: Scene, rng: np.random.Generator) -> Light:
    """Measure a scene's light, and draw what cannot be measured."""
    sparse = scene.shading[::8, ::8]
    bright = float(np.percentile(sparse, 96))
    exposure = float(np.clip((bright / _PAPER) ** 0.75, 0.35, 1.08))
    downwards, softness, depth = rng.normal(90, 40), rng.uniform(0.015, 0.08), rng.uniform(0.25, 0.6)
    return Light(exposure, float(sparse.mean()), float(downwards), float(softness), float(depth))


def colours(scene: Scene, light: Light, effects: frozenset[str], rng: np.random.Generator) -> NDArray[np.float32]:
    """Return float32 (3, 4): jitter of brightness, contrast, saturation and hue, exposure and white balance at once."""
    jitter = "colour" in effects
    brightness, contrast, black = rng.uniform(0.88, 1.08), rng.uniform(0.8, 1.03), rng.uniform(0, 16)
    saturation, hue = rng.uniform(0.7, 1.12), math.radians(rng.normal(0, 4))
    grey = np.outer(np.ones(3, np.float32), _LUMA)
    matrix, offset = np.eye(3, dtype=np.float32), np.zeros(3, np.float32)
    if jitter:
        matrix = (grey + np.float32(saturation) * (matrix - grey)) @ _turn(hue) * np.float32(brightness * contrast)
        offset = offset + np.float32(128 * brightness * (1 - contrast) * 0.5 + black)
    scale = np.full(3, light.exposure if "shading" in effects else 1.0, np.float32)
    if "white-balance" in effects:
        scale = scale * scene.white.astype(np.float32) ** np.float32(0.8)
    return np.concatenate([matrix * scale[:, None], (offset * scale)[:, None]], axis=1).astype(np.float32)


def _turn(angle: float) -> NDArray[np.float32]:
    """Return the rotation of hue: around the axis of greys."""
    cos, sin = math.cos(angle), math.sin(angle) / math.sqrt(3)
    same, rest = cos + (1 - cos) / 3, (1 - cos) / 3
    return np.array(
        [[same, rest - sin, rest + sin], [rest + sin, same, rest - sin], [rest - sin, rest + sin, same]], np.float32
    )


def lens_of(scene: Scene, pose: Pose, effects: frozenset[str], rng: np.random.Generator) -> Lens:
    """Return how sharp an object is: like the scene, less where its depth is off, and now and then moved."""
    focus, hazy = rng.normal(0, 0.35), rng.random() < 0.12
    moved, length, direction = rng.random() < 0.12, rng.uniform(0.02, 0.09), rng.uniform(0, 180)
    sigma = _SHARPEST_PX
    if "blur" in effects:
        off = abs(math.log(max(pose.depth, 0.05))) * abs(focus)
        sigma = max(_SHARPEST_PX, scene.blur_sigma * 0.8) + off + (0.006 * pose.size_px if hazy else 0.0)
    sigma = min(sigma, 0.5 + 0.025 * pose.size_px)
    motion = min(length * pose.size_px, 14.0) if moved and "motion" in effects else 0.0
    return Lens(round(sigma, 2), round(motion, 1), round(direction))


def gain(scene: Scene, layer: Layer, light: Light, effects: frozenset[str]) -> Floats:
    """Return float32 (h, w), the light on an object: the surface's light and shadow, and its own bend."""
    shape = layer.rgba.shape[:2]
    field = np.ones(shape, np.float32)
    if "shading" in effects:
        surface = scene.shading[layer.window].astype(np.float32) + np.float32(12)
        mean = float(surface.mean())
        power = 0.75 if layer.pose.plane is not None and not layer.pose.stands else 0.25
        field = np.clip(surface * np.float32(1 / mean), 0.55, 1.5) ** np.float32(power)
        field *= np.float32(np.clip((mean / (light.mean + 12)) ** (0.5 * power), 0.7, 1.2))
    if layer.light is not None:
        field = field * layer.light
    return field


def grain(scene: Scene, layer: Layer, photo: NDArray[np.uint8]) -> Floats:
    """Return float32 (h, w), the surface's texture around 1."""
    own = cv2.cvtColor(photo[layer.window], cv2.COLOR_RGB2GRAY).astype(np.float32) + np.float32(16)
    return np.asarray(np.clip(own / (scene.shading[layer.window] + np.float32(16)), 0.6, 1.45), np.float32)


def add_noise(colour: Floats, sigma: float, rng: np.random.Generator) -> None:
    """Add the camera's noise to a picture (h, w, 3), in place."""
    height, width = colour.shape[:2]
    top, left = (int(rng.integers(0, _NOISE_SIDE)) for _ in range(2))
    tile = _noise()
    rows, columns = np.arange(top, top + height) % _NOISE_SIDE, np.arange(left, left + width) % _NOISE_SIDE
    if top + height <= _NOISE_SIDE and left + width <= _NOISE_SIDE:
        patch = tile[top : top + height, left : left + width]
    else:
        patch = tile[np.ix_(rows, columns)]
    colour += patch * np.float32(sigma)


@functools.cache
def _noise() -> Floats:
    """Return a tile of noise of deviation 1, mostly of luminance, a little smooth as cameras leave it."""
    rng = np.random.default_rng(_NOISE_SEED)
    mono = rng.standard_normal((_NOISE_SIDE, _NOISE_SIDE, 1), np.float32)
    drawn = 0.85 * mono + 0.5 * rng.standard_normal((_NOISE_SIDE, _NOISE_SIDE, 3), np.float32)
    smooth = cv2.GaussianBlur(drawn.astype(np.float32), (0, 0), 0.6, borderType=cv2.BORDER_REFLECT)
    return np.asarray(smooth / smooth.std(), np.float32)
