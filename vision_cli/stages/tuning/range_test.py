"""The learning-rate range test that comes first: as the project trains, in a folder of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vision_cli.core import files, run
from vision_cli.core.contracts import Network
from vision_cli.core.errors import UsageError
from vision_cli.core.progress import Progress
from vision_cli.core.project import Project
from vision_cli.core.search_config import RangeTestConfig
from vision_cli.core.tasks import PLACE_TASKS
from vision_cli.reports.charts.rate import RatePlot, rate_svg
from vision_cli.stages.data import TaskData
from vision_cli.stages.training import fitting
from vision_cli.stages.training.fitting import FEATURES, FitTask
from vision_cli.stages.tuning.request import RangeFound

RESULT, PLOT = "range_test.json", "range_test.svg"


def why_none(project: Project, network: Network | None) -> str:
    """Return why there is no learning rate to test, a sentence; empty where there is one."""
    if project.config.model.family == FEATURES:
        return "The family features has no learning rate: its classifier is fitted at once."
    if network is not None and not network.stages:
        return f"The family {project.config.model.family} trains by a recipe of its own: no learning-rate range test."
    return ""


def ran(folder: Path, asked: RangeTestConfig) -> RangeFound | None:
    """Return the test of an earlier call of the same search; None where there is none."""
    path = folder / RESULT
    if not path.is_file():
        return None
    document = run.read_json(path)
    if document.get("asked") != asked.model_dump():
        raise UsageError(f"{path}: was made with another tune.range_test.", hint="Take the old one back.")
    return _found(document, folder)


def _found(document: Mapping[str, Any], folder: Path) -> RangeFound:
    return RangeFound(
        suggestion=document["suggestion"],
        steepest=document["steepest"],
        least=document["least"],
        ran_away=document["ran_away"],
        rates=tuple(document["rates"]),
        smoothed=tuple(document["smoothed"]),
        losses=tuple(document["losses"]),
        path=folder / RESULT,
        plot=folder / PLOT,
    )


def test(task: FitTask, asked: RangeTestConfig, folder: Path, vectors: Path, progress: Progress) -> RangeFound:
    """Run the test, and write what it says and its plot.

    Args:
        task: what is to be trained; its network is good for nothing afterwards.
        asked: from where to where.
        folder: of the run.
        vectors: folder of a frozen backbone's embeddings.
        progress: hears of each step.

    Raises:
        DataError: photos are refused, or the first loss is no number.
        ResourceError: memory or disk do not suffice.
    """
    from vision_cli.training import range_test

    what = range_test.RangeTest(asked.low, asked.high, asked.steps)
    with tempfile.TemporaryDirectory(prefix="vision-range-", dir=folder) as place:
        task = FitTask(task.project, task.data, task.network, run.Run(Path(place)), vectors=vectors)
        if task.data.task in PLACE_TASKS:
            from vision_cli.stages.training import place_fitting

            curve = range_test.of_scenes(place_fitting.scene_request(task, progress), what)
        else:
            scale = fitting.value_scale(task.data)
            curve = range_test.of_photos(fitting.photo_request(task, scale, progress), what)
    document = {"asked": asked.model_dump(), **curve.as_json()}
    files.write_json(folder / RESULT, document)
    shown = RatePlot(curve.rates, curve.losses, curve.smoothed, curve.suggestion, curve.steepest)
    files.write_text(folder / PLOT, rate_svg(shown, _title(task.data, len(curve.rates))))
    return _found(document, folder)


def _title(data: TaskData, steps: int) -> str:
    return f"Learning-rate range test: {steps} steps on {len(data.part('train'))} photos"
