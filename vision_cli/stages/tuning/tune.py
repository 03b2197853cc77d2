"""`vision tune`: search settings of model and training; the validation photos judge, test photos are not there."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vision_cli import models
from vision_cli.core import run
from vision_cli.core.contracts import Network
from vision_cli.core.errors import DataError, UsageError
from vision_cli.core.progress import Progress
from vision_cli.core.project import Project
from vision_cli.core.search_config import SearchConfig, seconds_of
from vision_cli.metrics import MAIN, metric_card
from vision_cli.stages.comparing.rows import sign
from vision_cli.stages.data import TaskData, load_view
from vision_cli.stages.evaluating import judging
from vision_cli.stages.searching import sampling
from vision_cli.stages.searching.pruning import Pruner
from vision_cli.stages.searching.sameness import differences
from vision_cli.stages.searching.sampling import Search
from vision_cli.stages.searching.watching import Once
from vision_cli.stages.training import fitting, planning, run_lock, unused, used_settings
from vision_cli.stages.training.fitting import FEATURES, FitTask
from vision_cli.stages.tuning import applied, outcome, range_test, space
from vision_cli.stages.tuning.hands import Hands, OwnHands, Processes
from vision_cli.stages.tuning.journal import opened
from vision_cli.stages.tuning.loop import MOST_TRIALS, Budget, Loop
from vision_cli.stages.tuning.outcome import Outcome
from vision_cli.stages.tuning.request import PROCESSES, RAY, RangeFound, TuneRequest, TuneResult
from vision_cli.stages.tuning.space import Facts, Setting
from vision_cli.stages.tuning.trying import VECTORS, Trying
from vision_cli.stages.tuning.verdict import Judging

STAGE = "tune"
_FEW = 50
"""Validation photos below which settings have to differ much before their scores do; it is said."""
_TRAIN_ASIDE = frozenset({"workers", "device", "devices", "nodes"})
_TUNE_ASIDE = frozenset({"trials", "time", "confirm"})
"""Settings that change no score, so that a search may go on with others."""
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class _Work:
    """A search whose inputs are checked.

    Attributes:
        request: as asked.
        project: with the epochs of a trial; its model may still say `auto`.
        resolved: the same without any `auto`.
        config: the section `tune` with the options of the call.
        data: the view without its test split.
        judging: how trials are compared.
        network: as the project builds it; None in a dry run.
        progress: is told of what happens.
        started: monotonic seconds.
    """

    request: TuneRequest
    project: Project
    resolved: Project
    config: SearchConfig
    data: TaskData
    judging: Judging
    network: Network | None
    progress: Progress
    started: float

    def fingerprint(self, photos: str) -> dict[str, Any]:
        """Return all that scores depend on, by name."""
        config = self.project.config
        train = config.train.model_dump(mode="json")
        tune = self.config.model_dump(mode="json")
        return {
            "task": self.data.task,
            "metric": self.judging.key,
            "labels": self.data.dataset.digest(),
            "photos": photos,
            "model": config.model.model_dump(mode="json"),
            "train": {name: value for name, value in train.items() if name not in _TRAIN_ASIDE},
            **{f"tune.{name}": value for name, value in tune.items() if name not in _TUNE_ASIDE},
        }


def tune(request: TuneRequest, progress: Progress) -> TuneResult:
    """Test the learning rate's range, try settings until the budget is spent, and propose the best as a diff.

    Raises:
        UsageError: an option or setting is wrong, or there is nothing to resume.
        DataError: the data is refused, there are no validation photos, or every trial fails.
        MissingPartError: optuna, or what trains, is not installed.
        ResourceError: disk or memory do not suffice, or another search writes there.
    """
    started, progress = time.monotonic(), Once(progress)
    sampling.check_parts()
    _check_hands(request)
    work = _prepared(request, progress, started)
    settings = _space(work, None)  # what is wrong is refused before anything is written
    if not settings and not request.range_only:
        raise UsageError("tune.search: nothing is left to search.", hint="Name settings that have an effect.")
    if request.dry_run:
        return outcome.planned(_outcome(work, settings, None))
    photos = planning.photos_digest(work.resolved, work.data, progress)
    record = _resumable(work, photos) if request.resume else _created(work, photos)
    with run_lock.held(record):
        if request.resume:
            record.set_status("running", resumed=True)
        with run.recorded(record):
            return _searched(work, record)


def _searched(work: _Work, record: run.Run) -> TuneResult:
    """Do the range test, the search, and what it says."""
    progress = work.progress
    if len(val := work.data.part("val")) < _FEW:
        progress.warn(f"{len(val)} validation photos are few: settings that differ little look alike on them.")
    found = _range_test(work, record.folder)
    settings = _space(work, found)
    what = replace(_outcome(work, settings, found), folder=record.folder)
    if work.request.range_only:
        return outcome.told(what, ())
    journal = opened(record.folder, space.axes_of(settings), up=work.judging.up)
    loop = Loop(
        settings,
        what.base,
        Search(space.axes_of(settings), work.config.seed, work.judging.up),
        Pruner(work.config.pruner, work.project.config.train.epochs or what.epochs or 1, work.config.seed),
        what.budget,
        _hands(work, record.folder),
        journal,
        record.folder,
        work.judging.key,
        progress,
        work.started,
    )
    try:
        trials = loop.run()
    except KeyboardInterrupt:
        progress.warn("to go on later: vision tune --resume")
        raise
    return outcome.told(what, tuple(trials))


def _prepared(request: TuneRequest, progress: Progress, started: float) -> _Work:
    config = _config(request)
    data = load_view(request.project, remember=not request.dry_run).without_test()
    project = request.project
    if config.epochs is not None:
        project = applied.with_settings(project, {"train.epochs": config.epochs}, "tune.epochs")
    resolved = planning.resolved(project, data)
    models.check_family(resolved.config.model.family, resolved.config.task)
    fitting.check_machine(resolved.config)
    if not len(data.part("val")):
        raise DataError(
            "there are no validation photos: nothing tells which settings are better.",
            hint="Give data.split.val a share; the test split is not looked at.",
        )
    how = _judging(project, data, config)
    space.named(config.search, ())  # a wrong name is refused before weights are fetched
    network = None if request.dry_run else fitting.build(resolved, data, progress, offline=request.offline)
    return _Work(request, project, resolved, config, data, how, network, progress, started)


def _config(request: TuneRequest) -> SearchConfig:
    """Return the section `tune` with the options of the call."""
    declared = request.project.config.tune
    names = ("trials", "epochs", "confirm", "pruner", "seed")
    given: dict[str, Any] = {name: value for name in names if (value := getattr(request, name)) is not None}
    if request.search:
        known = {applied.key_of(word): item for word, item in declared.search.items()}
        given["search"] = {word: known.get(applied.key_of(word)) for word in request.search}
    timed = request.seconds is not None
    if timed and request.trials is None and "trials" not in declared.model_fields_set:
        given["trials"] = MOST_TRIALS
    return declared.model_copy(update=given)


def _judging(project: Project, data: TaskData, config: SearchConfig) -> Judging:
    """Return by what trials are compared: the first KPI on quality, or the task's usual figure."""
    targets = tuple(judging.of_models(project.config.targets()))
    judging.check_kpis(targets, data.task, data.dataset.classes)
    own = [target for target in targets if metric_card(target.metric, data.task).source == "predictions"]
    key = own[0].key if own else MAIN[data.task][0]
    return Judging(key, sign(key, data.task) > 0, config.confirm, project.config.eval.resamples)


