"""What `vision eval` judges: a model, the photos that it is judged on, and the KPIs; checked before any work."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vision_cli.core.catalogue import suggestion
from vision_cli.core.contracts import Runner
from vision_cli.core.dataset import SPLITS, Dataset
from vision_cli.core.errors import DataError, UsageError
from vision_cli.core.kpi import Kpi
from vision_cli.core.project import Project
from vision_cli.core.tasks import OBJECT_TASKS
from vision_cli.stages import data as view_data
from vision_cli.stages import places
from vision_cli.stages.evaluating import judging, speed
from vision_cli.stages.running import loading


@dataclass(frozen=True, slots=True)
class EvalRequest:
    """What to judge.

    Attributes:
        project: its data, split and KPIs.
        model: an artefact folder, a run's folder, an .onnx or a .tflite file; the last training's when None.
        kpis: instead of the project's; empty means the project's.
        split: `train`, `val`, `test` or `all`; the project's `eval.split` when None.
        data: another data set than the project's; all its photos are judged unless a split is named.
        threads: of the runtime; all cores when None.
        junit: path of a JUnit XML file to write.
        markdown: path of a Markdown file to write.
        crosscheck: run pycocotools beside the evaluator of objects.
    """

    project: Project
    model: Path | None = None
    kpis: tuple[Kpi, ...] = ()
    split: str | None = None
    data: Path | None = None
    threads: int | None = None
    junit: Path | None = None
    markdown: Path | None = None
    crosscheck: bool = False


@dataclass(frozen=True, slots=True)
class Subject:
    """A model on the photos that it is judged on.

    Attributes:
        path: of the model.
        runner: the model, opened.
        dataset: the photos that are judged, with the model's class map.
        split: name.
        whole: the data set with all its splits and its own class map.
        targets: KPIs to judge.
        threads: of the runtime.
    """

    path: Path
    runner: Runner
    dataset: Dataset
    split: str
    whole: Dataset
    targets: tuple[Kpi, ...]
    threads: int

    @property
    def digest(self) -> str:
        """Return the digest of the whole data set."""
        return self.whole.digest()

    @property
    def run_name(self) -> str:
        """Return what follows the time in the name of the run's folder."""
        return f"{self.runner.card.name}-{self.runner.runtime}"

    def model(self) -> dict[str, Any]:
        """Return the member `model` of `--json`."""
        card = self.runner.card
        path = str(self.path.absolute())
        return {"path": path, "name": card.name, "family": card.family, "task": card.task, "trained": card.created}

    def data(self) -> dict[str, Any]:
        """Return the member `data` of `--json`."""
        return {"split": self.split, "photos": len(self.dataset), "digest": self.digest}

    def runtime(self) -> dict[str, Any]:
        """Return the member `runtime` of `--json`."""
        return {"name": self.runner.runtime, "threads": self.threads, "precision": self.runner.card.precision}


def prepare(request: EvalRequest, *, remember: bool = True) -> Subject:
    """Open the model and read the data's labels; no photo is read.

    Args:
        request: what to judge.
        remember: write the splits of new photos to splits.json; without, nothing is written.

    Raises:
        UsageError: a KPI names a metric or class that does not exist, or there is no such split.
        DataError: model or data are refused, or the split is empty.
    """
    reads = [request.data] if request.data is not None else []
    places.check_files(request.junit, request.markdown, project=request.project, reads=reads)
    check_split(request.split)
    project = request.project
    path = loading.find_model(project, request.model)
    runner = loading.open_model(path, threads=request.threads)
    targets = tuple(request.kpis or judging.of_models(project.config.targets()))
    judging.check_kpis(targets, runner.card.task, runner.card.classes)
    if request.crosscheck and runner.card.task not in OBJECT_TASKS:
        raise UsageError(
            f"--crosscheck: checks objects, and the model's task is {runner.card.task}.", hint="Leave it out."
        )
    if request.data:
        loaded = view_data.load_folder(project, request.data)
    else:
        loaded = view_data.load_view(project, remember=remember)
    split = request.split or ("all" if request.data else project.config.eval.split)
    dataset = view_data.align(loaded.dataset, runner.card.classes).split(split)
    if not len(dataset):
        raise DataError(f"the split '{split}' has no photo to judge on.", hint="Check data.split, or give --split.")
    return Subject(
        path=path,
        runner=runner,
        dataset=dataset,
        split=split,
        whole=loaded.dataset,
        targets=targets,
        threads=request.threads or speed.all_threads(),
    )


def check_split(name: str | None) -> None:
    """Refuse a split that there is none of.

    Raises:
        UsageError: with a guess.
    """
    known = (*SPLITS, view_data.ALL)
    if name is not None and name not in known:
        guess = suggestion(name, known)
        hint = f"Did you mean '{guess}'?" if guess else f"Splits: {', '.join(known)}."
        raise UsageError(f"--split: no split is called '{name}'.", hint=hint)
