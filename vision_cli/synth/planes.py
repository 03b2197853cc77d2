"""Planes of regions: points behind the pixels, RANSAC over them, and what is refused.

A region of which only a part is flat, or seen steeply enough, keeps that part: a road up to where it gets too oblique.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vision_cli.synth.ransac import fit
from vision_cli.synth.scene import NO_REGION, AnalysisSettings, Plane, ray, rays
from vision_cli.synth.segments import members

Floats = NDArray[np.float32]

_SAMPLED = 400
_FARTHEST = 25.0  # times the nearest; what is farther is sky, or as good as
_NEAREST_PERCENT = 5
_LEAST_PART = 0.3  # of a region that its flat part may be
_GAP_PX = 5  # holes and gaps of a flat part up to this width are closed
_LEAST_ROOM_PX = 6.0
_SEED = 0x5EED


@dataclass(frozen=True, slots=True)
class Found:
    """What lies flat in a scene.

    Attributes:
        planes: that were kept.
        regions: int16 (H, W), the labels; of a region that was cut down, the rest is NO_REGION.
        rejected: how many regions have no plane, by reason.
    """

    planes: tuple[Plane, ...]
    regions: NDArray[np.int16]
    rejected: Counter[str]


def find(regions: NDArray[np.int16], depth: Floats, focal_px: float, settings: AnalysisSettings) -> Found:
    """Find the planes of all regions that are flat, seen well and large enough.

    Args:
        regions: int16 (H, W), labels from 0, NO_REGION elsewhere.
        depth: float32 (H, W), above 0.
        focal_px: of the photo.
        settings: of the analysis.
    """
    search = _Search(depth, rays((depth.shape[0], depth.shape[1]), focal_px), focal_px, settings)
    left, planes, rejected = regions.copy(), list[Plane](), Counter[str]()
    for region, pixels in enumerate(_each(regions)):
        piece = _Piece.of(pixels, regions.shape[1])
        plane, reason = search.plane(region, piece)
        if plane is None:
            rejected[reason] += 1
            continue
        planes.append(plane)
        if plane.area_px < len(pixels):
            left[piece.window][piece.mask] = np.where(search.kept[piece.mask], region, NO_REGION)
    return Found(tuple(planes), left, rejected)


def _each(regions: NDArray[np.int16]) -> list[NDArray[np.int64]]:
    pixels = members(regions)
    return [pixels.of(region) for region in range(len(pixels))]


@dataclass(frozen=True, slots=True)
class _Piece:
    """Some pixels of the photo.

    Attributes:
        mask: bool (h, w), in its window.
        left: column of the window.
        top: row of it.
    """

    mask: NDArray[np.bool_]
    left: int
    top: int

    @classmethod
    def of(cls, pixels: NDArray[np.int64], width: int) -> _Piece:
        """Cut the window of flat pixel indices, in rising order, out of a photo."""
        rows, columns = np.divmod(pixels, width)
        left, top = int(columns.min()), int(rows[0])
        mask = np.zeros((int(rows[-1]) + 1 - top, int(columns.max()) + 1 - left), bool)
        mask[rows - top, columns - left] = True
        return cls(mask, left, top)

    @property
    def window(self) -> tuple[slice, slice]:
        """Rows and columns of the window."""
        height, width = self.mask.shape
        return slice(self.top, self.top + height), slice(self.left, self.left + width)

    def deepest(self) -> tuple[tuple[int, int], float]:
        """Return the pixel (x, y) farthest from the border, and how far; beyond the photo is outside."""
        distance = cv2.distanceTransform(np.pad(self.mask, 1).astype(np.uint8), cv2.DIST_L2, 3)
        _, room, _, (x, y) = cv2.minMaxLoc(distance)
        return (x - 1 + self.left, y - 1 + self.top), float(room)


class _Search:
    """Looks at one region after the other.

    Attributes:
        kept: bool (h, w), in the window of the region seen last: its flat part.
    """

    def __init__(self, depth: Floats, view: Floats, focal_px: float, settings: AnalysisSettings) -> None:
        self._depth, self._view, self._focal_px, self._settings = depth, view, focal_px, settings
        self._farthest = _FARTHEST * float(np.percentile(depth, _NEAREST_PERCENT))
        self._least_facing = math.cos(math.radians(settings.most_tilt_deg))
        self.kept = np.zeros((0, 0), bool)

    def plane(self, region: int, piece: _Piece) -> tuple[Plane | None, str]:
        """Return a region's plane, or None and why it has none."""
        rng = np.random.default_rng((_SEED, region))
        points = (self._view[piece.window] * self._depth[piece.window][..., None])[piece.mask]
        if len(points) > _SAMPLED:
            points = points[np.sort(rng.integers(0, len(points), _SAMPLED))]
        if np.median(points[:, 2]) > self._farthest:
            return None, "too far"
        found = fit(points.astype(np.float64), self._settings.inlier_share, rng)
        if found is None or found.share < _LEAST_PART:
            return None, "not flat"
        self.kept = piece.mask
        plane = self._describe(region, piece, found.m, found.share)
        if self._refusal(plane):
            self.kept = self._flat_part(piece, found.m)
            if self.kept.sum() < max(_LEAST_PART * piece.mask.sum(), self._least_px()):
                return None, self._refusal(plane)
            part = _Piece.of(np.flatnonzero(self._whole(piece)), self._depth.shape[1])
            plane = self._describe(region, part, found.m, self._share_on(part, found.m))
        reason = self._refusal(plane)
        return (None, reason) if reason else (plane, "")

    def _least_px(self) -> float:
        return self._settings.least_region_share * self._depth.size

    def _whole(self, piece: _Piece) -> NDArray[np.bool_]:
        whole = np.zeros(self._depth.shape, bool)
        whole[piece.window] = self.kept
        return whole

    def _on(self, piece: _Piece, m: NDArray[np.float64]) -> tuple[NDArray[np.bool_], Floats]:
        """Return which pixels of a window lie on the plane, and the cosine of the angle under which each sees it."""
        view = self._view[piece.window]
        inverse = view @ m.astype(np.float32)
        on = np.abs(inverse * self._depth[piece.window] - 1) < self._settings.inlier_share
        return on, inverse / (np.linalg.norm(view, axis=2) * np.float32(np.linalg.norm(m)))

    def _share_on(self, piece: _Piece, m: NDArray[np.float64]) -> float:
        return float(self._on(piece, m)[0][piece.mask].mean())

    def _flat_part(self, piece: _Piece, m: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return the largest connected part of a piece that lies on the plane and is seen steeply enough."""
        on, facing = self._on(piece, m)
        good = (on & piece.mask).astype(np.uint8)
        closed = cv2.morphologyEx(good, cv2.MORPH_CLOSE, np.ones((_GAP_PX, _GAP_PX), np.uint8)) > 0
        good = (closed & piece.mask & (facing > self._least_facing)).astype(np.uint8)
        count, labels, figures, _ = cv2.connectedComponentsWithStats(good, connectivity=4)
        if count < 2:
            return np.zeros_like(piece.mask)
        return np.asarray(labels == 1 + int(figures[1:, cv2.CC_STAT_AREA].argmax()))

    def _describe(self, region: int, piece: _Piece, m: NDArray[np.float64], inliers: float) -> Plane:
        length = float(np.linalg.norm(m))
        centre, room = piece.deepest()
        sight = ray(centre, (self._depth.shape[0], self._depth.shape[1]), self._focal_px)
        facing = float(m @ sight) / length / float(np.linalg.norm(sight))
        height, width = piece.mask.shape
        return Plane(
            region=region,
            normal=(-m / length).astype(np.float32),
            offset=-1 / length,
            inliers=inliers,
            tilt_deg=math.degrees(math.acos(min(1.0, max(-1.0, facing)))),
            area_px=int(piece.mask.sum()),
            bbox=(piece.left, piece.top, piece.left + width, piece.top + height),
            centre=centre,
            room_px=room,
        )

    def _refusal(self, plane: Plane) -> str:
        """Say why a plane is refused; nothing when it is not."""
        if plane.inliers < self._settings.least_inliers:
            return "not flat"
        if plane.tilt_deg > self._settings.most_tilt_deg:
            return "seen too obliquely"
        return "no room inside" if plane.room_px < _LEAST_ROOM_PX else ""
