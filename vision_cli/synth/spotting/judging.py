"""How much a place in a photo looks like a logo: aligned to the pixel, then correlated in colour and in outline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vision_cli.synth.spotting.prints import JUDGED_PX, RIM_PX, Floats, Print, slopes_of

_STEPS = 25
_CLOSER = 1e-4
_BLUR_PX = 5
_VARIED = 12.0
"""Grey levels inside a logo from which on its colours count as much as its outline."""
_LEAST_PX, _MOST_STRETCH = 14.0, 4.5
_LEVEL_FACTOR = 2.0

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Pyramid:
    """A photo in halves: level k is 2 to the k times smaller.

    Attributes:
        levels: float32 (h, w, 3), 0 to 255, the whole photo first.
    """

    levels: tuple[Floats, ...]

    @classmethod
    def of(cls, photo: NDArray[np.uint8]) -> Pyramid:
        """Halve a photo uint8 (H, W, 3) until its shorter side has less than a logo's frame."""
        levels = [photo.astype(np.float32)]
        while min(levels[-1].shape[:2]) > JUDGED_PX:
            height, width = levels[-1].shape[:2]
            smaller = cv2.resize(levels[-1], (max(1, width // 2), max(1, height // 2)), interpolation=cv2.INTER_AREA)
            levels.append(np.asarray(smaller, np.float32))
        return cls(tuple(levels))

    def at(self, size_px: float) -> tuple[Floats, float, float]:
        """Return the level at which what has this size has about a frame's, with its factors across and down."""
        wanted = max(0, int(np.floor(np.log2(max(size_px / JUDGED_PX, 1.0)))))
        level = self.levels[min(wanted, len(self.levels) - 1)]
        whole = self.levels[0]
        return level, level.shape[1] / whole.shape[1], level.shape[0] / whole.shape[0]


@dataclass(frozen=True, slots=True)
class Judged:
    """A place that was judged.

    Attributes:
        score: 0 to 1.
        colour: correlation of colours inside, -1 to 1.
        outline: of slopes, the rim's included.
        corners: ((x, y), ...) of the logo in the photo, its upper left first.
    """

    score: float
    colour: float
    outline: float
    corners: tuple[tuple[float, float], ...]


def corners_of(look: Print, pose: Matrix) -> Floats:
    """Return float32 (4, 2): a logo's corners in the photo, by the matrix (3, 3) from its frame to the photo."""
    width, height = look.size_px
    left, top = RIM_PX - 0.5, RIM_PX - 0.5
    frame = np.array([[left, top], [left + width, top], [left + width, top + height], [left, top + height]])
    return np.asarray(cv2.perspectiveTransform(frame[None].astype(np.float64), pose)[0], np.float32)


def is_plausible(corners: Floats, shape: Sequence[int]) -> bool:
    """Return whether corners are those of a flat thing in front of the camera, mostly in a photo of this (H, W)."""
    if not np.isfinite(corners).all() or np.abs(corners).max() > 4 * max(shape[:2]):
        return False
    along = np.roll(corners, -1, axis=0) - corners
    following = np.roll(along, -1, axis=0)
    sides = np.linalg.norm(along, axis=1)
    turns = along[:, 0] * following[:, 1] - along[:, 1] * following[:, 0]
    if (turns <= 0).any() or sides.min() < _LEAST_PX / 2 or sides.max() < _LEAST_PX:
        return False
    centre = corners.mean(axis=0)
    within = bool((centre >= 0).all() and (centre < (shape[1], shape[0])).all())
    return within and sides.max() <= _MOST_STRETCH * sides.min() and _opposite_alike(sides)


def _opposite_alike(sides: Floats) -> bool:
    pairs = sides.reshape(2, 2)
    return bool((pairs.max(axis=0) < _LEVEL_FACTOR * pairs.min(axis=0)).all())


def judge(photo: Pyramid, look: Print, pose: Matrix, motion: int = cv2.MOTION_AFFINE) -> Judged | None:
    """Align a logo with a place, and say how alike both are; None where it cannot be there.

    Args:
        photo: the photo.
        look: the logo.
        pose: float64 (3, 3), from the logo's frame to the photo's pixels, nearly right.
        motion: of OpenCV's `MOTION_*`, what the alignment may change.
    """
    before = corners_of(look, pose)
    if not is_plausible(before, photo.levels[0].shape):
        return None
    judged = _judged(photo, look, pose)
    aligned = _aligned(photo, look, pose, motion)
    if aligned is not None and is_plausible(corners_of(look, aligned), photo.levels[0].shape):
        other = _judged(photo, look, aligned)
        judged = other if other.score > judged.score else judged
    return judged


def _patch(photo: Pyramid, look: Print, pose: Matrix) -> Floats:
    """Return a place float32 (h, w, 3) in the logo's frame."""
    size = float(
        np.sqrt(abs(cv2.contourArea(corners_of(look, pose)) / (look.size_px[0] * look.size_px[1]))) * JUDGED_PX
    )
    level, across, down = photo.at(size)
    scale = np.array([[across, 0, (across - 1) / 2], [0, down, (down - 1) / 2], [0, 0, 1]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    height, width = look.rgb.shape[:2]
    return np.asarray(
        cv2.warpPerspective(level, scale @ pose, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE),
        np.float32,
    )


def _aligned(photo: Pyramid, look: Print, pose: Matrix, motion: int) -> Matrix | None:
    """Refine a pose by the enhanced correlation coefficient (G. Evangelidis, E. Psarakis, PAMI 2008)."""
    patch = cv2.cvtColor(_patch(photo, look, pose), cv2.COLOR_RGB2GRAY)
    grey = cv2.cvtColor(look.rgb, cv2.COLOR_RGB2GRAY)
    start = np.eye(3, dtype=np.float32)[: 3 if motion == cv2.MOTION_HOMOGRAPHY else 2]
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, _STEPS, _CLOSER)
    try:
        _, found = cv2.findTransformECC(patch, grey, start, motion, criteria, look.inside.astype(np.uint8), _BLUR_PX)
        whole = np.eye(3)
        whole[: found.shape[0]] = found  # from the patch to the logo's frame
        return np.asarray(pose @ np.linalg.inv(whole), np.float64)
    except (cv2.error, np.linalg.LinAlgError):  # nothing to go by, or it ran away
        return None


def _judged(photo: Pyramid, look: Print, pose: Matrix) -> Judged:
    patch = _patch(photo, look, pose)
    colour, outline = _colour(patch, look), _outline(patch, look)
    weight = min(1.0, look.variety / _VARIED) / 2
    score = max(colour, 0.0) ** weight * max(outline, 0.0) ** (1 - weight)
    corners = corners_of(look, pose)
    return Judged(score, colour, outline, tuple((float(x), float(y)) for x, y in corners))


def _colour(patch: Floats, look: Print) -> float:
    """Return the correlation of all channels, each less its mean: light and white balance make no difference."""
    one, other = patch[look.inside], look.rgb[look.inside]
    return _cosine(one - one.mean(axis=0), other - other.mean(axis=0), 4.0)


def _outline(patch: Floats, look: Print) -> float:
    slopes = slopes_of(np.asarray(cv2.cvtColor(patch, cv2.COLOR_RGB2GRAY), np.float32))
    return _cosine(slopes[look.around], look.slopes[look.around], 0.15)


def _cosine(one: Floats, other: Floats, floor: float) -> float:
    """Return the cosine of two sets of values (N, C); less than `floor` a value is as good as nothing."""
    least = floor * np.sqrt(one.size)
    return float((one * other).sum() / (max(np.linalg.norm(one), least) * max(np.linalg.norm(other), least)))
