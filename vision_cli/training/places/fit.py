"""Train a detector or segmenter: from scenes to the best weights."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from vision_cli.core.config import TrainConfig
from vision_cli.core.contracts import PlaceNetwork
from vision_cli.core.errors import DataError
from vision_cli.core.preprocess import Preprocess
from vision_cli.core.progress import Progress
from vision_cli.training import freezing
from vision_cli.training.batches import EpochBatches, in_order, loader, worker_count
from vision_cli.training.checks import accelerator, freezing_plan
from vision_cli.training.epochs import NOT_FINITE, Book
from vision_cli.training.loop import Job, train
from vision_cli.training.module import Normalise, Subject
from vision_cli.training.pictures import Painter
from vision_cli.training.places.batches import (
    AugmentedScenes,
    Mixing,
    PlainScenes,
    RepeatedBatches,
    collate,
    repeat_factors,
)
from vision_cli.training.places.lesson import Judge, PlaceLesson
from vision_cli.training.places.scene_album import album_of
from vision_cli.training.places.scenes import MASKED, Scenes
from vision_cli.training.request import CHECKPOINTS, WEIGHT_DECAY, FitResult
from vision_cli.training.state import Record
from vision_cli.training.team import Team, parallel_workers

EPOCHS = 40
LEARNING_RATE = 1e-3
EMA = 0.998
_RARE = 0.1
"""Share of the photos below which a class is shown more often, with `sampling: balanced`."""


@dataclass(frozen=True, slots=True)
class PlaceFitRequest:
    """A training of places.

    Attributes:
        network: gets the best weights.
        train: scenes to learn from.
        val: scenes that choose the epoch; may be empty.
        options: the section `train` of the project file.
        preprocess: of the network.
        folder: checkpoints and logs go below it.
        log: takes one row an epoch, as `FitRequest.log`.
        progress: is told of every epoch.
        judge: makes a new judge of the validation scenes.
        resume: continue from the last checkpoint, if there is one.
        painter: draws pictures of labels and answers; None keeps none.
        team: processes that learn together; all end with the best weights, and the first has written all there is.
    """

    network: PlaceNetwork
    train: Scenes
    val: Scenes
    options: TrainConfig
    preprocess: Preprocess
    folder: Path
    log: Callable[[Mapping[str, Any]], None]
    progress: Progress
    judge: Callable[[], Judge]
    resume: bool = False
    painter: Painter | None = None
    team: Team = field(default_factory=Team)


def fit(request: PlaceFitRequest) -> FitResult:
    """Train, and leave the best weights in the network: in eval mode, on the CPU.

    Raises:
        DataError: no photos, a photo is refused, a loss that is no number at once, or a checkpoint of other data.
        UsageError: a device, precision or number of stages that there is not.
        ResourceError: not enough memory or disk.
        KeyboardInterrupt: Ctrl-C; the last whole epoch is on disk.
    """
    if not len(request.train):
        raise DataError("train: there are no photos to learn from.", hint="Look at the view and the split.")
    network: Any = request.network
    record = train(job_of(request), resume=request.resume)
    network.load_state_dict(record.best)
    network.eval().requires_grad_(True).cpu()
    album = album_of(request.folder, request.painter, request.val, request.preprocess)
    if album is not None and request.team.first:
        album.best(network, Normalise(request.preprocess.mean, request.preprocess.std), record.best_epoch)
    return FitResult(
        history=record.history,
        best_epoch=record.best_epoch,
        epochs=record.epoch,
        stopped=record.stopped,
        batch_size=record.batch_size,
        frozen=False,
        seconds=record.seconds,
        notes=_notes(request, record),
    )


def _notes(request: PlaceFitRequest, record: Record) -> tuple[str, ...]:
    notes = []
    if request.network.kept:
        notes.append(f"Kept from the pretrained head: {', '.join(request.network.kept)}.")
    if record.stopped == NOT_FINITE:
        notes.append(f"The loss became NaN or infinite after epoch {record.epoch}; earlier weights were kept.")
    if record.batch_size < request.options.batch_size:
        notes.append(f"Memory ran out at {request.options.batch_size} photos a batch; it ended at {record.batch_size}.")
    return tuple(notes)


def job_of(request: PlaceFitRequest) -> Job:
    """Return the training."""
    options = request.options
    seen = AugmentedScenes(request.train, request.preprocess, options.augment, options.seed, _mixing(request))
    val = PlainScenes(request.val, request.preprocess)

    def batches(size: int, epoch: int) -> Any:
        workers = parallel_workers(request.team, options.workers, worker_count(None))
        return loader(seen, _order(request, size, epoch), workers, collate)

    def val_batches(size: int) -> Any:
        return loader(val, in_order(len(request.val), size), options.workers, collate)

    return Job(
        subject=_subject(request),
        options=options.model_copy(update={"ema": EMA if options.ema is None else options.ema}),
        batch_size=options.batch_size,
        batches=batches,
        val_batches=val_batches if len(request.val) else None,
        book=_book(request),
        logs=request.folder / "logs",
        album=album_of(request.folder, request.painter, request.val, request.preprocess),
        team=request.team,
    )


def _mixing(request: PlaceFitRequest) -> Mixing:
    options = request.options
    return Mixing(options.mosaic, options.copy_paste if request.train.task in MASKED else 0.0)


def _order(request: PlaceFitRequest, size: int, epoch: int) -> EpochBatches:
    if request.options.sampling == "balanced":
        factors = repeat_factors(request.train, _RARE)
        return RepeatedBatches(factors, size, request.options.seed, epoch, team=request.team)
    return EpochBatches(len(request.train), size, request.options.seed, epoch, team=request.team)


def _subject(request: PlaceFitRequest) -> Subject:
    network, options = request.network, request.options
    module: Any = network
    plan = freezing_plan(options, network, photos=len(request.train))
    decay = WEIGHT_DECAY if options.weight_decay is None else options.weight_decay
    return Subject(
        module=module.to(memory_format=torch.channels_last),
        inputs=Normalise(request.preprocess.mean, request.preprocess.std).to(accelerator(options.device)),
        groups=freezing.groups(network, options, options.learning_rate or LEARNING_RATE, decay),
        set_modes=lambda epoch: freezing.set_modes(network, plan, epoch),
        lesson=PlaceLesson(request.judge, multi_scale=options.multi_scale),
    )


def _book(request: PlaceFitRequest) -> Book:
    return Book(
        checkpoints=request.folder / CHECKPOINTS,
        fingerprint=_fingerprint(request),
        every=1,
        epochs=request.options.epochs or EPOCHS,
        log=request.log,
        progress=request.progress,
    )


def _fingerprint(request: PlaceFitRequest) -> str:
    """Return a hash of what decides the weights: photos by name, objects, plan, preprocessing."""
    digest = hashlib.sha256()
    for scenes in (request.train, request.val):
        digest.update("\n".join(path.name for path in scenes.paths).encode())
        for column in (scenes.truth.photo, scenes.truth.class_id, scenes.truth.boxes, scenes.truth.ignored):
            digest.update(np.ascontiguousarray(column).tobytes())
        digest.update(repr(scenes.views).encode() if scenes.views else b"")
    options = request.options.model_dump(exclude={"workers", "device", "devices", "nodes", "view"})
    digest.update(json.dumps([options, request.preprocess.as_json(), request.train.task]).encode())
    return digest.hexdigest()
