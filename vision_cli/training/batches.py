"""From photos to batches.

Order and augmentation depend on (seed, epoch, index) alone: neither workers nor resuming change a pixel.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset

from vision_cli.core.errors import VisionError
from vision_cli.core.place_targets import PlaceTargets
from vision_cli.core.preprocess import Preprocess
from vision_cli.imaging.prepare import load_resized, resized
from vision_cli.imaging.read import read_photo
from vision_cli.imaging.resize import covering_px, fit
from vision_cli.training.augment import augmented, preset
from vision_cli.training.cache import PhotoCache
from vision_cli.training.photos import Photos
from vision_cli.training.team import ALONE, Team

_MAX_WORKERS = 8
_MARGIN = 1.15
_FITTED_MARGIN = 1.5  # a crop of 45 % of a photo that was stretched or letterboxed first has every pixel of its own
_ASPECT = 2
_ORDER = 0x0DE5
Item = tuple[NDArray[np.uint8], Any] | VisionError


def worker_count(wanted: int | None) -> int:
    """Return how many processes decode: as asked, or one a core, at most 8."""
    if wanted is not None:
        return wanted
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(_MAX_WORKERS, cores)


class EpochBatches:
    """Batches of (epoch, index) in an order that depends on (seed, epoch) alone; all of about the same size.

    Attributes:
        first_epoch: added to the epochs that the training loop counts from 0.
        team: of each batch, this process gets its part; none is empty while there are as many photos as processes.
    """

    def __init__(self, photos: int, batch_size: int, seed: int, first_epoch: int = 0, *, team: Team = ALONE) -> None:
        self.photos, self.batch_size, self.seed, self.first_epoch = photos, batch_size, seed, first_epoch
        self.team = team
        self._epoch = 0
        self.sampler = self  # where Lightning looks for `set_epoch`

    def set_epoch(self, epoch: int) -> None:
        """Take the loop's count of epochs."""
        self._epoch = epoch

    def __len__(self) -> int:
        return min(math.ceil(self.photos / self.batch_size), max(1, self.photos // self.team.size))

    def order(self) -> list[NDArray[np.int64]]:
        """Return the indices of each batch of this epoch."""
        epoch = self.first_epoch + self._epoch
        order = np.random.default_rng((self.seed, epoch, _ORDER)).permutation(self.photos)
        return np.array_split(order, len(self))

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        epoch = self.first_epoch + self._epoch
        for indices in self.order():
            part = np.array_split(indices, self.team.size)[self.team.rank]
            yield [(epoch, int(index)) for index in part]


class AugmentedPhotos(Dataset[Item]):
    """Training photos, decoded once while memory lasts, augmented anew each epoch."""

    def __init__(self, photos: Photos, preprocess: Preprocess, augment: str, seed: int) -> None:
        self._photos, self._preprocess, self._seed = photos, preprocess, seed
        self._augment = preset(augment, preprocess)
        self._fits_first = augment == "none" or preprocess.resize != "crop"
        cover = preprocess.size_px if self._fits_first else covering_px(preprocess.size_px, preprocess.crop_pct)
        margin = 1.0 if augment == "none" else _FITTED_MARGIN if self._fits_first else _MARGIN
        self._cover_px = (math.ceil(cover[0] * margin), math.ceil(cover[1] * margin))
        self._fitted = replace(preprocess, size_px=self._cover_px)
        slot = self._cover_px[0] * self._cover_px[1] * preprocess.channels
        self._cache = PhotoCache(len(photos), slot if self._fits_first else _ASPECT * slot)

    def __getitem__(self, key: tuple[int, int]) -> Item:
        epoch, index = key
        try:
            photo = self._decoded(index)
        except VisionError as error:
            return error
        if self._augment.transforms:
            photo = augmented(self._augment, photo, (self._seed, epoch, index))
        return photo, self._photos.targets[index]

    def _decoded(self, index: int) -> NDArray[np.uint8]:
        photo = self._cache.get(index)
        if photo is None:
            photo = self._read(self._photos.paths[index])
            self._cache.put(index, photo)
        return photo

    def _read(self, path: Path) -> NDArray[np.uint8]:
        if self._fits_first:
            return load_resized(path, self._fitted)
        photo = read_photo(path, channels=self._preprocess.channels, at_least=self._cover_px)
        height, width = photo.shape[:2]
        scale = max(self._cover_px[0] / width, self._cover_px[1] / height)
        if scale >= 1:
            return photo
        return fit(photo, (round(width * scale), round(height * scale)), "stretch", 1.0, "area")


class PlainPhotos(Dataset[Item]):
    """Photos as evaluation sees them, with their targets; decoded once while memory lasts."""

    def __init__(self, photos: Photos, preprocess: Preprocess) -> None:
        self._photos, self._preprocess = photos, preprocess
        width, height = preprocess.size_px
        self._cache = PhotoCache(len(photos), width * height * preprocess.channels)

    def __getitem__(self, index: int) -> Item:
        photo = self._cache.get(index)
        if photo is None:
            try:
                photo = load_resized(self._photos.paths[index], self._preprocess)
            except VisionError as error:
                return error
            self._cache.put(index, photo)
        return photo, self._photos.targets[index]


class PhotoViews(Dataset[Item]):
    """Several deterministic views of each photo, decoded once: uint8 (V, H, W, C)."""

    def __init__(self, paths: Sequence[Path], views: Sequence[tuple[Preprocess, bool]]) -> None:
        self._paths, self._views = paths, views

    def __getitem__(self, index: int) -> Item:
        try:
            return np.stack(self._seen(self._paths[index])), index
        except VisionError as error:
            return error

    def _seen(self, path: Path) -> list[NDArray[np.uint8]]:
        if len(self._views) == 1:
            photos = [load_resized(path, self._views[0][0])]
        else:
            whole = read_photo(path, channels=self._views[0][0].channels)
            photos = [resized(whole, preprocess) for preprocess, _ in self._views]
        return [photo[:, ::-1] if flip else photo for photo, (_, flip) in zip(photos, self._views, strict=True)]


class EmbeddingBatches:
    """Batches straight from memory: embeddings float32 (N, D) and their targets."""

    def __init__(self, embeddings: torch.Tensor, targets: torch.Tensor, batches: EpochBatches | int) -> None:
        self._embeddings, self._targets, self._batches = embeddings, targets, batches
        if isinstance(batches, EpochBatches):
            self.sampler = batches  # where Lightning looks for `set_epoch`

    def __len__(self) -> int:
        batches = self._batches
        return math.ceil(len(self._targets) / batches) if isinstance(batches, int) else len(batches)

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        if isinstance(self._batches, int):
            for start in range(0, len(self._targets), self._batches):
                part = slice(start, start + self._batches)
                yield self._embeddings[part], self._targets[part]
            return
        for indices in self._batches.order():
            rows = torch.from_numpy(indices)
            yield self._embeddings[rows], self._targets[rows]


def collate(items: list[Item]) -> tuple[NDArray[np.uint8], NDArray[Any]] | VisionError:
    """Stack photos to uint8 (N, H, W, C) with their targets; or pass on the first error.

    Errors travel as values: torch would turn an exception of a worker into a traceback's text. Arrays come through a
    pipe; torch's tensors would need /dev/shm, of which containers have little.
    """
    for item in items:
        if isinstance(item, VisionError):
            return item
    photos, targets = zip(*items, strict=True)
    return np.stack(photos), np.stack(targets)


def tensors(batch: Any, device: Any) -> tuple[torch.Tensor, Any]:
    """Return a batch on a device: photos uint8 (..., C, H, W), channels last in memory, or embeddings; and targets.

    Targets are a tensor, or what has arrays of a photo's places (`PlaceTargets`) with tensors in their stead.

    Raises:
        DataError: a photo was refused.
    """
    if isinstance(batch, VisionError):
        raise batch
    photos, targets = torch.as_tensor(batch[0]).to(device), _moved(batch[1], device)
    return (photos.movedim(-1, -3) if photos.dtype == torch.uint8 else photos), targets


def _moved(targets: Any, device: Any) -> Any:
    if not isinstance(targets, PlaceTargets):
        return torch.as_tensor(targets).to(device)
    parts: dict[str, Any] = {each.name: getattr(targets, each.name) for each in fields(targets)}
    arrays = {name: part for name, part in parts.items() if isinstance(part, np.ndarray)}
    return PlaceTargets(**{**parts, **{name: torch.from_numpy(part).to(device) for name, part in arrays.items()}})


def loader(
    photos: Dataset[Any], batches: Any, workers: int | None, together: Callable[[Any], Any] = collate
) -> DataLoader[Any]:
    """Return a loader that decodes in processes of its own, which live as long as it does.

    Args:
        photos: gives items by key.
        batches: lists of keys.
        workers: processes; see `worker_count`.
        together: makes a batch of items.
    """
    processes = min(worker_count(workers), len(batches))
    return DataLoader(
        photos,
        batch_sampler=batches,
        num_workers=processes,
        collate_fn=together,
        persistent_workers=processes > 0,
        # A generator of its own: every new iterator draws a number, and dropout would be another after resuming.
        generator=torch.Generator(),
    )


def in_order(count: int, batch_size: int) -> list[list[int]]:
    """Return the batches of `count` indices in their own order."""
    return [list(range(start, min(count, start + batch_size))) for start in range(0, count, batch_size)]
