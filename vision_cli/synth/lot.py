"""The random numbers of photo i: they depend on the seed and i alone, whoever renders it, and after whatever."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np


class Purpose(IntEnum):
    """What random numbers are for: a change in how many one step draws leaves the other steps' as they are."""

    BACKGROUND = 0
    PLAN = 1
    POSE = 2
    LOOK = 3
    NOISE = 4
    OCCLUDERS = 5
    DISTRACTORS = 6
    CROP = 7


@dataclass(frozen=True, slots=True)
class Lot:
    """The lot of one photo.

    Attributes:
        seed: of the run.
        index: of the photo, from 0.
        scene_photos: photos in a row that share a scene.
    """

    seed: int
    index: int
    scene_photos: int = 1

    @property
    def group(self) -> int:
        """Which scene it is of."""
        return self.index // self.scene_photos

    @property
    def member(self) -> int:
        """Which of the scene's photos it is."""
        return self.index % self.scene_photos

    def rng(self, purpose: Purpose, *more: int) -> np.random.Generator:
        """Return random numbers that all photos of the scene share.

        Args:
            purpose: what they are for.
            more: which object, which attempt.
        """
        return np.random.Generator(np.random.PCG64(np.random.SeedSequence((self.seed, self.group, purpose, *more))))
