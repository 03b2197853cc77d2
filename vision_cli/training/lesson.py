"""What the loop asks of a task: the loss of a training batch, and figures of the validation photos."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from vision_cli.training.losses import TaskLoss, mixed_loss, score

Judged = tuple[float, float] | tuple[None, None]


class Watch(Protocol):
    """Collects the validation batches of one epoch."""

    def see(self, net: nn.Module, inputs: Tensor, targets: Any) -> None:
        """Take a batch."""

    def judged(self) -> Judged:
        """Return loss and score of all photos seen, or two None without any; a higher score is better."""


class Lesson(nn.Module):
    """A task, as the loop sees it. A module, so that class weights and such follow the network to its device.

    Attributes:
        best_by: what the best epoch has: the lowest `val_loss`, or the highest `val_score`.
    """

    best_by = "val_loss"

    def loss(self, net: nn.Module, inputs: Tensor, targets: Any, rng: np.random.Generator) -> Tensor:
        """Return the mean loss of a batch."""
        raise NotImplementedError

    def watch(self) -> Watch:
        """Return a new collector."""
        raise NotImplementedError


class PhotoLesson(Lesson):
    """One answer a photo.

    Args:
        loss: of raw outputs (N, C).
        mixup: alpha of mixup's Beta distribution; 0 is off.
    """

    def __init__(self, loss: TaskLoss, mixup: float = 0.0) -> None:
        super().__init__()
        self.task_loss, self.mixup = loss, mixup

    def loss(self, net: nn.Module, inputs: Tensor, targets: Tensor, rng: np.random.Generator) -> Tensor:
        """Return the mean loss of a batch, mixed up if asked for."""
        return mixed_loss(net, self.task_loss, (inputs, targets), self.mixup, rng)

    def watch(self) -> Watch:
        """Return a collector of raw outputs."""
        return _RawOutputs(self.task_loss)


class _RawOutputs:
    """Keeps raw outputs, to judge all of them at once."""

    def __init__(self, loss: TaskLoss) -> None:
        self._loss = loss
        self._outputs: list[Tensor] = []
        self._targets: list[Tensor] = []

    def see(self, net: nn.Module, inputs: Tensor, targets: Tensor) -> None:
        """Keep a batch's raw outputs."""
        self._outputs.append(net(inputs).float())
        self._targets.append(targets)

    def judged(self) -> Judged:
        """Return loss and score."""
        if not self._outputs:
            return None, None
        outputs, targets = torch.cat(self._outputs), torch.cat(self._targets)
        with torch.inference_mode():
            return float(self._loss(outputs, targets)), score(self._loss.task, outputs, targets)
