"""The Lightning loop around a subject: devices, resuming, running out of memory, losses that are no numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
import torch.utils.deterministic
from pytorch_lightning.loggers import CSVLogger, TensorBoardLogger
from pytorch_lightning.plugins.environments import LightningEnvironment

from vision_cli.core.config import TrainConfig
from vision_cli.core.errors import DataError, ResourceError
from vision_cli.training import state
from vision_cli.training.checks import accelerator, check_precision
from vision_cli.training.epochs import NOT_FINITE, Book, EndOfEpoch
from vision_cli.training.memory import is_out_of_memory, release
from vision_cli.training.module import Learner, Subject
from vision_cli.training.pictures import Album, Pictures
from vision_cli.training.quiet import quiet
from vision_cli.training.schedule import Plateau, Rise, Schedule
from vision_cli.training.state import Checkpoint, Record
from vision_cli.training.team import NotFiniteError, Team

_PRECISION = {"32": "32-true", "bf16": "bf16-mixed", "16": "16-mixed"}


@dataclass(frozen=True, slots=True)
class Job:
    """A training.

    Attributes:
        subject: what learns.
        options: how.
        batch_size: photos a batch to begin with.
        batches: loader of training batches of a size, from an epoch on.
        val_batches: loader of validation batches of a size, or None.
        book: where epochs are written; its `epochs` is the length of the training.
        logs: folder of TensorBoard and CSV files.
        album: where pictures of batches and answers go; None keeps none.
        team: processes that learn together; only the first validates, writes and tells.
        rise: of the learning rate in a range test, in place of the schedule.
        callbacks: of Lightning, beside our own.
    """

    subject: Subject
    options: TrainConfig
    batch_size: int
    batches: Callable[[int, int], Any]
    val_batches: Callable[[int], Any] | None
    book: Book
    logs: Path
    album: Album | None = None
    team: Team = field(default_factory=Team)
    rise: Rise | None = None
    callbacks: tuple[pl.Callback, ...] = ()


def train(job: Job, *, resume: bool) -> Record:
    """Train until it is finished, stopped early, or the loss is no number; the best weights are in the record.

    Raises:
        DataError: the loss was no number before any epoch was whole, or a checkpoint of other data.
        ResourceError: not even one photo a batch fits into memory.
    """
    _check_team(job)
    checkpoint = _resumed(job) if resume else None
    job.team.level(job.subject.module)
    initial = {name: value.detach().clone() for name, value in job.subject.module.state_dict().items()}
    record = checkpoint.record if checkpoint else _fresh(job)
    while not record.stopped:
        tried = record.copy()
        try:
            with quiet(), _own_randomness(), job.team.agreeing():
                _attempt(job, tried, checkpoint)
            return tried
        except NotFiniteError as error:
            return _stopped(tried, error)
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
        # Outside of `except`: the traceback holds on to the memory that is needed now.
        checkpoint, record = _smaller(job, checkpoint, tried)
        job.subject.module.load_state_dict(checkpoint.model if checkpoint else initial)
    return record


def _check_team(job: Job) -> None:
    if not job.team.same_everywhere(job.book.fingerprint):
        raise DataError(
            "train: the processes do not see the same photos, labels and settings.",
            hint="Give every machine the same project folder, with its splits.json.",
        )


def _fresh(job: Job) -> Record:
    patience = max(1, job.options.patience // 2) if job.options.patience else 5
    plateau = Plateau(patience if job.options.schedule == "plateau" else 1 << 30)
    return Record(job.batch_size, job.options.accumulate, plateau, best_by=job.subject.lesson.best_by)


def _resumed(job: Job) -> Checkpoint | None:
    checkpoint = _last(job)
    if checkpoint is not None and checkpoint.fingerprint != job.book.fingerprint:
        raise DataError(
            f"{job.book.checkpoints}: the training there learned from other data, or by another plan.",
            hint="Undo the change to resume, or train anew without --resume.",
        )
    if checkpoint is not None:
        job.subject.module.load_state_dict(checkpoint.model)
    return checkpoint


def _last(job: Job) -> Checkpoint | None:
    """Return the last checkpoint, which the first process has on its disk."""
    if job.team.size == 1:
        return state.load(job.book.checkpoints)

    def content() -> bytes:
        found = state.load(job.book.checkpoints)
        return b"" if found is None else state.packed(found)

    shared = job.team.from_first(content)
    return state.unpacked(shared) if shared else None


def _stopped(record: Record, error: NotFiniteError) -> Record:
    if not record.best:
        raise DataError(
            f"train: {error} in the first epoch, so there is no good state to go back to.",
            hint="Lower train.learning_rate, for example to a tenth; check the photos and labels.",
        ) from error
    record.stopped = NOT_FINITE
    return record


def _smaller(job: Job, checkpoint: Checkpoint | None, tried: Record) -> tuple[Checkpoint | None, Record]:
    """Go back to the last whole epoch with half the batch and twice the accumulation."""
    if tried.batch_size <= job.team.size:
        raise ResourceError(
            f"train: memory ran out with one photo a batch{' and process' if job.team.size > 1 else ''}.",
            hint="Choose a smaller model.input.size or backbone.",
        )
    release()
    half, double = tried.batch_size // 2, tried.accumulate * 2
    job.book.progress.warn(
        f"Memory ran out at {tried.batch_size} photos a batch; going on with {half}, {double} batches a step."
    )
    if tried.epoch > (checkpoint.record.epoch if checkpoint else 0):
        checkpoint = _last(job)
    record = checkpoint.record if checkpoint else _fresh(job)
    record.batch_size, record.accumulate = half, double
    return checkpoint, record


@contextmanager
def _own_randomness() -> Iterator[None]:
    """Leave torch's global generator and switches as they were."""
    switches: Any = torch.utils.deterministic
    fills = switches.fill_uninitialized_memory
    deterministic = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    try:
        # It guards from memory that an operation reads before it writes; ours do not, and it writes every tensor twice.
        switches.fill_uninitialized_memory = False
        with torch.random.fork_rng():
            yield
    finally:
        switches.fill_uninitialized_memory = fills
        torch.use_deterministic_algorithms(deterministic, warn_only=warn_only)


