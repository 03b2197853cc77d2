"""`vision train`: from a view to a verified artefact in a run folder."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from vision_cli import models
from vision_cli.advice import overfitting
from vision_cli.advice.overfitting import Fit as Fit
from vision_cli.advice.plan import Finding
from vision_cli.core import artefact, files, run
from vision_cli.core.contracts import Network
from vision_cli.core.dataset import SPLITS
from vision_cli.core.errors import DataError, UsageError
from vision_cli.core.kpi import Judgement
from vision_cli.core.measurement import Measurement
from vision_cli.core.progress import Progress
from vision_cli.core.project import Project
from vision_cli.core.tasks import PLACE_TASKS
from vision_cli.stages.data import TaskData, load_view
from vision_cli.stages.evaluating import judging
from vision_cli.stages.running import loading
from vision_cli.stages.training import (
    companion,
    fitting,
    planning,
    processes,
    rehearsal,
    run_lock,
    trial,
    unused,
    used_settings,
    verifying,
)
from vision_cli.stages.training.fitting import FitTask, Fitted
from vision_cli.stages.training.trial import ByHeart, Estimate, Tried
from vision_cli.stages.training.verifying import Verified
from vision_cli.stages.versioning import seen as version_seen

RESULT_NAME = "result.json"


@dataclass(frozen=True, slots=True)
class TrainRequest:
    """What to train.

    Attributes:
        project: the project file says everything else.
        resume: go on with the last run instead of a new one.
        dry_run: read and check everything, write nothing.
        offline: download nothing.
        overfit: learn so many photos by heart instead: the first thing to try when a training goes wrong.
        fraction: train on a share of the photos instead, and estimate what all of them will take.
        epochs: instead of the project's; of the sample alone, where there is one.
        no_test: the photos of the test split are not there for it: nothing of them is looked at.
        out: folder whose `runs` gets it; the project's when None.
        vectors: folder that keeps a frozen backbone's embeddings; the run's own when None.
    """

    project: Project
    resume: bool = False
    dry_run: bool = False
    offline: bool = False
    overfit: int | None = None
    fraction: float | None = None
    epochs: int | None = None
    no_test: bool = False
    out: Path | None = None
    vectors: Path | None = None

    @property
    def stage(self) -> str:
        """Return the kind of run: one that is no real training is never taken for the last one."""
        if self.overfit is not None:
            return trial.OVERFIT_RUNS
        return "train" if self.fraction is None else trial.TRIAL_RUNS


@dataclass(frozen=True, slots=True)
class TrainResult:
    """What came out.

    Attributes:
        task: of the labels.
        photos: number in each split.
        classes: names.
        findings: what the data cannot support.
        run: the run's folder; None after a dry run.
        model: the artefact's folder; None after a dry run.
        measurement: of the validation split; None without one.
        judgements: the project's KPIs on the validation split, for orientation.
        how: what was done, one line each.
        seconds: from start to end.
        by_heart: whether a few photos could be learned; None where that was not asked.
        estimate: of the whole training; None where that was not asked.
        used: what stood for the settings that the project file leaves open.
        score: metric that was watched on the validation photos; empty where that is not known.
        fit: whether it overfits, by its curves; None where it did not learn step by step, or by heart.
    """

    task: str
    photos: Mapping[str, int]
    classes: tuple[str, ...]
    findings: tuple[Finding, ...]
    run: Path | None = None
    model: Path | None = None
    measurement: Measurement | None = None
    judgements: tuple[Judgement, ...] = ()
    how: tuple[str, ...] = ()
    seconds: float = 0.0
    by_heart: ByHeart | None = None
    estimate: Estimate | None = None
    used: Mapping[str, Any] = field(default_factory=dict)
    score: str = ""
    fit: Fit | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the members that `--json` prints."""
        return {
            "run": self.run,
            "model": self.model,
            "task": self.task,
            "photos": dict(self.photos),
            "classes": list(self.classes),
            "metrics": dict(self.measurement.values) if self.measurement else {},
            "kpis": [judgement.as_json() for judgement in self.judgements],
            "findings": [finding.as_json() for finding in self.findings],
            "how": list(self.how),
            "seconds": round(self.seconds, 1),
            **({"used": dict(self.used)} if self.used else {}),
            **({"score": self.score} if self.score else {}),
            **({"overfit": self.by_heart.as_json()} if self.by_heart else {}),
            **({"estimate": self.estimate.as_json()} if self.estimate else {}),
            **({"fit": self.fit.as_json()} if self.fit else {}),
        }


