"""Train a network on photos, all of it or from a stage on."""

from __future__ import annotations

from typing import Any

import torch

from vision_cli.training import freezing
from vision_cli.training.batches import AugmentedPhotos, EpochBatches, PlainPhotos, in_order, loader
from vision_cli.training.loop import Job, accelerator, train
from vision_cli.training.module import Normalise, Subject
from vision_cli.training.request import LEARNING_RATE, WEIGHT_DECAY, FitRequest, book_of, loss_of
from vision_cli.training.state import Record

_EPOCHS = 30
_SMOOTHING = 0.1


def fit_network(request: FitRequest, plan: freezing.Freezing) -> Record:
    """Train what the plan does not freeze, and leave the best weights in the network."""
    record = train(_job(request, plan), resume=request.resume)
    network: Any = request.network
    network.load_state_dict(record.best)
    return record


def _job(request: FitRequest, plan: freezing.Freezing) -> Job:
    options, preprocess = request.options, request.preprocess
    train_photos = AugmentedPhotos(request.train, preprocess, options.augment, options.seed)
    val_photos = PlainPhotos(request.val, preprocess)

    def batches(size: int, epoch: int) -> Any:
        order = EpochBatches(len(request.train), size, options.seed, epoch)
        return loader(train_photos, order, options.workers)

    def val_batches(size: int) -> Any:
        return loader(val_photos, in_order(len(request.val), size), options.workers)

    return Job(
        subject=_subject(request, plan),
        options=options,
        batch_size=options.batch_size,
        batches=batches,
        val_batches=val_batches if len(request.val) else None,
        book=book_of(request, epochs=options.epochs or _EPOCHS, every=1, frozen=False),
        logs=request.folder / "logs",
    )


def _subject(request: FitRequest, plan: freezing.Freezing) -> Subject:
    network, options = request.network, request.options
    module: Any = network
    decay = WEIGHT_DECAY if options.weight_decay is None else options.weight_decay
    return Subject(
        module=module.to(memory_format=torch.channels_last),
        inputs=Normalise(request.preprocess.mean, request.preprocess.std).to(accelerator(options.device)),
        groups=freezing.groups(network, options, options.learning_rate or LEARNING_RATE, decay),
        set_modes=lambda epoch: freezing.set_modes(network, plan, epoch),
        loss=loss_of(request, smoothing=_SMOOTHING),
    )
