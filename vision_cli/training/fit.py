"""Train a network: from photos to the best weights."""

from __future__ import annotations

import time
from dataclasses import replace

from vision_cli.core.errors import DataError
from vision_cli.core.progress import Silent
from vision_cli.training import freezing, photo_album
from vision_cli.training.checks import freezing_plan
from vision_cli.training.epochs import NOT_FINITE
from vision_cli.training.head import fit_head
from vision_cli.training.interpolate import best_on_the_way, keep_start
from vision_cli.training.request import CHECKPOINTS, FitRequest, FitResult
from vision_cli.training.state import LAST, PREVIOUS, Record
from vision_cli.training.whole import fit_network

__all__ = ["FitRequest", "FitResult", "fit"]


def fit(request: FitRequest) -> FitResult:
    """Train, and leave the best weights in the network: in eval mode, on the CPU.

    The best are those of the lowest validation loss, or the last without validation photos. After fine-tuning below a
    head that was fitted first, weights between start and end are candidates, too.

    Of processes that learn together, the first alone fits the head before, and chooses the weights after; the others
    get the weights that it begins with, and their own result is not told. A head on a frozen backbone is for one.

    Raises:
        DataError: no photos, a photo is refused, a loss that is no number at once, or a checkpoint of other data.
        UsageError: a device, precision or number of stages that there is not.
        ResourceError: not enough memory or disk.
        KeyboardInterrupt: Ctrl-C; the last whole epoch is on disk.
    """
    plan = _checked(request)
    started = time.perf_counter()
    if not plan.backbone and request.team.first and head_first(request):
        fit_head(head_request(request))
        keep_start(request)
    record = fit_head(request) if plan.backbone else fit_network(request, plan)
    notes = _notes(request, record, frozen=plan.backbone)
    if not plan.backbone and request.team.first:
        notes += best_on_the_way(request, record)
    request.network.backbone.eval().requires_grad_(True).cpu()
    request.network.head.eval().requires_grad_(True).cpu()
    photo_album.keep_best(request, record.best_epoch)
    total = max(record.seconds, time.perf_counter() - started)
    return FitResult(
        history=record.history,
        best_epoch=record.best_epoch,
        epochs=record.epoch,
        stopped=record.stopped,
        batch_size=record.batch_size,
        frozen=plan.backbone,
        seconds=total,
        notes=notes,
    )


def head_first(request: FitRequest) -> bool:
    """Return whether the head is fitted before the rest learns; a checkpoint of the rest holds a fitted one."""
    folder = request.folder / CHECKPOINTS
    started = request.resume and any((folder / name).is_file() for name in (LAST, PREVIOUS))
    return freezing.starts_fitted(request.options) and not started


def head_request(request: FitRequest) -> FitRequest:
    """Return the request for the head alone, in a folder of its own; its cheap epochs are not the run's."""
    options = request.options.model_copy(
        update={"epochs": None, "ema": None, "mixup": 0.0, "learning_rate": None, "weight_decay": None}
    )
    return replace(
        request, options=options, folder=request.folder / "head", log=lambda _: None, progress=Silent(), painter=None
    )


def _checked(request: FitRequest) -> freezing.Freezing:
    if not len(request.train):
        raise DataError("train: there are no photos to learn from.", hint="Look at the view and the split.")
    if not len(request.val):
        request.progress.warn("There are no validation photos: the last epoch is kept, and nothing stops early.")
    return freezing_plan(request.options, request.network, photos=len(request.train))


def _notes(request: FitRequest, record: Record, *, frozen: bool) -> tuple[str, ...]:
    notes = []
    if frozen:
        notes.append("The backbone was frozen: the head learned on its embeddings, and augmentation was a few views.")
    if record.stopped == NOT_FINITE:
        notes.append(
            f"The loss became NaN or infinite after epoch {record.epoch}; the weights of epoch {record.best_epoch} "
            "were kept. Lower train.learning_rate."
        )
    if record.batch_size < request.options.batch_size:
        notes.append(
            f"Memory ran out at {request.options.batch_size} photos a batch; it ended with {record.batch_size}."
        )
    return tuple(notes)
