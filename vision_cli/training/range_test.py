"""The learning-rate range test: some steps of the real training whose rate grows from one to the next."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytorch_lightning as pl

from vision_cli.core.errors import DataError
from vision_cli.core.progress import Progress, Silent
from vision_cli.training import freezing, head, whole
from vision_cli.training.checks import freezing_plan
from vision_cli.training.fit import head_request
from vision_cli.training.loop import Job, train
from vision_cli.training.places import fit as places
from vision_cli.training.places.fit import PlaceFitRequest
from vision_cli.training.rate_curve import RateCurve, read, runs_away
from vision_cli.training.request import FitRequest
from vision_cli.training.schedule import Rise
from vision_cli.training.team import NotFiniteError

_NEVER = 1 << 30


@dataclass(frozen=True, slots=True)
class RangeTest:
    """What is tested.

    Attributes:
        low: learning rate of the first step, as `train.learning_rate` means it.
        high: of the last step.
        steps: batches.
    """

    low: float
    high: float
    steps: int

    @property
    def rise(self) -> Rise:
        """Return what multiplies the first rate."""
        return Rise(self.steps, self.high / self.low)


class _OverError(Exception):
    """The last step is done, or the loss has run away."""


class _Losses(pl.Callback):  # type: ignore[misc]  # Lightning is not typed here
    """Takes the loss of each step, and ends the training."""

    def __init__(self, steps: int, progress: Progress) -> None:
        self._steps, self._progress = steps, progress
        self.taken: list[float] = []

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Begin anew: with half the batch after memory ran out."""
        self.taken.clear()

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Take a loss.

        Raises:
            _OverError: it was the last one that matters.
        """
        self.taken.append(float(outputs["loss"]))
        self._progress.step("range test", len(self.taken), self._steps)
        if len(self.taken) >= self._steps or runs_away(self.taken):
            raise _OverError


def of_photos(request: FitRequest, test: RangeTest) -> RateCurve:
    """Test a training of answers about whole photos: of the head alone, or of all that is not frozen.

    The network has learned too fast afterwards: it is good for nothing else.

    Raises:
        DataError: a photo is refused, or the first loss is no number.
        ResourceError: not enough memory or disk.
    """
    request = replace(request, options=_options(request.options, test), painter=None)
    plan = freezing_plan(request.options, request.network, photos=len(request.train))
    if plan.backbone:
        return _tested(head.job_of(request)[1], test, request.progress)
    if freezing.starts_fitted(request.options):
        head.fit_head(head_request(request))
    return _tested(whole.job_of(request, plan), test, request.progress)


def of_scenes(request: PlaceFitRequest, test: RangeTest) -> RateCurve:
    """Test a training of places; see `of_photos`."""
    request = replace(request, options=_options(request.options, test), painter=None)
    return _tested(places.job_of(request), test, request.progress)


def _options(options: Any, test: RangeTest) -> Any:
    """Return the options of a training that takes every batch as a step and is never judged."""
    update = {"learning_rate": test.low, "epochs": test.steps, "accumulate": 1, "patience": 0, "ema": 0.0}
    return options.model_copy(update=update)


def _tested(job: Job, test: RangeTest, progress: Progress) -> RateCurve:
    losses = _Losses(test.steps, progress)
    book = replace(job.book, every=_NEVER, log=_ignored, progress=Silent())
    job = replace(job, val_batches=None, album=None, book=book, rise=test.rise, callbacks=(losses,))
    try:
        train(job, resume=False)
    except _OverError:
        pass
    except DataError as error:
        if not isinstance(error.__cause__, NotFiniteError) or not losses.taken:
            raise
        return _read(losses.taken, test, ran_away=True)
    return _read(losses.taken, test, ran_away=len(losses.taken) < test.steps or runs_away(losses.taken))


def _read(losses: list[float], test: RangeTest, *, ran_away: bool) -> RateCurve:
    rates = [test.low * test.rise.factor(step) for step in range(len(losses))]
    return read(rates, losses, ran_away=ran_away)


def _ignored(_: Any) -> None:
    """Write no row: it is no training of a run."""