def train(request: TrainRequest, progress: Progress) -> TrainResult:
    """Train a model as the project file says.

    Of the processes that torchrun starts, only the first returns; the others end when they have learned with it.

    Raises:
        UsageError: the project file asks for what the data or the family cannot give.
        DataError: the data is refused, or a resumed run saw other data.
        MissingPartError: a package or a weights file is not there.
        ResourceError: the run to resume is still going on, or disk or memory do not suffice.
    """
    started, given = time.perf_counter(), request
    _check_modes(request)
    companion.leave_to_first(request)
    whole = view(request)
    request = replace(request, project=planning.resolved(request.project, whole))
    declared = request.project.config
    request, data = asked(request, whole)
    project = request.project
    _check_family(project)
    counts = _counts(data)
    judging.check_kpis(project.config.targets(), data.task, data.dataset.classes)
    fitting.check_machine(project.config)
    place = processes.seat(project.config)
    before = _resumable(project, data, progress) if request.resume else None
    if request.dry_run:
        return _rehearsed(request, given, (whole, data), counts, progress)
    network = fitting.build(project, data, progress, offline=request.offline)
    findings = _checked(request, given, data, network, progress)
    place = processes.without_idlers(place, project.config, (data, network), progress)
    photos = planning.photos_digest(project, data, progress)
    record = _created(request, (whole, data), photos, progress) if before is None else before
    with run_lock.held(record):
        if request.resume:
            _resume(request, record, data, photos, progress)
        with run.recorded(record), _resumable_if_interrupted(record, progress):
            call = processes.Call(companion.as_plain(given), record, project.config.train.batch_size)
            with processes.together(place, call, progress) as team:
                fitted = fitting.fit(
                    FitTask(project, data, network, record, request.resume, team, request.vectors), progress
                )
            verified = verifying.verify(project, data, fitted, record, progress)
            done = _result(data, counts, findings, record, verified)
            fit = _fit(project, data, fitted)
            used = used_settings.used(project.config, data, fitted.network)
            done = replace(done, used=used, score=used_settings.score_of(data.task, fitted.network))
            done = replace(done, how=fitted.how, seconds=time.perf_counter() - started, fit=fit)
            epochs = fitting.epochs_of(declared, whole, network) if request.fraction is not None else 0
            done = _with_trial(request, (whole, data), done, fitted, epochs)
            files.write_json(record.folder / RESULT_NAME, done.as_json())
    return done


def _result(
    data: TaskData, counts: Mapping[str, int], findings: tuple[Finding, ...], record: run.Run, verified: Verified
) -> TrainResult:
    return TrainResult(
        task=data.task,
        photos=counts,
        classes=data.dataset.classes.names,
        findings=findings,
        run=record.folder,
        model=verified.model,
        measurement=verified.measurement,
        judgements=() if data.by_heart else verified.judgements,
    )


def _fit(project: Project, data: TaskData, fitted: Fitted) -> Fit | None:
    """Return whether the training overfits; None where photos were to be learned by heart."""
    if data.by_heart or not fitted.history:
        return None
    places = data.task in PLACE_TASKS
    frozen = not places and fitting.freezes_backbone(project.config, data, fitted.network)
    best_by = "val_score" if places else "val_loss"
    return overfitting.judge(fitted.history, project.config.train, best_by=best_by, frozen=frozen)


def _check_modes(request: TrainRequest) -> None:
    asked = [name for name, value in (("--overfit", request.overfit), ("--fraction", request.fraction)) if value]
    if (request.resume and asked) or len(asked) > 1:
        both = asked if len(asked) > 1 else [*asked, "--resume"]
        raise UsageError(f"{' and '.join(both)} do not go together.", hint="Give one of them.")


def view(request: TrainRequest) -> TaskData:
    """Return the photos of the view, without those of the test split where it is not to be seen."""
    whole = load_view(request.project, remember=not request.dry_run)
    return whole.without_test() if request.no_test else whole


def asked(request: TrainRequest, whole: TaskData) -> tuple[TrainRequest, TaskData]:
    """Return the request and the photos that are trained on, a few or a sample where that is asked."""
    if request.epochs is not None:
        request = replace(request, project=trial.with_train(request.project, {"epochs": request.epochs}))
    if request.overfit is not None:
        project = trial.by_heart_settings(request.project, request.overfit, whole.task)
        return replace(request, project=project), trial.few(whole, request.overfit)
    if request.fraction is not None:
        return request, trial.sample(whole, request.fraction, request.project.config.train.seed)
    return request, whole


def _with_trial(
    request: TrainRequest, photos: tuple[TaskData, TaskData], done: TrainResult, fitted: Fitted, epochs: int
) -> TrainResult:
    """Return the result with the verdict on learning by heart, or with an estimate of the whole training."""
    whole, data = photos
    history = list(fitted.history)
    if not history or done.run is None:
        return done
    if request.overfit is not None and done.measurement is not None:
        return replace(done, by_heart=trial.judged(data.task, len(data.dataset), history, done.measurement))
    if request.fraction is not None:
        slots = fitting.slots(request.project.config, data, fitted.network)
        tried = Tried(data.dataset, history, done.seconds, done.run, slots)
        count = fitting.counter_of_scenes(request.project, whole.task) or len
        return replace(done, estimate=trial.estimate(whole.dataset, tried, epochs, count))
    return done


