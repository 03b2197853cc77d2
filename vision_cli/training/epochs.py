"""The end of an epoch: figures, best weights, checkpoint, and whether to go on."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytorch_lightning as pl

from vision_cli.core.progress import Progress
from vision_cli.training import state
from vision_cli.training.module import Learner
from vision_cli.training.team import NotFiniteError

FINISHED, EARLY, NOT_FINITE = "finished", "early stopping", "nan loss"


@dataclass(frozen=True, slots=True)
class Book:
    """Where an epoch is written.

    Attributes:
        checkpoints: folder of `last.ckpt`.
        fingerprint: of data and plan.
        every: epochs between two checkpoints.
        epochs: of the whole training.
        log: takes a row an epoch.
        progress: is told of every epoch.
    """

    checkpoints: Path
    fingerprint: str
    every: int
    epochs: int
    log: Callable[[Mapping[str, Any]], None]
    progress: Progress


class EndOfEpoch(pl.Callback):  # type: ignore[misc]  # Lightning is not typed here
    """Closes every epoch in `record` and `book`."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: Learner) -> None:
        """Close an epoch.

        Raises:
            NotFiniteError: a weight or the validation loss is NaN or infinite.
        """
        row = _of_first(pl_module)
        loss = row["val_loss"]
        if not pl_module.finite() or (loss is not None and not abs(loss) < float("inf")):
            raise NotFiniteError("the validation loss or a weight is not finite")
        record, patience = pl_module.record, pl_module.options.patience
        record.see(row, pl_module.weights())
        if loss is not None and patience and record.waited >= patience:
            record.stopped = EARLY
        elif record.epoch >= self._book.epochs:
            record.stopped = FINISHED
        if pl_module.team.first:
            if record.stopped or record.epoch % self._book.every == 0:
                state.save(self._book.checkpoints, _checkpoint(trainer, pl_module, self._book.fingerprint))
            self._tell(trainer, row)
        trainer.should_stop = bool(record.stopped)

    def _tell(self, trainer: pl.Trainer, row: dict[str, Any]) -> None:
        figures = {name: value for name, value in row.items() if name != "epoch" and value is not None}
        for logger in trainer.loggers:
            logger.log_metrics(figures, step=row["epoch"])
        self._book.log(row)
        self._book.progress.step("train", row["epoch"], self._book.epochs, figures)


def _of_first(learner: Learner) -> dict[str, Any]:
    """Return the row of the process that validates."""
    if learner.team.size == 1:
        return _row(learner)
    found: dict[str, Any] = json.loads(learner.team.from_first(lambda: json.dumps(_row(learner)).encode()))
    return found


def _row(learner: Learner) -> dict[str, Any]:
    seconds = time.perf_counter() - learner.started
    val_loss, val_score = learner.judged()
    optimizer = learner.optimizers(use_pl_optimizer=False)
    return {
        "epoch": learner.record.epoch + 1,
        "train_loss": learner.train_loss / max(1, learner.photos),
        "val_loss": val_loss,
        "val_score": val_score,
        "learning_rate": max(group["lr"] for group in optimizer.param_groups),
        "seconds": seconds,
        "photos_per_s": learner.photos / seconds,
    }


def _checkpoint(trainer: pl.Trainer, learner: Learner, fingerprint: str) -> state.Checkpoint:
    """Return the training between two epochs; what is in it twice, such as last weights that are the best, is one."""
    average, last = learner.average, learner.record.last
    own = {name: value.detach().cpu() for name, value in learner.net.state_dict().items()} if average else last
    return state.Checkpoint(
        fingerprint=fingerprint,
        model=own,
        optimizer=learner.optimizers(use_pl_optimizer=False).state_dict(),
        average={} if average is None else last,
        average_updates=0 if average is None else average.updates,
        scaler=trainer.precision_plugin.state_dict(),
        record=learner.record,
    )
