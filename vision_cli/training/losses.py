"""Losses of the three tasks, with label smoothing, class weights and mixup."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from vision_cli.core import across
from vision_cli.core.config import TrainConfig
from vision_cli.core.errors import UsageError

_MAX_POSITIVE_WEIGHT = 100.0
Loss = Callable[[Tensor, Tensor], Tensor]


class TaskLoss(nn.Module):
    """Mean loss of a batch, the same in training and validation; where processes share a batch, over all of it.

    Validation smooths labels, too: judged by hard labels, smoothed training would look worse and worse from the moment
    that it holds its confidence back, and stop after a few epochs.

    Args:
        task: `classify` (cross-entropy), `multilabel` (binary cross-entropy with logits), `regress` (smooth L1).
        smoothing: share of a label given to all classes.
        weights: float32 (C,), a class: of its cross-entropy, or of its positives; None weighs all alike.
    """

    weights: Tensor | None

    def __init__(self, task: str, smoothing: float = 0.0, weights: Tensor | None = None) -> None:
        super().__init__()
        if task not in ("classify", "multilabel", "regress"):
            raise UsageError(f"task: cannot learn '{task}'.", hint="Use classify, multilabel or regress.")
        self.task, self.smoothing = task, smoothing
        self.register_buffer("weights", weights)

    def forward(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of raw outputs (N, C) against targets as `Photos` holds them."""
        loss: Tensor = across.weighed(self._mean(outputs.float(), targets), self._count(targets))
        return loss

    def _count(self, targets: Tensor) -> Tensor:
        """Return what the mean divides by, up to a factor."""
        if self.task == "classify" and self.weights is not None:
            return self.weights[targets].sum()
        return torch.tensor(float(len(targets)), device=targets.device)

    def _mean(self, outputs: Tensor, targets: Tensor) -> Tensor:
        if self.task == "classify":
            return F.cross_entropy(outputs, targets, self.weights, label_smoothing=self.smoothing)
        if self.task == "multilabel":
            smooth = targets * (1 - self.smoothing) + self.smoothing / 2
            return F.binary_cross_entropy_with_logits(outputs, smooth, pos_weight=self.weights)
        return F.smooth_l1_loss(outputs, targets)


def task_loss(
    task: str, options: TrainConfig, targets: NDArray[Any], n_outputs: int, *, smoothing: float = 0.0
) -> TaskLoss:
    """Return the loss that the options ask for, its weights counted on the training targets.

    Args:
        task: `classify`, `multilabel` or `regress`.
        options: label smoothing and class weights.
        targets: of the training photos.
        n_outputs: of the network.
        smoothing: of labels when the options leave it open.
    """
    balanced = options.class_weights == "balanced" and task != "regress"
    weights = class_weights(task, targets, n_outputs) if balanced else None
    return TaskLoss(task, smoothing if options.label_smoothing is None else options.label_smoothing, weights)


def class_weights(task: str, targets: NDArray[Any], n_outputs: int) -> Tensor:
    """Return float32 (C,): photos / (classes x photos of the class), or negatives / positives for `multilabel`.

    A class without photos weighs 1; the weight of rare positives stops at 100.
    """
    if task == "classify":
        counts = np.bincount(targets, minlength=n_outputs)
        weights = len(targets) / (n_outputs * np.maximum(counts, 1))
    else:
        counts = targets.sum(axis=0)
        weights = np.minimum((len(targets) - counts) / np.maximum(counts, 1), _MAX_POSITIVE_WEIGHT)
    return torch.from_numpy(np.where(counts > 0, weights, 1.0).astype(np.float32))


def mixed_loss(
    forward: Callable[[Tensor], Tensor],
    loss: Loss,
    batch: tuple[Tensor, Tensor],
    alpha: float,
    rng: np.random.Generator,
) -> Tensor:
    """Return the loss of a batch, mixed up with itself in another order if alpha is above 0.

    mixup (Zhang et al. 2018, eq. 1): inputs and targets are lambda * a + (1 - lambda) * b, lambda from
    Beta(alpha, alpha). Of class indices the losses are mixed, which is the same for cross-entropy.
    """
    inputs, targets = batch
    if alpha == 0 or len(inputs) < 2:
        return loss(forward(inputs), targets)
    share = float(rng.beta(alpha, alpha))
    other = torch.from_numpy(rng.permutation(len(inputs))).to(inputs.device)
    outputs = forward(inputs.lerp(inputs[other], 1 - share))
    if targets.is_floating_point():
        return loss(outputs, targets.lerp(targets[other], 1 - share))
    return share * loss(outputs, targets) + (1 - share) * loss(outputs, targets[other])


def score(task: str, outputs: Tensor, targets: Tensor) -> float:
    """Return a figure to watch, higher is better: accuracy, micro F1 at 0.5, or R2."""
    if task == "classify":
        return float((outputs.argmax(dim=1) == targets).float().mean())
    if task == "multilabel":
        found, true = outputs > 0, targets > 0.5
        return float(2 * (found & true).sum() / (found.sum() + true.sum()).clamp(min=1))
    rest, spread = (outputs - targets).square().sum(), (targets - targets.mean(dim=0)).square().sum()
    return float(1 - rest / spread) if spread > 0 else 0.0
