"""What is known about a background photo: the types that analysis fills, and rendering reads.

The camera: x to the right, y down, z forward, a pinhole with square pixels whose axis meets the photo's centre. Pixel
(column, row) has its centre at (column, row), so the photo's centre is ((W - 1) / 2, (H - 1) / 2), and `depth` is z.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

NO_REGION = -1
"""The label of pixels that belong to no region."""

DEFAULT_FOV_DEG = 60.0


@dataclass(frozen=True, slots=True)
class Background:
    """One photo that objects are put on, at working size.

    Attributes:
        photo: uint8 (H, W, 3), RGB, upright.
        path: of its file.
        sha256: of its file.
        focal_px: focal length in pixels of `photo` as its EXIF block tells it; None when it does not.
        jpeg_quality: 1 to 100, at which its file was compressed; None when it was not, or in a way of its own.
    """

    photo: NDArray[np.uint8]
    path: Path
    sha256: str
    focal_px: float | None = None
    jpeg_quality: int | None = None


@dataclass(frozen=True, slots=True)
class AnalysisSettings:
    """How backgrounds are analysed. Every value is part of the cache's key.

    Attributes:
        depth: name in the table `DEPTH`.
        depth_folder: of the estimator `file`, where it looks for `<photo>.png` or `<photo>.npy`.
        fov_deg: field of view over the longer side of photos whose EXIF block tells no focal length.
        least_region_share: of the photo's area; smaller regions are no place for anything.
        most_aspect: of a region's least rectangle; narrower ones are discarded.
        least_inliers: share of a region's points that must lie on its plane.
        inlier_share: of a point's depth that it may lie off the plane.
        most_tilt_deg: between the line of sight and the plane's normal.
        max_regions: kept at most, the largest first.
    """

    depth: str = "geometric"
    depth_folder: Path | None = None
    fov_deg: float = DEFAULT_FOV_DEG
    least_region_share: float = 0.004
    most_aspect: float = 8.0
    least_inliers: float = 0.7
    inlier_share: float = 0.02
    most_tilt_deg: float = 75.0
    max_regions: int = 200


@dataclass(frozen=True, slots=True)
class Plane:
    """A flat surface of the scene: one region and the plane that its points lie on.

    Attributes:
        region: label in `Scene.regions`.
        normal: float32 (3,), of length 1, turned to the camera: normal . p < 0 for every visible point p.
        offset: normal . p = offset for points p of the plane, so negative; in units of the scene's depth.
        inliers: 0 to 1, share of the region's points that lie on it.
        tilt_deg: 0 to 90, between the normal and the line of sight at the region's centre; 0 is face on.
        area_px: pixels of the region.
        bbox: (left, top, right, bottom) of the region, pixels, right and bottom exclusive.
        centre: (x, y), the pixel of the region that lies deepest inside of it.
        room_px: distance from `centre` to the region's edge.
    """

    region: int
    normal: NDArray[np.float32]
    offset: float
    inliers: float
    tilt_deg: float
    area_px: int
    bbox: tuple[int, int, int, int]
    centre: tuple[int, int]
    room_px: float


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything about a background that is computed once.

    Attributes:
        regions: int16 (H, W), label of each pixel's region, NO_REGION where there is none.
        depth: float32 (H, W), along the camera's axis, larger is farther, up to scale: its median is 1.
        focal_px: of the photo at working size.
        planes: flat regions that were kept; labels without a plane were rejected.
        shading: uint8 (H, W), luminance of large structures only: light and shadow, not texture.
        noise_sigma: standard deviation of the photo's noise in grey levels.
        jpeg_quality: 1 to 100, at which the photo's file was compressed; None when it was not, or in a way of its own.
        blur_sigma: in pixels, of the photo's own edges.
        white: float32 (3,), RGB, what grey looks like in its light, scaled so that the mean is 1.
        horizon: (row in the middle column, slope: rows a column), where one was found.
        rejected: how many regions were refused, by reason.
    """

    regions: NDArray[np.int16]
    depth: NDArray[np.float32]
    focal_px: float
    planes: tuple[Plane, ...]
    shading: NDArray[np.uint8]
    noise_sigma: float
    jpeg_quality: int | None
    blur_sigma: float
    white: NDArray[np.float32]
    horizon: tuple[float, float] | None
    rejected: dict[str, int]

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) of the photo at working size."""
        height, width = self.depth.shape
        return height, width


def focal_of_view(longest_px: int, fov_deg: float) -> float:
    """Return the focal length in pixels of a field of view over the photo's longer side."""
    return longest_px / 2 / math.tan(math.radians(fov_deg) / 2)


def rays(shape: tuple[int, int], focal_px: float) -> NDArray[np.float32]:
    """Return float32 (H, W, 3): the direction in which each pixel looks, with z = 1. Times depth it is the point."""
    height, width = shape
    view = np.ones((height, width, 3), np.float32)
    view[..., 0] = (np.arange(width, dtype=np.float32) - (width - 1) / 2) / focal_px
    view[..., 1] = ((np.arange(height, dtype=np.float32) - (height - 1) / 2) / focal_px)[:, None]
    return view


def ray(at: tuple[float, float], shape: tuple[int, int], focal_px: float) -> NDArray[np.float64]:
    """Return float64 (3,): the direction in which a pixel (x, y) looks, with z = 1."""
    height, width = shape
    return np.array([(at[0] - (width - 1) / 2) / focal_px, (at[1] - (height - 1) / 2) / focal_px, 1.0])


def plane_depth(normal: NDArray[np.floating], offset: float, view: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the depth of a plane where pixels look along `view` (..., 3); infinite or negative past its horizon."""
    with np.errstate(divide="ignore"):
        return offset / (view @ normal)


def plane_axes(normal: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return two unit directions in a plane that faces the camera: one to the right, one downwards in the photo."""
    n = np.asarray(normal, np.float64)
    start = np.array([1.0, 0.0, 0.0]) if abs(n[0]) < 0.99 else np.array([0.0, 0.0, -np.sign(n[0])])
    right = start - (start @ n) * n
    right /= np.linalg.norm(right)
    return right, np.cross(right, n)
