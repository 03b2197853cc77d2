"""Pictures of what a training sees and says: its first batches, and the same validation photos every so often.

Few files whatever the number of epochs: the epochs 1, 2, 4, 8 and so on, the last, and the best.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pytorch_lightning as pl
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vision_cli.core import files
from vision_cli.imaging.sheets import Style, Tile, sheet
from vision_cli.imaging.write import encode_jpeg
from vision_cli.training.batches import tensors

FOLDER = "pictures"
"""Below a run's folder."""
BEST = "val-best.jpg"
_BATCHES = 3
_QUALITY = 85
Photo = NDArray[np.uint8]


class Painter(Protocol):
    """Draws labels and answers of a task."""

    @property
    def most(self) -> int:
        """Return how many photos are on a sheet."""

    @property
    def style(self) -> Style:
        """Return the style of a sheet of labels."""

    @property
    def beside(self) -> Style:
        """Return the style of a sheet of labels and answers."""

    @property
    def how(self) -> str:
        """Return which is which, in words."""

    def labelled(self, photos: Photo, targets: Any) -> list[Tile]:
        """Return photos (N, H, W, C) with their labels."""

    def answered(self, photos: Photo, targets: Any, raw: tuple[NDArray[np.float32], ...]) -> list[Tile]:
        """Return photos with their labels and what a network's raw outputs say of them."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The validation photos that are shown, always the same ones.

    Attributes:
        photos: uint8 (N, H, W, C), as the network sees them.
        targets: as a batch has them.
        rows: what the module that learns takes instead of photos, such as embeddings; None where it takes photos.
    """

    photos: Photo
    targets: Any
    rows: Tensor | None = None


@dataclass(frozen=True, slots=True)
class Album:
    """Where pictures go.

    Attributes:
        folder: of the run.
        painter: of the task.
        sample: reads the validation photos; None without any.
    """

    folder: Path
    painter: Painter
    sample: Callable[[], Sample | None]

    def batch(self, number: int, photos: Photo, targets: Any) -> Photo:
        """Keep a training batch, counted from 1."""
        tiles = self.painter.labelled(photos, targets)[: self.painter.most]
        title = f"Training batch {number}, as the network sees it"
        return self._write(f"train-batch-{number}.jpg", title, tiles, self.painter.style)

    def answers(self, name: str, title: str, sample: Sample, raw: tuple[NDArray[np.float32], ...]) -> Photo:
        """Keep what is said of validation photos."""
        tiles = self.painter.answered(sample.photos, sample.targets, raw)
        return self._write(name, f"{title}: {self.painter.how}", tiles, self.painter.beside)

    def best(self, network: Any, inputs: Callable[[Tensor], Tensor], epoch: int) -> None:
        """Keep what a trained network, on the CPU and in eval mode, says of validation photos."""
        sample = self.sample()
        if sample is not None:
            taken = inputs(tensors((sample.photos, sample.targets), torch.device("cpu"))[0])
            title = f"Validation photos, best epoch {epoch}" if epoch else "Validation photos"
            self.answers(BEST, title, sample, raw_outputs(network, taken))

    def _write(self, name: str, title: str, tiles: Sequence[Tile], style: Style) -> Photo:
        shown = sheet(title, tiles, style)
        files.write_bytes(self.folder / FOLDER / name, encode_jpeg(shown, _QUALITY))
        return shown


def spread(count: int, most: int) -> list[int]:
    """Return at most so many of `count` indices, evenly apart: the first ones of a set are often of one class."""
    return [int(index) for index in np.linspace(0, count - 1, min(count, most)).round()] if count else []


def raw_outputs(net: nn.Module, inputs: Tensor) -> tuple[NDArray[np.float32], ...]:
    """Return what a module in eval mode says, as arrays; photo by photo, as memory may be short."""
    said = []
    with torch.inference_mode():
        for row in range(len(inputs)):
            found = net(inputs[row : row + 1])
            said.append([part.float().cpu().numpy() for part in (found if isinstance(found, tuple) else (found,))])
    return tuple(np.concatenate(parts) for parts in zip(*said, strict=True))


class Pictures(pl.Callback):  # type: ignore[misc]  # Lightning is not typed here
    """Fills an album while a network learns, and shows its pages to TensorBoard."""

    def __init__(self, album: Album, epochs: int) -> None:
        self._album, self._epochs = album, epochs
        self._sample: Sample | None = None

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: Any, batch: Any, batch_idx: int) -> None:
        """Keep the first batches of the first epoch; a batch may be a refused photo, or embeddings."""
        if pl_module.record.epoch or batch_idx >= _BATCHES or not isinstance(batch, tuple):
            return
        photos, targets = batch
        if isinstance(photos, np.ndarray) and photos.dtype == np.uint8:
            shown = self._album.batch(batch_idx + 1, photos, targets)
            _log(trainer, f"train_batch_{batch_idx + 1}", shown, 0)

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        """Keep what the network, or the average of its weights, says of some validation photos."""
        epoch = pl_module.record.epoch + 1
        if epoch & (epoch - 1) and epoch != self._epochs:
            return
        sample = self._sample = self._sample or self._album.sample()
        if sample is None:
            return
        if sample.rows is None:
            taken = pl_module.subject.inputs(tensors((sample.photos, sample.targets), pl_module.device)[0])
        else:
            taken = sample.rows.to(pl_module.device)
        name, title = f"val-epoch-{epoch:04d}.jpg", f"Validation photos, epoch {epoch}"
        shown = self._album.answers(name, title, sample, raw_outputs(pl_module.net, taken))
        _log(trainer, "val", shown, epoch)


def _log(trainer: pl.Trainer, tag: str, shown: Photo, step: int) -> None:
    for logger in trainer.loggers:
        writer = logger.experiment
        if hasattr(writer, "add_image"):
            writer.add_image(f"pictures/{tag}", shown, step, dataformats="HWC")