def _range_test(work: _Work, folder: Path) -> RangeFound | None:
    """Run the learning-rate range test, unless an earlier call did, or there is nothing to test."""
    asked, network = work.config.range_test, work.network
    why = range_test.why_none(work.resolved, network)
    if why or asked is None or network is None:
        if work.request.range_only:
            raise UsageError(why or "tune.range_test: is none.", hint="Leave --range-only.")
        if why:
            work.progress.say(why)
        return None
    if (found := range_test.ran(folder, asked)) is not None:
        return found
    # A network of its own: what learned with far too high a rate is good for nothing.
    task = FitTask(work.resolved, work.data, network, run.Run(folder))
    fresh = fitting.build(work.resolved, work.data, work.progress, offline=True)
    found = range_test.test(replace(task, network=fresh), asked, folder, folder / VECTORS, work.progress)
    if found.suggestion is None:
        work.progress.warn("learning-rate range test: no rate brought the loss down.")
    else:
        work.progress.say(f"learning-rate range test: {found.suggestion:.2g} suggested")
    return found


def _space(work: _Work, found: RangeFound | None) -> tuple[Setting, ...]:
    """Return what is searched; in a dry run nothing is known of the network, and nothing is left out for it."""
    config, network = work.resolved.config, work.network
    family = config.model.family
    if network is None:
        return space.space(work.project, work.config.search, Facts(family))
    frozen = bool(
        family != FEATURES and network.stages and fitting.freezes_backbone(config, work.data, network)
        if work.data.task in ("classify", "multilabel", "regress")
        else False
    )
    ignored = frozenset() if _searches_freeze(work.config.search) else _ignored(work, network)
    size = network.preprocess.size_px
    facts = Facts(family, size, found.suggestion if found else None, frozen, ignored)
    return space.space(work.project, work.config.search, facts)


