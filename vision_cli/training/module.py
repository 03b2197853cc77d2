"""One step of learning, as Lightning wants it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from vision_cli.core import across
from vision_cli.core.config import TrainConfig
from vision_cli.training.average import Average
from vision_cli.training.batches import tensors
from vision_cli.training.joint_norms import JointNorms, learn_statistics
from vision_cli.training.lesson import Judged, Lesson
from vision_cli.training.schedule import Rise, Schedule
from vision_cli.training.state import Checkpoint, Record
from vision_cli.training.team import ALONE, NotFiniteError, Team

_MIX, _DROP = 0x0313, 0x0D20


@dataclass(frozen=True, slots=True)
class Subject:
    """What learns.

    Attributes:
        module: maps what `inputs` returns to raw outputs (N, C).
        inputs: turns a batch's first tensor into the module's input, on the module's device.
        groups: parameter groups of the optimizer, each with its `base_lr`.
        set_modes: freezes and thaws for an epoch, counted from 0.
        lesson: the loss of a batch, and what is made of validation photos.
        penalty: added to the loss; None adds nothing.
    """

    module: nn.Module
    inputs: Callable[[Tensor], Tensor]
    groups: list[dict[str, Any]]
    set_modes: Callable[[int], None]
    lesson: Lesson
    penalty: Callable[[], Tensor] | None = None


class Normalise(nn.Module):
    """uint8 photos (N, C, H, W) to float32, (value / 255 - mean) / std: the arithmetic of `imaging.prepare`."""

    mean: Tensor
    std: Tensor

    def __init__(self, mean: tuple[float, ...], std: tuple[float, ...]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean)[:, None, None], persistent=False)
        self.register_buffer("std", torch.tensor(std)[:, None, None], persistent=False)

    def forward(self, photos: Tensor) -> Tensor:
        """Return float32 with the memory format of the photos."""
        return photos.float().div_(255).sub_(self.mean).div_(self.std)


class Learner(pl.LightningModule):  # type: ignore[misc]  # Lightning is not typed here
    """Steps, validation and sums of an epoch; what to do with them is the callback's.

    Attributes:
        team: the processes that learn together; set before the training begins.
    """

    def __init__(self, subject: Subject, options: TrainConfig, schedule: Schedule | Rise, record: Record) -> None:
        super().__init__()
        self.team: Team = ALONE
        self.net, self.lesson = subject.module, subject.lesson
        self.subject, self.options, self.schedule, self.record = subject, options, schedule, record
        self.average: Average | None = None
        self.resumed: Checkpoint | None = None
        self._clear()

    def _clear(self) -> None:
        self.started, self.train_loss, self.photos = time.perf_counter(), 0.0, 0
        self.watch = self.lesson.watch()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Build the optimizer and put back the state of a checkpoint; the weights are on their device by now."""
        groups = [{**group, "params": list(group["params"])} for group in self.subject.groups]
        optimizer: torch.optim.Optimizer
        if self.options.optimizer == "sgd":
            optimizer = torch.optim.SGD(groups, momentum=0.9, nesterov=True)
        else:
            optimizer = torch.optim.AdamW(groups)
        if self.options.ema:
            self.average = Average(self.net, self.options.ema)
        if self.resumed is not None and self.resumed.optimizer:
            optimizer.load_state_dict(self.resumed.optimizer)
            if self.average is not None:
                self.average.load(self.resumed.average, self.resumed.average_updates)
        return optimizer

    def on_train_epoch_start(self) -> None:
        """Seed the epoch, freeze and thaw."""
        self._clear()
        epoch = self.record.epoch
        own = (self.team.rank,) if self.team.rank else ()
        torch.manual_seed(int(np.random.default_rng((self.options.seed, epoch, _DROP, *own)).integers(1 << 62)))
        self.subject.set_modes(epoch)
        self._learning = [parameter for parameter in self.net.parameters() if parameter.requires_grad]
        self._joint = self.team.size > 1 and learn_statistics(self.net)

    def transfer_batch_to_device(self, batch: Any, device: Any, dataloader_idx: int) -> Any:
        """Return the batch as it is: `tensors` moves what it holds."""
        return batch

    def training_step(self, batch: Any, batch_index: int) -> Tensor:
        """Return a batch's loss.

        Raises:
            NotFiniteError: it is NaN or infinite.
            DataError: a photo was refused.
        """
        photos, targets = tensors(batch, self.device)
        self.batch_index = batch_index
        rng = np.random.default_rng((self.options.seed, self.record.epoch, batch_index, _MIX))
        with across.processes(self.team), JointNorms(self.team) if self._joint else nullcontext():
            loss = self.lesson.loss(self.net, self.subject.inputs(photos), targets, rng)
        value, seen = self._together(float(loss.detach()), len(targets))
        if not math.isfinite(value):
            raise NotFiniteError("the training loss is not finite")
        self.train_loss += value * seen
        self.photos += seen
        return loss if self.subject.penalty is None else loss + self.subject.penalty()

    def _together(self, loss: float, photos: int) -> tuple[float, int]:
        """Return the loss of the whole batch and its photos, by this process's."""
        if self.team.size == 1:
            return loss, photos
        losses, seen = self.team.meet(torch.tensor([loss, photos], dtype=torch.float64)).tolist()
        return losses / self.team.size, int(seen)

    def on_after_backward(self) -> None:
        """Bring the gradients of all processes together before a step."""
        if self.team.size == 1:
            return
        done = self.batch_index + 1
        if done % self.record.accumulate == 0 or done == self.trainer.num_training_batches:
            self.team.average_gradients(self._learning)

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        """Set this step's learning rates, step, and follow with the average."""
        factor = self.schedule.factor(self.record.step) * self.record.plateau.factor
        for group in self.optimizers(use_pl_optimizer=False).param_groups:
            group["lr"] = group["base_lr"] * factor
        super().optimizer_step(*args, **kwargs)
        self.record.step += 1
        if self.average is not None:
            self.average.update()

    def on_validation_start(self) -> None:
        """Judge the average instead of the weights."""
        if self.average is not None:
            self.average.swap()

    def on_validation_end(self) -> None:
        """Learn on with the weights themselves."""
        if self.average is not None:
            self.average.swap()

    def validation_step(self, batch: Any, batch_index: int) -> None:
        """Let the lesson see a batch."""
        photos, targets = tensors(batch, self.device)
        self.watch.see(self.net, self.subject.inputs(photos), targets)

    def judged(self) -> Judged:
        """Return loss and score of the validation photos, or None without any."""
        return self.watch.judged()

    def finite(self) -> bool:
        """Return whether every weight is a number."""
        return all(bool(torch.isfinite(value).all()) for value in self.net.parameters())

    def weights(self) -> dict[str, Tensor]:
        """Return a copy of the weights to keep, the average if there is one, on the CPU."""
        source = self.net.state_dict() if self.average is None else self.average.weights
        return {name: value.detach().to("cpu", copy=True) for name, value in source.items()}
