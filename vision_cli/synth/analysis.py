"""A background's scene: regions, depth, planes and traits, computed once."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vision_cli.core.errors import DataError
from vision_cli.core.files import read_limited
from vision_cli.core.progress import Progress, Silent
from vision_cli.imaging.capture import Capture, capture_of
from vision_cli.imaging.read import read_photo
from vision_cli.synth import DEPTH, planes, segments, traits
from vision_cli.synth.depth.request import DepthMap, DepthRequest
from vision_cli.synth.scene import AnalysisSettings, Background, Scene, focal_of_view

LONGEST_PX = 640
"""Default of the longer side of photos that are made."""

_MAX_FILE_BYTES = 1 << 29
LEAST_SIDE_PX = 48
"""Of a background at working size."""

_FILM_DIAGONAL_MM = math.hypot(36, 24)
_FOV_LIMITS_DEG = (5.0, 150.0)


def read_background(path: Path, longest_px: int = LONGEST_PX) -> Background:
    """Read a photo at working size: shrunk where its longer side is above `longest_px`, never enlarged.

    Raises:
        DataError: missing, no photo, damaged, or too small to put anything on.
    """
    return background_of(read_limited(path, max_bytes=_MAX_FILE_BYTES, what="the background"), path, longest_px)


def background_of(content: bytes, path: Path, longest_px: int = LONGEST_PX) -> Background:
    """Return what a photo's file of this content is as a background, wherever the content comes from.

    Raises:
        DataError: as `read_background`.
    """
    photo = read_photo(content, at_least=(longest_px, longest_px), name=str(path))
    photo = _shrunk(photo, longest_px)
    height, width = photo.shape[:2]
    if min(height, width) < LEAST_SIDE_PX:
        raise DataError(
            f"{path}: {width} x {height} pixels is too small for a background.",
            hint=f"Both sides need {LEAST_SIDE_PX} pixels or more; leave it out.",
        )
    capture = capture_of(content)
    sha256 = hashlib.sha256(content).hexdigest()
    return Background(photo, path, sha256, _focal_px(capture, (width, height)), capture.jpeg_quality)


def analyse(
    background: Background, settings: AnalysisSettings, *, offline: bool = False, progress: Progress | None = None
) -> Scene:
    """Analyse a background from scratch; `cache.scene_of` remembers it.

    Raises:
        UsageError: unknown depth estimator.
        MissingPartError: the estimator's packages or weights are not there.
        DataError: a depth map or weights file is refused.
    """
    photo = background.photo
    focal_px = background.focal_px or focal_of_view(max(photo.shape), settings.fov_deg)
    every = segments.divide(photo)
    request = DepthRequest(background, every, focal_px, settings, offline, progress or Silent())
    found: DepthMap = DEPTH.load(settings.depth).estimate(request)
    depth = found.depth / np.float32(np.median(found.depth))
    regions, refused = segments.keep(every, settings)
    flat = planes.find(regions, depth, focal_px, settings)
    return Scene(
        regions=flat.regions,
        depth=depth,
        focal_px=focal_px,
        planes=flat.planes,
        shading=traits.shading(photo),
        noise_sigma=traits.noise_sigma(photo),
        jpeg_quality=background.jpeg_quality,
        blur_sigma=traits.blur_sigma(photo),
        white=traits.white(photo),
        horizon=found.horizon,
        rejected=dict(sorted((refused + flat.rejected).items())),
    )


def working_size(width: int, height: int, longest_px: int = LONGEST_PX) -> tuple[int, int]:
    """Return width and height of a photo at working size."""
    scale = min(1.0, longest_px / max(height, width))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _shrunk(photo: NDArray[np.uint8], longest_px: int) -> NDArray[np.uint8]:
    height, width = photo.shape[:2]
    size = working_size(width, height, longest_px)
    if size == (width, height):
        return photo
    return np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_AREA), np.uint8)


def _focal_px(capture: Capture, size_px: tuple[int, int]) -> float | None:
    """Return the focal length in pixels by the 35 mm equivalent, which CIPA DCG-001 defines over the diagonal."""
    if capture.focal_35mm is None:
        return None
    focal_px = capture.focal_35mm / _FILM_DIAGONAL_MM * math.hypot(*size_px)
    fov_deg = math.degrees(2 * math.atan(size_px[0] / 2 / focal_px))
    return focal_px if _FOV_LIMITS_DEG[0] <= fov_deg <= _FOV_LIMITS_DEG[1] else None