def _searches_freeze(search: Mapping[str, Any]) -> bool:
    return space.FREEZE in {applied.key_of(word) for word in search}


def _ignored(work: _Work, network: Network) -> frozenset[str]:
    """Return the settings without effect on this training, whatever their value."""
    found = set()
    keys = [key for key, _ in space.named(work.config.search, space.usual_names(Facts(_family(work)))).items()]
    for key in keys:
        values = space.probes(key, applied.usual(key))
        if values and all(_is_ignored(work, network, key, value) for value in values):
            found.add(key)
    return frozenset(found)


def _family(work: _Work) -> str:
    return work.resolved.config.model.family


def _is_ignored(work: _Work, network: Network, key: str, value: Any) -> bool:
    changed = applied.with_settings(work.project, {key: value})
    config = planning.resolved(changed, work.data).config
    names = unused.without_effect(changed.config.train, config, work.data, network)
    return any(key == name or key.startswith(f"{name}.") for name in names)


def _outcome(work: _Work, settings: tuple[Setting, ...], found: RangeFound | None) -> Outcome:
    config, network = work.resolved.config, work.network
    used = used_settings.used(config, work.data, network) if network is not None else {}
    base = {each.key: applied.value_of(config, each.key) for each in settings}
    base = {key: used.get(key.removeprefix("train.")) if value is None else value for key, value in base.items()}
    if network is not None and base.get(space.SIZE, 0) is None:
        base[space.SIZE] = network.preprocess.size_px
    epochs = None
    if network is not None and config.model.family != FEATURES:
        epochs = fitting.epochs_of(config, work.data, network)
    request = work.request
    seconds = (
        request.seconds if request.seconds is not None or work.config.time is None else seconds_of(work.config.time)
    )
    return Outcome(
        project=request.project,
        folder=None,
        data=work.data,
        judging=work.judging,
        settings=settings,
        base=base,
        search=Search(space.axes_of(settings), work.config.seed, work.judging.up),
        budget=Budget(work.config.trials, work.config.confirm, seconds, request.jobs),
        epochs=epochs,
        range_test=found,
        apply=request.apply,
        progress=work.progress,
        started=work.started,
    )


def _check_hands(request: TuneRequest) -> None:
    """Refuse a place of work that is not here, before any work."""
    if request.on == RAY:
        from vision_cli.stages import ray_cluster

        ray_cluster.check_parts()
    elif request.on != PROCESSES:
        raise UsageError(f"--on {request.on}: expected here or ray.", hint="Leave it for this machine.")


def _hands(work: _Work, folder: Path) -> Hands:
    trying = Trying(work.project, work.judging.key, folder.absolute(), work.request.offline)
    if work.request.on == RAY:
        from vision_cli.stages.tuning.on_ray import OnRay

        return OnRay(trying, work.data.dataset.digest(), work.request.jobs, work.progress)
    if work.request.jobs > 1:
        return Processes(trying, work.request.jobs, work.progress)
    return OwnHands(trying, work.progress)


def _created(work: _Work, photos: str) -> run.Run:
    project = work.request.project
    manifest = {
        "config": project.config.model_dump(mode="json", by_alias=True),
        "seed": work.config.seed,
        "task": work.data.task,
        "search": work.fingerprint(photos),
    }
    return run.create(project.root, STAGE, project.config.name, manifest)


def _resumable(work: _Work, photos: str) -> run.Run:
    """Return the last search, if nothing that decides its scores was changed since.

    Raises:
        UsageError: there is none, or saying what differs.
    """
    try:
        record = run.latest(work.request.project.root, STAGE)
    except DataError as error:
        raise UsageError(f"{error.message.rstrip('.')}: nothing to resume.", hint="Run `vision tune`.") from error
    different = differences(record.manifest.get("search"), work.fingerprint(photos))
    if different:
        raise UsageError(
            f"{record.folder}: its trials were made with other settings.",
            details=different[:_SHOWN],
            hint="Take the old ones back, or start a new search with `vision tune`.",
        )
    return record
