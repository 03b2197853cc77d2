"""From scenes to batches. What a scene becomes depends on (seed, epoch, index) alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Dataset

from vision_cli.core.errors import VisionError
from vision_cli.core.place_targets import PlaceTargets
from vision_cli.core.preprocess import Preprocess
from vision_cli.training.batches import EpochBatches
from vision_cli.training.places.augment import augmented, preset
from vision_cli.training.places.mixing import copy_paste, mosaic
from vision_cli.training.places.scene import Scene
from vision_cli.training.places.scenes import SceneReader, Scenes
from vision_cli.training.team import ALONE, Team

_MARGIN = 1.5  # how much larger than the network's input photos are kept, so that a part of one can be shown sharp
_MIX, _REPEAT = 0x3A1C, 0x4E9A
_PARTS = 4
_TOUCH = 1e-9  # what rounding may take from a sum of shares


@dataclass(frozen=True, slots=True)
class Mixing:
    """How often scenes are made of several.

    Attributes:
        mosaic: share of the photos, 0 to 1.
        copy_paste: share of the photos, 0 to 1; only with masks.
    """

    mosaic: float = 0.0
    copy_paste: float = 0.0


class AugmentedScenes(Dataset[Scene | VisionError]):
    """Training scenes, augmented anew each epoch."""

    def __init__(self, scenes: Scenes, preprocess: Preprocess, augment: str, seed: int, mixing: Mixing) -> None:
        width, height = preprocess.size_px
        margin = 1.0 if augment == "none" else _MARGIN
        larger = replace(preprocess, size_px=(math.ceil(width * margin), math.ceil(height * margin)))
        self._read, self._count = SceneReader(scenes, larger), len(scenes)
        self._augment, self._seed, self._mixing = preset(augment, preprocess), seed, mixing

    def __getitem__(self, key: tuple[int, int]) -> Scene | VisionError:
        epoch, index = key
        rng = np.random.default_rng((self._seed, epoch, index, _MIX))
        try:
            return self._made(epoch, index, rng)
        except VisionError as error:
            return error

    def _made(self, epoch: int, index: int, rng: np.random.Generator) -> Scene:
        scene = self._one(epoch, index, 0)
        if rng.random() < self._mixing.mosaic:
            others = rng.integers(0, self._count, _PARTS - 1).tolist()
            scene = mosaic([scene, *(self._one(epoch, each, place + 1) for place, each in enumerate(others))], rng)
        if rng.random() < self._mixing.copy_paste:
            scene = copy_paste(scene, self._one(epoch, int(rng.integers(0, self._count)), _PARTS), rng)
        return scene

    def _one(self, epoch: int, index: int, part: int) -> Scene:
        return augmented(self._augment, self._read(index), (self._seed, epoch, index, part))


class PlainScenes(Dataset[Scene | VisionError]):
    """Scenes as evaluation sees them."""

    def __init__(self, scenes: Scenes, preprocess: Preprocess) -> None:
        self._read = SceneReader(scenes, preprocess)

    def __getitem__(self, index: int) -> Scene | VisionError:
        try:
            return self._read(index)
        except VisionError as error:
            return error


class RepeatedBatches(EpochBatches):
    """Batches in which photos of rare classes come more often, by factors of 1 or more.

    Each photo comes floor(factor) times, and once more with a chance of what is left of its factor; the chances are
    scaled so that the number of photos is whole, and the same each epoch.
    """

    def __init__(
        self, factors: NDArray[np.float64], batch_size: int, seed: int, first_epoch: int = 0, *, team: Team = ALONE
    ) -> None:
        self._whole = np.floor(factors).astype(np.int64)
        self._shares = np.cumsum(factors - self._whole)
        self._more = int(self._shares[-1] + _TOUCH) if len(factors) else 0
        super().__init__(int(self._whole.sum()) + self._more, batch_size, seed, first_epoch, team=team)

    def order(self) -> list[NDArray[np.int64]]:
        """Return the indices of each batch of this epoch."""
        epoch = self.first_epoch + self._epoch
        rng = np.random.default_rng((self.seed, epoch, _REPEAT))
        rows = np.repeat(np.arange(len(self._whole)), self._whole)
        if self._more:
            # Systematic sampling: points a step of 1 or more apart meet no share twice.
            at = (np.arange(self._more) + rng.random()) * (self._shares[-1] / self._more)
            rows = np.concatenate([rows, np.searchsorted(self._shares, at, side="right").clip(0, len(self._whole) - 1)])
        return np.array_split(rng.permutation(rows), len(self))


def repeat_factors(scenes: Scenes, threshold: float) -> NDArray[np.float64]:
    """Return float64 (scenes,): how often to show each (Gupta et al. 2019, LVIS, section 4.3).

    max over its photo's classes of sqrt(threshold / share of the photos that have the class), at least 1.
    """
    truth, photos = scenes.truth, len(scenes.paths)
    pairs = np.unique(np.stack([truth.photo, truth.class_id], axis=1), axis=0)
    shares = np.bincount(pairs[:, 1], minlength=len(scenes.things)) / max(1, photos)
    of_class = np.maximum(1.0, np.sqrt(threshold / np.maximum(shares, 1 / max(1, photos))))
    factors = np.ones(photos)
    np.maximum.at(factors, pairs[:, 0], of_class[pairs[:, 1]])
    return factors[scenes.photos()]


def collate(items: Sequence[Scene | VisionError]) -> tuple[NDArray[np.uint8], PlaceTargets] | VisionError:
    """Stack scenes to uint8 (N, H, W, C) and their targets; or pass on the first error."""
    scenes: list[Scene] = []
    for item in items:
        if isinstance(item, VisionError):
            return item
        scenes.append(item)
    counts = [len(scene.labels) for scene in scenes]
    return np.stack([scene.photo for scene in scenes]), PlaceTargets(
        len(scenes),
        np.repeat(np.arange(len(scenes)), counts),
        np.concatenate([scene.boxes for scene in scenes]),
        np.concatenate([scene.labels for scene in scenes]),
        np.concatenate([scene.crowd for scene in scenes]),
        _joined([scene.masks for scene in scenes]),
        _stacked([scene.pixels for scene in scenes]),
    )


def _joined(parts: Sequence[Any]) -> NDArray[np.uint8] | None:
    return None if any(part is None for part in parts) else np.concatenate(parts)


def _stacked(parts: Sequence[Any]) -> NDArray[np.int64] | None:
    return None if any(part is None for part in parts) else np.stack(parts).astype(np.int64)
