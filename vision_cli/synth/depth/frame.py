"""Which way is down, and which way do the walls run: vanishing directions of a photo's straight lines.

Line segments (LSD, von Gioi and others, 2012) vote for a frame of three perpendicular directions, gravity and two
horizontal ones, as in Manhattan-world methods (Coughlan and Yuille, 1999); here all frames of a grid are tried and the
best is refined. A photo without straight lines is taken as seen by a camera that looks down a little.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

NOTHING = -1
GRAVITY, ALONG, ACROSS = 0, 1, 2
"""Index of a frame's directions; `ALONG` is the horizontal one nearer to the photo's rows."""

_LEAST_LENGTH = 0.03  # of the diagonal
_MOST_SEGMENTS = 200
_LEAST_SEGMENTS = 6
_COARSE_DEG, _FINE_DEG = 3.0, 1.0
_SUPPORTS_DEG = 3.0
_MOST_PITCH_DEG, _MOST_ROLL_DEG = 35.0, 10.0
_USUAL_PITCH_DEG, _PITCH_DOUBT_DEG, _ROLL_DOUBT_DEG = 8.0, 30.0, 20.0  # most photos look down a little
_LEAST_SUPPORT = 0.45  # lines in all directions agree with some frame by about 0.3


@dataclass(frozen=True, slots=True)
class Lines:
    """Straight segments of a photo.

    Attributes:
        ends: float64 (N, 4), x1, y1, x2, y2 in pixels.
        lengths: float64 (N,), pixels.
        across: float64 (N, 3), unit normals of the planes through the camera and each segment.
        sights: float64 (N, 3), unit rays to their midpoints.
    """

    ends: Floats
    lengths: Floats
    across: Floats
    sights: Floats


@dataclass(frozen=True, slots=True)
class Frame:
    """Directions of a scene in the camera's coordinates.

    Attributes:
        axes: float64 (3, 3), unit rows: gravity (down), and two horizontal directions.
        classes: int64 (N,), which axis each segment runs along, or NOTHING.
        support: 0 to 1, share of the segments' length that runs along an axis.
    """

    axes: Floats
    classes: NDArray[np.int64]
    support: float

    @property
    def gravity(self) -> Floats:
        """Which way is down."""
        return np.asarray(self.axes[GRAVITY])


def find_lines(photo: NDArray[np.uint8], focal_px: float) -> Lines:
    """Find the longest straight segments of a photo uint8 (H, W, 3)."""
    height, width = photo.shape[:2]
    grey = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
    found = cv2.createLineSegmentDetector(cv2.LSD_REFINE_STD).detect(grey)[0]
    ends = np.zeros((0, 4)) if found is None else found.reshape(-1, 4).astype(np.float64)
    lengths = np.hypot(ends[:, 2] - ends[:, 0], ends[:, 3] - ends[:, 1])
    order = np.argsort(-lengths, kind="stable")[:_MOST_SEGMENTS]
    order = order[lengths[order] >= _LEAST_LENGTH * math.hypot(height, width)]
    ends, lengths = ends[order], lengths[order]
    middle = np.array([(width - 1) / 2, (height - 1) / 2])
    one, two = (_rays((ends[:, side : side + 2] - middle) / focal_px) for side in (0, 2))
    return Lines(ends, lengths, _unit(np.cross(one, two)), _unit(one + two))


def find_frame(lines: Lines) -> Frame:
    """Return the frame that the lines agree on best; the usual one where they do not."""
    if len(lines.lengths) < _LEAST_SEGMENTS:
        return _usual(lines)
    pitches = np.arange(-_MOST_PITCH_DEG, _MOST_PITCH_DEG + 1, 2.5)
    rolls = np.arange(-_MOST_ROLL_DEG, _MOST_ROLL_DEG + 1, 2.5)
    best = _best(lines, pitches, rolls, np.arange(0, 90, 3.0), _COARSE_DEG)
    around = np.arange(-2.5, 2.6, 0.5)
    best = _best(lines, best[0] + around, best[1] + around, best[2] + around, _FINE_DEG)
    axes = _axes(*best)
    if abs(axes[ALONG][0]) < abs(axes[ACROSS][0]):
        axes = axes[[GRAVITY, ACROSS, ALONG]]
    off = _off(lines, axes)
    classes = np.where(off.min(axis=0) < math.radians(_SUPPORTS_DEG), off.argmin(axis=0), NOTHING)
    support = float(lines.lengths[classes >= 0].sum() / lines.lengths.sum())
    return Frame(axes, classes, support) if support >= _LEAST_SUPPORT else _usual(lines)


def _usual(lines: Lines) -> Frame:
    """Return the frame of a camera that looks down a little, of which no line tells anything."""
    return Frame(_axes(_USUAL_PITCH_DEG, 0, 0), np.full(len(lines.lengths), NOTHING), 0.0)


def horizon(gravity: Floats, shape: tuple[int, int], focal_px: float) -> tuple[float, float]:
    """Return the horizon as (row in the middle column, slope): where lines of sight are level."""
    row = (shape[0] - 1) / 2 - focal_px * gravity[2] / gravity[1]
    return float(row), float(-gravity[0] / gravity[1])


def _axes(pitch_deg: float, roll_deg: float, yaw_deg: float) -> Floats:
    """Return gravity and two horizontal directions of a camera that looks down by `pitch_deg`."""
    gravity, right, ahead = _level(np.array([pitch_deg]), np.array([roll_deg]))
    turn = math.radians(yaw_deg)
    along = math.cos(turn) * right[0, 0] + math.sin(turn) * ahead[0, 0]
    across = -math.sin(turn) * right[0, 0] + math.cos(turn) * ahead[0, 0]
    return np.stack((gravity[0, 0], along, across))


def _level(pitches: Floats, rolls: Floats) -> tuple[Floats, Floats, Floats]:
    """Return gravity, right and ahead, each float64 (pitches, rolls, 3)."""
    pitch, roll = np.meshgrid(np.radians(pitches), np.radians(rolls), indexing="ij")
    zero = np.zeros_like(roll)
    right = np.stack((np.cos(roll), np.sin(roll), zero), axis=-1)
    gravity = np.stack((-np.sin(roll) * np.cos(pitch), np.cos(roll) * np.cos(pitch), np.sin(pitch)), axis=-1)
    return gravity, right, np.cross(right, gravity)


def _best(lines: Lines, pitches: Floats, rolls: Floats, yaws: Floats, width_deg: float) -> tuple[float, float, float]:
    """Try all frames of a grid; return pitch, roll and yaw of the best in degrees."""
    gravity, right, ahead = _level(pitches, rolls)
    turns = np.radians(np.concatenate((yaws, yaws + 90)))[:, None]
    level = np.cos(turns) * right[:, :, None] + np.sin(turns) * ahead[:, :, None]
    down = _votes(lines, gravity, width_deg)[:, :, None]
    sideways = _votes(lines, level, width_deg)
    half = len(yaws)
    votes = np.maximum(np.maximum(sideways[:, :, :half], sideways[:, :, half:]), down)
    # Not by BLAS, whose sums depend on how many threads it has: equal photos get equal scenes.
    scores = np.einsum("ijkn,n->ijk", votes, lines.lengths.astype(np.float32))
    scores *= np.exp(-np.square((pitches - _USUAL_PITCH_DEG) / _PITCH_DOUBT_DEG))[:, None, None]
    scores *= np.exp(-np.square(rolls / _ROLL_DOUBT_DEG))[None, :, None]
    p, r, y = np.unravel_index(int(scores.argmax()), scores.shape)
    return float(pitches[p]), float(rolls[r]), float(yaws[y])


def _votes(lines: Lines, directions: Floats, width_deg: float) -> NDArray[np.float32]:
    """Return 0 to 1 for each direction (..., 3) and segment."""
    off = _off(lines, directions) / np.float32(math.radians(width_deg))
    return np.asarray(np.exp(-0.5 * np.square(off)), np.float32)


def _off(lines: Lines, directions: Floats) -> NDArray[np.float32]:
    """Return float32 (..., N): sine of the angle, as seen by the camera, between a segment and each direction."""
    each = directions.astype(np.float32)
    beside = np.abs(each @ lines.across.T.astype(np.float32))
    towards = each @ lines.sights.T.astype(np.float32)
    return np.asarray(beside / np.sqrt(np.maximum(1 - np.square(towards), 0.01)), np.float32)


def _rays(flat: Floats) -> Floats:
    return np.column_stack((flat, np.ones(len(flat))))


def _unit(vectors: Floats) -> Floats:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12))
