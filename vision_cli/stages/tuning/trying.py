"""One trial: a real training under some settings, and its score on the validation split."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vision_cli.core import files
from vision_cli.core.errors import DataError, VisionError
from vision_cli.core.progress import Progress
from vision_cli.core.project import Project
from vision_cli.stages.searching.trial import DONE, FAILED, PRUNED, Trial
from vision_cli.stages.searching.watching import HopelessError, Watched
from vision_cli.stages.tuning import applied

TRIALS, MODELS, VECTORS = "trials", "models", "embeddings"
"""Folders of a run: of trainings that go on, of models that are kept, and of embeddings that trials share."""

Judge = Callable[[Trial, Sequence[float | None]], bool]
"""Is told a trial and the scores of its epochs; returns whether it is hopeless."""


@dataclass(frozen=True, slots=True)
class Trying:
    """What all trials of a search have in common; it goes to other processes whole.

    Attributes:
        project: of the user, with the epochs of a trial.
        key: of the metric that judges.
        folder: of the run.
        offline: no download.
    """

    project: Project
    key: str
    folder: Path
    offline: bool

    def tried(self, trial: Trial, judge: Judge, progress: Progress) -> Trial:
        """Return a trial with what became of it; whatever goes wrong in it is written down as its failure."""
        scores: list[float | None] = []

        def watch(score: float | None) -> None:
            scores.append(score)
            if judge(trial, scores):
                raise HopelessError

        started = time.monotonic()
        state, score, said = DONE, None, ""
        try:
            score = self._score(trial, watch, progress)
        except HopelessError:
            state = PRUNED
        except VisionError as error:
            state, said = FAILED, error.message
        except Exception as error:  # noqa: BLE001 - one setting that a library cannot take must not end the search
            state, said = FAILED, f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
        seconds = round(time.monotonic() - started, 1)
        return replace(trial, scores=tuple(scores), score=score, state=state, seconds=seconds, said=said)

    def project_of(self, trial: Trial) -> Project:
        """Return the project with a trial's settings and seed.

        Raises:
            UsageError: the settings do not go together.
        """
        base = self.project.config.train.seed
        return applied.with_settings(self.project, {**trial.settings, "train.seed": base + trial.again}, "settings")

    def _score(self, trial: Trial, watch: Callable[[float | None], None], progress: Progress) -> float:
        from vision_cli.stages.training.train import TrainRequest, train

        folder = self.folder / TRIALS / f"{trial.number}-{trial.again}"
        shutil.rmtree(folder, ignore_errors=True)
        try:
            request = TrainRequest(
                self.project_of(trial),
                offline=self.offline,
                no_test=True,
                out=folder,
                vectors=self.folder / VECTORS,
            )
            result = train(request, Watched(progress, watch))
            score = figure(result.measurement.values if result.measurement else None, self.key)
            if not trial.again and result.model is not None:
                self._keep(result.model, trial.number)
            return score
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _keep(self, model: Path, number: int) -> None:
        target = self.folder / MODELS / str(number)
        with files.disk_errors(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.rmtree(target, ignore_errors=True)
            shutil.move(model, target)


def figure(values: Mapping[str, Any] | None, key: str) -> float:
    """Return the score among the figures of a training.

    Raises:
        DataError: it is not defined on the validation photos.
    """
    found = (values or {}).get(key)
    if found is None or found != found:  # NaN is the only value that differs from itself
        raise DataError(f"'{key}' is not defined on the validation photos.", hint="Name another KPI first.")
    return float(found)
