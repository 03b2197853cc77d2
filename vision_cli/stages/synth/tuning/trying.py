"""One trial: photos of some settings, a short training on them, and its score on the real photos."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vision_cli.core.config import DataConfig, EvalConfig, SourceConfig, SplitConfig, ViewConfig
from vision_cli.core.errors import UsageError
from vision_cli.core.progress import Progress
from vision_cli.core.project import Project
from vision_cli.models.defaults import WEIGHT_WORDS
from vision_cli.stages.searching.watching import Watch, Watched
from vision_cli.stages.synth.asking import commands
from vision_cli.stages.synth.asking.commands import COMMANDS
from vision_cli.stages.synth.run import SynthRequest, make_photos
from vision_cli.stages.synth.tuning.real import FORMAT
from vision_cli.stages.synth.tuning.space import with_settings

METRICS = {"detect": "ap50", "instance": "ap50", commands.CLASSIFY: "f1"}
"""By task: the figure of the project's evaluator that trials are compared by."""

_MADE, _REAL, _VIEW = "made", "real", "trial"
_FEWEST_RESAMPLES = 100


@dataclass(frozen=True, slots=True)
class Trying:
    """What all trials of a search have in common.

    Attributes:
        project: of the user.
        command: whose photos are made.
        task: that is learned.
        classes: of the objects.
        objects: as the call names them; None is what the project file says.
        backgrounds: likewise.
        photos: made ones of a trial.
        epochs: of a trial.
        real: folder of the real photos.
        folder: that a trial may use; it is emptied before and after.
        workers: processes that make photos.
        offline: no download.
    """

    project: Project
    command: str
    task: str
    classes: tuple[str, ...]
    objects: str | None
    backgrounds: str | None
    photos: int
    epochs: int
    real: Path
    folder: Path
    workers: int | None
    offline: bool

    def score(self, settings: Mapping[str, Any], again: int, watch: Watch, progress: Progress) -> float:
        """Return the score of a training on photos of these settings.

        Args:
            settings: of the section.
            again: added to the seeds of photos and training.
            watch: sees the score of each epoch.
            progress: is told of photos, epochs and warnings.

        Raises:
            VisionError: the photos cannot be made, or nothing learned from them.
            HopelessError: as `watch` says.
        """
        with ExitStack() as stack:
            stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
            shutil.rmtree(self.folder, ignore_errors=True)
            self._make(settings, again, progress)
            return self._trained(again, watch, progress)

    def _make(self, settings: Mapping[str, Any], again: int, progress: Progress) -> None:
        own = COMMANDS[self.command].section(self.project)
        fixed = {"count": self.photos, "seed": own.seed + again, "format": FORMAT, "real": None}
        section = with_settings(own, {**settings, **fixed}, f"synth.{self.command}")
        synth = self.project.config.synth.model_copy(update={self.command: section})
        project = replace(self.project, config=self.project.config.model_copy(update={"synth": synth}))
        request = SynthRequest(
            project,
            self.command,
            self.objects,
            self.backgrounds,
            out=self.folder / _MADE,
            workers=self.workers,
            offline=self.offline,
        )
        make_photos(request, progress)

    def _trained(self, again: int, watch: Watch, progress: Progress) -> float:
        from vision_cli.stages.training.train import TrainRequest, train

        project = self.training(again)
        result = train(TrainRequest(project, offline=self.offline), Watched(progress, watch))
        measured = result.measurement.values.get(METRICS[self.task]) if result.measurement else None
        if measured is None:
            raise UsageError(f"the real photos give no {METRICS[self.task]}.", hint="Check their labels.")
        return float(measured)

    def training(self, again: int) -> Project:
        """Return a project of the trial's own: it learns from all made photos, and the real ones choose and judge."""
        config = self.project.config
        sources = {
            _MADE: SourceConfig(path=str(self.folder.absolute() / _MADE / FORMAT), format=FORMAT),
            _REAL: SourceConfig(path=str(self.real.absolute()), format=FORMAT),
        }
        view = ViewConfig.model_validate({"from": [_MADE, _REAL], "classes": list(self.classes), "map": {"*": None}})
        train = {"view": _VIEW, "epochs": self.epochs, "patience": 0, "seed": config.train.seed + again}
        own = {
            "task": self.task,
            "classes": list(self.classes),
            "data": DataConfig(sources=sources, views={_VIEW: view}, split=SplitConfig(train=1, val=0, test=0)),
            "train": config.train.model_copy(update=train),
            "eval": EvalConfig(split="val", resamples=_FEWEST_RESAMPLES),
            "kpis": [],
            **self._weights(),
        }
        return Project(self.folder.absolute(), None, config.model_copy(update=own))

    def _weights(self) -> dict[str, Any]:
        """Return the section `model` with a file of weights where it is, seen from the user's project."""
        model = self.project.config.model
        if model.weights in WEIGHT_WORDS:
            return {}
        return {"model": model.model_copy(update={"weights": str(self.project.path(model.weights))})}
