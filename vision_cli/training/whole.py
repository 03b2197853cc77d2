"""Train a network on photos, all of it or from a stage on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from vision_cli.core.preprocess import Preprocess
from vision_cli.training import freezing, photo_album
from vision_cli.training.augment import training_size
from vision_cli.training.batches import AugmentedPhotos, EpochBatches, PlainPhotos, in_order, loader, worker_count
from vision_cli.training.checks import accelerator
from vision_cli.training.lesson import PhotoLesson
from vision_cli.training.loop import Job, train
from vision_cli.training.losses import TaskLoss
from vision_cli.training.module import Normalise, Subject
from vision_cli.training.request import WEIGHT_DECAY, FitRequest, book_of, loss_of
from vision_cli.training.state import Record
from vision_cli.training.team import parallel_workers

EPOCHS = 30
SMOOTHING = 0.1
EMA = 0.97
LEARNING_RATE = 5e-4


def fit_network(request: FitRequest, plan: freezing.Freezing) -> Record:
    """Train what the plan does not freeze, and leave the best weights in the network."""
    network: Any = request.network
    record = train(job_of(request, plan), resume=request.resume)
    network.load_state_dict(record.best)
    return record


def job_of(request: FitRequest, plan: freezing.Freezing) -> Job:
    """Return the training of what the plan does not freeze."""
    options, preprocess = request.options, request.preprocess
    ema = EMA if options.ema is None else options.ema
    train_photos = AugmentedPhotos(request.train, _training_input(request), options.augment, options.seed)
    val_photos = PlainPhotos(request.val, preprocess)

    def batches(size: int, epoch: int) -> Any:
        order = EpochBatches(len(request.train), size, options.seed, epoch, team=request.team)
        return loader(train_photos, order, parallel_workers(request.team, options.workers, worker_count(None)))

    def val_batches(size: int) -> Any:
        return loader(val_photos, in_order(len(request.val), size), options.workers)

    return Job(
        subject=_subject(request, plan),
        options=options.model_copy(update={"ema": ema}),
        batch_size=options.batch_size,
        batches=batches,
        val_batches=val_batches if len(request.val) else None,
        book=book_of(request, epochs=options.epochs or EPOCHS, every=1, frozen=False),
        logs=request.folder / "logs",
        album=photo_album.album_of(request),
        team=request.team,
    )


def _training_input(request: FitRequest) -> Preprocess:
    """Return the preprocessing of training photos: smaller where that matches evaluation and the network takes it."""
    smaller = replace(request.preprocess, size_px=training_size(request.options.augment, request.preprocess))
    width, height = smaller.size_px
    backbone: Any = request.network.backbone
    backbone.eval()
    try:
        with torch.inference_mode():
            backbone(torch.zeros(1, smaller.channels, height, width))
    except (RuntimeError, ValueError, AssertionError):  # a vision transformer of fixed size
        return request.preprocess
    return smaller


def _subject(request: FitRequest, plan: freezing.Freezing) -> Subject:
    network, options = request.network, request.options
    module: Any = network
    decay = WEIGHT_DECAY if options.weight_decay is None else options.weight_decay
    return Subject(
        module=module.to(memory_format=torch.channels_last),
        inputs=Normalise(request.preprocess.mean, request.preprocess.std).to(accelerator(options.device)),
        groups=freezing.groups(network, options, options.learning_rate or LEARNING_RATE, decay),
        set_modes=lambda epoch: freezing.set_modes(network, plan, epoch),
        lesson=PhotoLesson(tuning_loss(request), options.mixup),
    )


def tuning_loss(request: FitRequest) -> TaskLoss:
    """Return the loss; a head that was fitted to hard labels would have to unlearn its confidence for smooth ones."""
    return loss_of(request, smoothing=0.0 if freezing.starts_fitted(request.options) else SMOOTHING)
