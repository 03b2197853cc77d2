"""Weights between the start and the end of a fine-tuning: often better than either, and never worse on validation.

Wortsman et al. 2022, "Robust fine-tuning of zero-shot models" (WiSE-FT), eq. 1: (1 - a) * start + a * end. What they
choose on held-out data is chosen by the validation loss here, among a few values of a that include 1, the end itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from safetensors.torch import load_file, save
from torch import Tensor

from vision_cli.core import files
from vision_cli.core.errors import DataError
from vision_cli.training.batches import PlainPhotos, in_order, loader, tensors
from vision_cli.training.checks import accelerator
from vision_cli.training.freezing import starts_fitted
from vision_cli.training.module import Normalise
from vision_cli.training.request import CHECKPOINTS, FitRequest
from vision_cli.training.state import Record
from vision_cli.training.whole import tuning_loss

_START = "start.safetensors"
SHARES = (1.0, 0.85, 0.7, 0.5)
Weights = dict[str, Tensor]


@dataclass(frozen=True, slots=True)
class Point:
    """Weights on the way from start to end.

    Attributes:
        weights: of the network.
        share: of the way, 0 to 1; 1 is the end.
        epoch: of the end, from 1.
        loss: of validation.
    """

    weights: Weights
    share: float
    epoch: int
    loss: float


def keep_start(request: FitRequest) -> None:
    """Write the weights before the first step, where they will be interpolated with the last ones."""
    network: Any = request.network
    if _interpolates(request):
        weights = {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
        files.write_bytes(request.folder / CHECKPOINTS / _START, save(weights))


def best_on_the_way(request: FitRequest, record: Record) -> tuple[str, ...]:
    """Leave the weights of lowest validation loss between start and end in the network and the record, and say so.

    Raises:
        DataError: the start was not kept, or does not read.
    """
    if not _interpolates(request):
        return ()
    ends = {record.best_epoch: record.best, record.epoch: record.last}
    point = lowest(_start(request), ends, partial(_validation_loss, request))
    network: Any = request.network
    network.load_state_dict(point.weights)
    record.best, record.best_epoch = point.weights, point.epoch
    if point.share == 1:
        return ()
    return (
        f"The weights lie {point.share:.0%} of the way from the start to those after epoch {point.epoch}: there, the "
        f"validation loss is lowest, {point.loss:.3f}.",
    )


def _interpolates(request: FitRequest) -> bool:
    return request.options.interpolate and starts_fitted(request.options) and len(request.val) > 0


def _start(request: FitRequest) -> Weights:
    path = request.folder / CHECKPOINTS / _START
    try:
        return load_file(path)
    except Exception as error:
        if not isinstance(error, OSError) and type(error).__name__ != "SafetensorError":
            raise
        raise DataError(f"{path}: does not read: {error}.", hint="Train anew without --resume.") from error


@torch.inference_mode()
def _validation_loss(request: FitRequest, weights: Weights) -> float:
    network: Any = request.network
    device = accelerator(request.options.device)
    network.load_state_dict(weights)
    network.backbone.eval().to(device)
    network.head.eval().to(device)
    normalise = Normalise(request.preprocess.mean, request.preprocess.std).to(device)
    photos = PlainPhotos(request.val, request.preprocess)
    outputs, targets = [], []
    for batch in loader(photos, in_order(len(request.val), request.options.batch_size), request.options.workers):
        inputs, true = tensors(batch, device)
        outputs.append(network(normalise(inputs)).float())
        targets.append(true)
    return float(tuning_loss(request).to(device)(torch.cat(outputs), torch.cat(targets)))


def lowest(start: Weights, ends: Mapping[int, Weights], judge: Callable[[Weights], float]) -> Point:
    """Return the point of lowest loss on the ways from a start to the weights after some epochs.

    Args:
        start: weights before the first step.
        ends: weights after an epoch, by epoch; at least one.
        judge: returns the validation loss of weights.
    """
    points = [
        Point(weights, share, epoch, judge(weights))
        for epoch, end in ends.items()
        for share in SHARES
        for weights in [between(start, end, share)]
    ]
    return min(points, key=lambda point: point.loss)


def between(start: Weights, end: Weights, share: float) -> Weights:
    """Return the weights at a share of the way; whole numbers, such as counts of batches, are the end's."""
    return {name: start[name].lerp(value, share) if value.is_floating_point() else value for name, value in end.items()}
