"""Look for all logos of a book in a photo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vision_cli.synth.logos import Logo
from vision_cli.synth.spotting import judging, proposals
from vision_cli.synth.spotting.judging import Judged, Pyramid
from vision_cli.synth.spotting.prints import Print, print_of
from vision_cli.synth.spotting.proposals import Bank, Proposal

VERSION = 1
"""Goes up whenever photos get other scores."""

LOOKED_PX = 640
"""Longer side of a photo that is looked at; smaller ones stay as they are."""
LEAST_PX = 32
"""Longer side of the smallest logo that is looked for, in such a photo."""

_MOST = 128
_MOST_IN_ALL = 384
_KEPT = 5
_SAME = 0.3


@dataclass(frozen=True, slots=True)
class Sighting:
    """A place in a photo that looks like a logo.

    Attributes:
        class_name: of the logo.
        variant: of the logo.
        score: 0 to 1.
        box: (x, y, width, height) in pixels of the photo.
        by: `features` or `correlation`.
    """

    class_name: str
    variant: str
    score: float
    box: tuple[float, float, float, float]
    by: str


@dataclass(frozen=True, slots=True, eq=False)
class Wanted:
    """All logos, ready to be looked for.

    Attributes:
        prints: one a logo.
        bank: of small templates.
    """

    prints: tuple[Print, ...]
    bank: Bank

    @classmethod
    def of(cls, logos: Sequence[Logo]) -> Wanted:
        """Prepare logos; at least one."""
        prints = tuple(print_of(logo) for logo in logos)
        return cls(prints, proposals.bank_of(prints))


def spot(photo: NDArray[np.uint8], wanted: Wanted) -> tuple[Sighting, ...]:
    """Return the places of a photo uint8 (H, W, 3) that look most like a logo, the best first, none of them twice.

    Whether one of them is a logo is for a threshold to say.
    """
    shown, scale = _shrunk(photo)
    pyramid = Pyramid.of(shown)
    grey = np.asarray(cv2.cvtColor(shown, cv2.COLOR_RGB2GRAY), np.uint8)
    most = min(_MOST_IN_ALL, _MOST + 2 * len(wanted.prints))
    sizes = float(LEAST_PX), float(max(shown.shape[:2]))
    asked = [("features", each) for each in proposals.by_features(wanted.prints, grey)]
    asked += [("correlation", each) for each in proposals.by_correlation(wanted.bank, pyramid.levels[0], sizes, most)]
    judged = [(by, each, found) for by, each in asked if (found := _judge(pyramid, wanted, by, each)) is not None]
    return _kept([_sighting(wanted, by, each, found, scale) for by, each, found in judged])


def _judge(pyramid: Pyramid, wanted: Wanted, by: str, proposal: Proposal) -> Judged | None:
    motion = cv2.MOTION_HOMOGRAPHY if by == "features" else cv2.MOTION_AFFINE
    return judging.judge(pyramid, wanted.prints[proposal.which], proposal.pose, motion)


def _sighting(wanted: Wanted, by: str, proposal: Proposal, found: Judged, scale: float) -> Sighting:
    look = wanted.prints[proposal.which]
    corners = (np.array(found.corners) + 0.5) / scale
    low, high = corners.min(axis=0), corners.max(axis=0)
    box = (float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1]))
    return Sighting(look.class_name, look.variant, found.score, box, by)


def _shrunk(photo: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], float]:
    height, width = photo.shape[:2]
    scale = LOOKED_PX / max(height, width)
    if scale >= 1:
        return photo, 1.0
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_AREA), np.uint8), scale


def _kept(found: list[Sighting]) -> tuple[Sighting, ...]:
    kept: list[Sighting] = []
    for each in sorted(found, key=lambda sighting: (-sighting.score, sighting.class_name, sighting.variant)):
        if len(kept) < _KEPT and all(overlap(each.box, other.box) < _SAME for other in kept):
            kept.append(each)
    return tuple(kept)


def overlap(one: Sequence[float], other: Sequence[float]) -> float:
    """Return what two boxes (x, y, width, height) share of what both cover, 0 to 1."""
    across = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    down = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    both = max(across, 0.0) * max(down, 0.0)
    return both / max(one[2] * one[3] + other[2] * other[3] - both, 1e-9)