def _rehearsed(
    request: TrainRequest,
    given: TrainRequest,
    photos: tuple[TaskData, TaskData],
    counts: Mapping[str, int],
    progress: Progress,
) -> TrainResult:
    project, (whole, data) = request.project, photos
    network, downloads = rehearsal.rehearse(project, data, progress, offline=request.offline)
    processes.why_alone(project.config, data, network)
    findings = _checked(request, given, data, network, progress)
    plan = rehearsal.Plan(request.stage, len(whole.part("train")), len(data.part("train")))
    told = rehearsal.told(project, data, network, plan)
    return TrainResult(data.task, counts, data.dataset.classes.names, findings, how=(*downloads, told))


def _checked(
    request: TrainRequest, given: TrainRequest, data: TaskData, network: Network, progress: Progress
) -> tuple[Finding, ...]:
    """Refuse what cannot be trained so, and warn of what the data cannot support and of what has no effect."""
    fitting.check_freezing(request.project.config, data, network)
    if data.by_heart:
        return ()
    unused.warn(given.project.config.train, request.project.config, data, network, progress)
    for note in data.dataset.notes:
        progress.say(note)
    if request.fraction is not None:  # what a sample has too few of, the data may have
        return ()
    return planning.findings(request.project, data, progress, remember=not request.dry_run)


def _check_family(project: Project) -> None:
    models.check_family(project.config.model.family, project.config.task)


def _counts(data: TaskData) -> dict[str, int]:
    names = data.dataset.classes.names
    if data.task == "classify" and len(names) < 2:
        raise DataError(
            f"every photo is of the one class '{names[0]}': there is nothing to tell apart.",
            hint="Add photos of another class, or check data.sources: it may lie one folder too deep or too high.",
        )
    counts = {name: len(data.part(name)) for name in SPLITS}
    if not counts["train"]:
        raise DataError("no photo is left to learn from.", hint="Check data.split in vision.yaml.")
    return counts


def _created(request: TrainRequest, parts: tuple[TaskData, TaskData], photos: str, progress: Progress) -> run.Run:
    """Begin the run of a view and of what is learned of it; it saw the version that the whole view is."""
    project, config = request.project, request.project.config
    whole, data = parts
    manifest = {
        "config": config.model_dump(mode="json", by_alias=True),
        "seed": config.train.seed,
        "task": data.task,
        "classes": list(data.dataset.classes.names),
        **version_seen.seen(project, whole.dataset, progress).manifest(),
        "photos_digest": photos,
        **({"learned_of": len(data.dataset)} if data.part_of else {}),
    }
    return run.create(request.out or project.root, request.stage, config.name, manifest)


@contextmanager
def _resumable_if_interrupted(record: run.Run, progress: Progress) -> Iterator[None]:
    """Say on Ctrl-C how to go on."""
    try:
        yield
    except KeyboardInterrupt:
        progress.warn(f"to go on later: {loading.resume_command(record)}")
        raise


def _resumable(project: Project, data: TaskData, progress: Progress) -> run.Run:
    """Return the last run, if it stopped on the way and nothing that decides its result was changed since."""
    try:
        record = run.latest(project.root, "train")
    except DataError as error:
        raise UsageError(f"{error.message.rstrip('.')}: nothing to resume.", hint="Run `vision train`.") from error
    if (record.folder / loading.MODEL_FOLDER / artefact.CARD_NAME).is_file():
        raise UsageError(f"{record.folder}: is complete; there is nothing to resume.", hint="Run `vision train`.")
    manifest = record.manifest
    same_classes = manifest.get("classes") == list(data.dataset.classes.names)
    if manifest.get("data_digest") != data.dataset.digest() or not same_classes:
        problem = "the photos, labels, split or classes are not those that the run began with"
        raise _other_data(record, problem, version_seen.since_run(project, record, data.dataset, progress))
    if changed := _changed_keys(manifest.get("config", {}), project):
        raise UsageError(
            f"{record.folder}: settings changed since the run began: {', '.join(changed)}.",
            hint=f"Resume it with `{loading.resume_command(record)}`, or start a new run with `vision train`.",
        )
    return record


def _resume(request: TrainRequest, record: run.Run, data: TaskData, photos: str, progress: Progress) -> None:
    if record.manifest.get("photos_digest") != photos:
        problem = "photos of the same name have another content than when the run began"
        raise _other_data(record, problem, version_seen.since_run(request.project, record, data.dataset, progress))
    record.set_status("running", resumed=True)


def _other_data(record: run.Run, problem: str, changes: str | None) -> DataError:
    hint = "Bring the data back, or start a new run with `vision train`."
    return DataError(f"{record.folder}: {problem}.", hint=hint, details=[changes] if changes else [])


def _changed_keys(before: Mapping[str, Any], project: Project) -> list[str]:
    now = project.config.model_dump(mode="json", by_alias=True)
    pairs = [(part, key) for part in ("model", "train") for key in now[part]]
    changed = [f"{part}.{key}" for part, key in pairs if before.get(part, {}).get(key) != now[part][key]]
    return changed if before.get("task") == now["task"] else ["task", *changed]
