"""What a training takes and what it tells."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from vision_cli.core.config import TrainConfig
from vision_cli.core.contracts import Network
from vision_cli.core.preprocess import Preprocess
from vision_cli.core.progress import Progress
from vision_cli.training.epochs import Book
from vision_cli.training.losses import TaskLoss, task_loss
from vision_cli.training.photos import Photos
from vision_cli.training.pictures import Painter
from vision_cli.training.team import Team

WEIGHT_DECAY = 0.05
CHECKPOINTS = "checkpoints"
"""Below a run's folder."""


@dataclass(frozen=True, slots=True)
class FitRequest:
    """A training.

    Attributes:
        network: gets the best weights.
        task: `classify`, `multilabel` or `regress`.
        train: photos to learn from.
        val: photos that choose the epoch; may be empty.
        options: the section `train` of the project file.
        preprocess: of the network.
        folder: checkpoints, embeddings and logs go below it.
        log: takes one row an epoch: epoch, train_loss, val_loss, val_score, learning_rate, seconds, photos_per_s.
            After a kill between a row and its checkpoint, the resumed training logs the epoch again.
        progress: is told of every epoch.
        resume: continue from `folder/checkpoints/last.ckpt`, if there is one.
        painter: draws pictures of labels and answers; None keeps none.
        team: processes that learn together; see `fit`.
        vectors: folder that keeps a frozen backbone's embeddings; None is one below `folder`.
    """

    network: Network
    task: str
    train: Photos
    val: Photos
    options: TrainConfig
    preprocess: Preprocess
    folder: Path
    log: Callable[[Mapping[str, Any]], None]
    progress: Progress
    resume: bool = False
    painter: Painter | None = None
    team: Team = field(default_factory=Team)
    vectors: Path | None = None


@dataclass(frozen=True, slots=True)
class FitResult:
    """The course of a training.

    Attributes:
        history: one row an epoch, as logged.
        best_epoch: of the weights that were kept, from 1.
        epochs: that were run.
        stopped: `finished`, `early stopping` or `nan loss`.
        batch_size: photos a batch in the end.
        frozen: whether the backbone was frozen throughout.
        seconds: of all epochs and embeddings, resumed ones included.
        notes: what a reader of the report should know.
    """

    history: list[dict[str, Any]]
    best_epoch: int
    epochs: int
    stopped: str
    batch_size: int
    frozen: bool
    seconds: float
    notes: tuple[str, ...]


def loss_of(request: FitRequest, *, smoothing: float) -> TaskLoss:
    """Return the loss of a request's task and options, with the label smoothing that stands in for none given."""
    head = request.network.head.eval()
    with torch.inference_mode():
        n_outputs = head(torch.zeros(1, request.network.n_features)).shape[1]
    return task_loss(request.task, request.options, request.train.targets, n_outputs, smoothing=smoothing)


def book_of(request: FitRequest, *, epochs: int, every: int, frozen: bool) -> Book:
    """Return where a request's epochs are written; `every` epochs a checkpoint."""
    return Book(
        checkpoints=request.folder / CHECKPOINTS,
        fingerprint=_fingerprint(request, frozen=frozen),
        every=every,
        epochs=epochs,
        log=request.log,
        progress=request.progress,
    )


def _fingerprint(request: FitRequest, *, frozen: bool) -> str:
    """Return a hash of what decides the weights: photos by name, targets, plan, preprocessing."""
    digest = hashlib.sha256()
    for photos in (request.train, request.val):
        digest.update("\n".join(path.name for path in photos.paths).encode())
        digest.update(photos.targets.tobytes())
    options = request.options.model_dump(exclude={"workers", "device", "devices", "nodes", "view"})
    digest.update(json.dumps([options, request.preprocess.as_json(), request.task, frozen]).encode())
    return digest.hexdigest()