def _attempt(job: Job, record: Record, checkpoint: Checkpoint | None) -> None:
    batches = job.batches(record.batch_size, record.epoch)
    validates = job.val_batches if job.team.first else None
    val_batches = validates(record.batch_size) if validates else None
    steps = ceil(len(batches) / record.accumulate)
    options = job.options
    schedule = Schedule(options.schedule, steps * job.book.epochs, steps * min(options.warmup_epochs, job.book.epochs))
    learner = Learner(job.subject, options, job.rise or schedule, record)
    learner.resumed, learner.team = checkpoint, job.team
    trainer = _trainer(job, record, val=val_batches is not None)
    if checkpoint is not None and checkpoint.scaler:
        trainer.precision_plugin.load_state_dict(checkpoint.scaler)
    try:
        trainer.fit(learner, batches, val_batches)
    except SystemExit as error:
        # Lightning turns Ctrl-C into exit code 1; who called us wants to know what it was.
        if isinstance(error.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from None
        raise
    finally:
        learner.cpu()


def _trainer(job: Job, record: Record, *, val: bool) -> pl.Trainer:
    options, device = job.options, accelerator(job.options.device)
    check_precision(options)
    return pl.Trainer(
        accelerator=device,
        devices=[job.team.local_rank] if device == "cuda" else 1,
        precision=_PRECISION[options.precision],
        max_epochs=job.book.epochs - record.epoch,
        accumulate_grad_batches=record.accumulate,
        gradient_clip_val=options.clip_gradient or None,
        deterministic=True if device == "cpu" else "warn",
        limit_val_batches=None if val else 0,
        logger=_loggers(job.logs) if job.team.first else False,
        callbacks=[
            *([Pictures(job.album, job.book.epochs)] if job.album and job.team.first else []),
            EndOfEpoch(job.book),
            *job.callbacks,
        ],
        plugins=[LightningEnvironment()],
        default_root_dir=job.logs,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
    )


def _loggers(folder: Path) -> list[Any]:
    folder.mkdir(parents=True, exist_ok=True)
    return [CSVLogger(folder, name="csv"), TensorBoardLogger(folder, name="", version="tensorboard")]
