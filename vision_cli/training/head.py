"""Train a head on the embeddings of a frozen backbone: the same loop, over rows instead of photos."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vision_cli.training import photo_album
from vision_cli.training.batches import EmbeddingBatches, EpochBatches
from vision_cli.training.checks import accelerator
from vision_cli.training.embed import PLAIN, EmbedOptions, View, embed_views
from vision_cli.training.lesson import PhotoLesson
from vision_cli.training.loop import Job, train
from vision_cli.training.module import Subject
from vision_cli.training.request import WEIGHT_DECAY, FitRequest, book_of, loss_of
from vision_cli.training.state import Record

_NEUTRAL = (nn.Sequential, nn.Dropout, nn.Identity, nn.Flatten)
EPOCHS = 100
LEARNING_RATE = 1e-3
_CHECKPOINT_EVERY = 10
_VAL_BATCH = 1024
PENALTY = 0.3  # best accuracy in cross-validation of 520 photos of ten classes; 0.1 has the lower loss
# A mirrored view helps a little and costs a pass a photo; wider crops on top helped no more in cross-validation.
_VIEW_BUDGET = 4000
_VIEWS = (PLAIN, View(flip=True))


class Scaled(nn.Module):
    """A head whose input is shifted and scaled: (x - shift) / scale.

    Args:
        head: whose first layer with weights is linear, so that `folded` can take the scale in.
        embeddings: float32 (N, D) that mean and overall spread are taken from. One scale for all features: features of
            small variance carry little, and blowing them up to unit variance costs accuracy.
    """

    shift: Tensor
    scale: Tensor

    def __init__(self, head: nn.Module, embeddings: Tensor) -> None:
        super().__init__()
        self.head = head
        shift = embeddings.mean(dim=0) if first_linear(head) is not None else torch.zeros(embeddings.shape[1])
        spread = (embeddings - shift).square().mean().sqrt().clamp(min=1e-6)
        self.register_buffer("shift", shift)
        self.register_buffer("scale", spread if first_linear(head) is not None else torch.ones(()))

    def forward(self, embeddings: Tensor) -> Tensor:
        """Return raw outputs (N, C)."""
        outputs: Tensor = self.head((embeddings - self.shift) / self.scale)
        return outputs

    def penalty(self, strength: float) -> Tensor:
        """Return the L2 penalty of logistic regression, strength / 2 * |W|^2, of a head that is one linear layer."""
        linear = first_linear(self.head)
        if linear is None:
            return self.scale.new_zeros(())
        return linear.weight.square().sum() * (strength / 2)

    @torch.no_grad()
    def fold(self) -> None:
        """Take shift and scale into the head's first linear layer: W x / s + (b - W m / s)."""
        linear = first_linear(self.head)
        if linear is not None:
            linear.weight.div_(self.scale)
            linear.bias.sub_(linear.weight @ self.shift)


def first_linear(head: nn.Module) -> nn.Linear | None:
    """Return the linear layer with bias that sees the embedding first, dropout aside; None if there is none."""
    for module in head.modules():
        if isinstance(module, nn.Linear):
            return module if module.bias is not None else None
        if not isinstance(module, _NEUTRAL) and module is not head:
            return None
    return None


def is_linear(head: nn.Module) -> bool:
    """Return whether a head is one linear layer, dropout aside: a convex problem."""
    linear = first_linear(head)
    return linear is not None and sum(1 for _ in head.parameters()) == sum(1 for _ in linear.parameters())


def fit_head(request: FitRequest) -> Record:
    """Train the head on embeddings that are computed once, and leave the best weights in it."""
    scaled, job = job_of(request)
    record = train(job, resume=request.resume)
    scaled.load_state_dict(record.best)
    scaled.fold()
    return record


def job_of(request: FitRequest) -> tuple[Scaled, Job]:
    """Return the head as it learns, and its training on embeddings that are computed here."""
    features, val_features = embeddings_of(request)
    scaled = Scaled(request.network.head, torch.from_numpy(features).flatten(0, 1))
    return scaled, _job(request, scaled, features, val_features)


def embeddings_of(request: FitRequest) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return embeddings of the training photos' views, float32 (V, N, D), and of the validation photos, (M, D)."""
    options, network, progress = request.options, request.network, request.progress
    how = EmbedOptions(
        options.batch_size,
        options.workers,
        accelerator(options.device),
        store=request.vectors or request.folder / "embeddings",
    )
    count = 1 if options.augment == "none" else max(1, min(len(_VIEWS), _VIEW_BUDGET // len(request.train)))
    train_rows = embed_views(network, request.train.paths, (request.preprocess, _VIEWS[:count]), how, progress)
    val_rows = embed_views(network, request.val.paths, (request.preprocess, (PLAIN,)), how, progress)
    return train_rows, val_rows[0]


def _job(request: FitRequest, scaled: Scaled, features: NDArray[np.float32], val_features: NDArray[np.float32]) -> Job:
    """Return a training over all views of all photos: a batch of photos is a batch of their views."""
    options = request.options
    rows = torch.from_numpy(features).flatten(0, 1)
    targets = torch.from_numpy(np.concatenate([request.train.targets] * len(features)))
    val = EmbeddingBatches(torch.from_numpy(val_features), torch.from_numpy(request.val.targets), _VAL_BATCH)
    return Job(
        subject=_subject(request, scaled),
        options=options,
        batch_size=options.batch_size * len(features),
        batches=lambda size, epoch: EmbeddingBatches(rows, targets, EpochBatches(len(rows), size, options.seed, epoch)),
        val_batches=(lambda size: val) if len(request.val) else None,
        book=book_of(request, epochs=options.epochs or EPOCHS, every=_CHECKPOINT_EVERY, frozen=True),
        logs=request.folder / "logs",
        album=photo_album.album_of(request, val_features),
    )


def _subject(request: FitRequest, scaled: Scaled) -> Subject:
    def learn(_: int) -> None:
        scaled.train().requires_grad_(True)

    return Subject(
        module=scaled,
        inputs=lambda rows: rows,
        groups=_groups(scaled, request),
        set_modes=learn,
        lesson=PhotoLesson(loss_of(request, smoothing=0.0), request.options.mixup),
        penalty=_penalty(scaled, request),
    )


def _penalty(scaled: Scaled, request: FitRequest) -> Callable[[], Tensor] | None:
    """Return the L2 penalty of a linear head: a convex problem that ends at the same weights whatever the seed.

    AdamW's decay is not the penalty of any loss, and does next to nothing in the few steps of a small head.
    """
    if not is_linear(scaled.head):
        return None
    classes = request.train.targets.shape[1] if request.task == "multilabel" else 1
    decay = PENALTY if request.options.weight_decay is None else request.options.weight_decay
    strength = decay / classes  # the loss of `multilabel` is a mean over classes, too
    return lambda: scaled.penalty(strength)


def _groups(scaled: Scaled, request: FitRequest) -> list[dict[str, Any]]:
    options = request.options
    rate = options.learning_rate or LEARNING_RATE
    decay = WEIGHT_DECAY if options.weight_decay is None else options.weight_decay
    decay = 0.0 if is_linear(scaled.head) else decay
    found: dict[bool, list[Any]] = {}
    for parameter in scaled.parameters():
        found.setdefault(parameter.ndim > 1, []).append(parameter)
    return [
        {"params": parameters, "lr": rate, "base_lr": rate, "weight_decay": decay if decays else 0.0}
        for decays, parameters in sorted(found.items())
    ]
