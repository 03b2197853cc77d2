"""`vision crossval`: how good is it, learned k times and judged on what was held out?"""

from __future__ import annotations

import io
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from vision_cli import models
from vision_cli.core import files, run
from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError, UsageError
from vision_cli.core.kpi import Judgement, Kpi
from vision_cli.core.progress import Progress
from vision_cli.core.project import Project
from vision_cli.core.tasks import PHOTO_TASKS
from vision_cli.metrics import metric_card
from vision_cli.stages.crossvalidating import answers, summary
from vision_cli.stages.crossvalidating.answers import Fold
from vision_cli.stages.crossvalidating.folds import Folds, deal
from vision_cli.stages.crossvalidating.summary import Figure, TogetherRequest
from vision_cli.stages.data import TaskData, load_view, split_rule
from vision_cli.stages.evaluating import judging
from vision_cli.stages.training import fitting, planning, run_lock
from vision_cli.stages.versioning import seen as version_seen

STAGE = "crossval"
RESULT_NAME = "result.json"
PREDICTIONS_NAME = "predictions.parquet"
_FOLD_RESULT = "values.json"
_ANY_SIDE = ("train", "val")


@dataclass(frozen=True, slots=True)
class CrossvalRequest:
    """What to cross-validate.

    Attributes:
        project: the project file says what learns from what.
        folds: k.
        seed: of the dealing; that of `data.split` when None.
        everything: the photos of the test split, too.
        resume: go on with the last run.
        dry_run: deal the folds, learn and write nothing.
        offline: download nothing.
    """

    project: Project
    folds: int = 5
    seed: int | None = None
    everything: bool = False
    resume: bool = False
    dry_run: bool = False
    offline: bool = False


@dataclass(frozen=True, slots=True)
class CrossvalResult:
    """What came out.

    Attributes:
        task: of the labels.
        photos: number of them.
        classes: names.
        rule: what dealt the folds.
        sizes: photos of each fold.
        seed: of the dealing.
        figures: by metric key.
        judgements: one a KPI on quality.
        how: what was done, one line each.
        warnings: what a reader of the figures must know.
        predictions: one row a photo, judged by a model that did not learn from it; None after a dry run.
        run: the run's folder; None after a dry run.
        seconds: from start to end.
    """

    task: str
    photos: int
    classes: tuple[str, ...]
    rule: str
    sizes: tuple[int, ...]
    seed: int
    figures: Mapping[str, Figure]
    judgements: tuple[Judgement, ...] = ()
    how: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    predictions: Path | None = None
    run: Path | None = None
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        """Return whether every KPI that was judged is met."""
        return all(judgement.met for judgement in self.judgements)

    def as_json(self) -> dict[str, Any]:
        """Return the members that `--json` prints."""
        return {
            "run": self.run,
            "predictions": self.predictions,
            "task": self.task,
            "photos": self.photos,
            "classes": list(self.classes),
            "folds": {"k": len(self.sizes), "rule": self.rule, "seed": self.seed, "photos": list(self.sizes)},
            "metrics": {key: figure.as_json() for key, figure in self.figures.items()},
            "kpis": [judgement.as_json() for judgement in self.judgements],
            "passed": self.passed,
            "how": list(self.how),
            "warnings": list(self.warnings),
            "seconds": round(self.seconds, 1),
        }


@dataclass(frozen=True, slots=True)
class _Work:
    """What is cross-validated, checked before any work."""

    request: CrossvalRequest
    project: Project
    whole: TaskData
    data: TaskData
    folds: Folds
    seed: int
    targets: tuple[Kpi, ...]


def crossval(request: CrossvalRequest, progress: Progress) -> CrossvalResult:
    """Judge every photo by a model that did not learn from it, and put the folds together.

    Raises:
        UsageError: the folds cannot be dealt so, a KPI is wrong, or there is nothing to resume.
        DataError: the data is refused, or a resumed run saw other data.
        MissingPartError: a package or a weights file is not there.
    """
    started = time.perf_counter()
    work = _prepared(request)
    if request.dry_run:
        return _result(work, {}, (f"would judge {len(work.data.dataset)} photos in {work.folds.k} folds",))
    photos = planning.photos_digest(work.project, work.data, progress)
    record = _resumable(work, photos) if request.resume else _created(work, photos, progress)
    with run_lock.held(record):
        if request.resume:
            record.set_status("running", resumed=True)
        with run.recorded(record):
            values, tables, how = _judged(work, record, progress)
            result = _summed(work, values, tables, how)
            path = record.folder / PREDICTIONS_NAME
            _write_table(path, _ordered(work, tables))
            result = replace(result, predictions=path, run=record.folder, seconds=time.perf_counter() - started)
            files.write_json(record.folder / RESULT_NAME, result.as_json())
    return result


def _prepared(request: CrossvalRequest) -> _Work:
    whole = load_view(request.project, remember=not request.dry_run)
    data = whole if request.everything else replace(whole, dataset=_without_test(whole.dataset), part_of=whole.digest)
    project = planning.resolved(request.project, data)
    models.check_family(project.config.model.family, project.config.task)
    fitting.check_machine(project.config)
    rule = split_rule(project, project.config.train.view).config
    seed = rule.seed if request.seed is None else request.seed
    targets = tuple(
        target
        for target in judging.of_models(project.config.targets())
        if metric_card(target.metric, data.task).source != "stage"
    )
    judging.check_kpis(targets, data.task, data.dataset.classes)
    if data.task == "classify" and len(data.dataset.classes) < 2:
        raise DataError("every photo is of one class: there is nothing to tell apart.", hint="Check data.sources.")
    folds = deal(data.dataset, data.task, request.folds, seed, rule.group)
    return _Work(request, project, whole, data, folds, seed, targets)


def _without_test(dataset: Dataset) -> Dataset:
    return dataset.select(np.isin(dataset.splits(), _ANY_SIDE))


def _manifest(work: _Work, photos: str) -> dict[str, Any]:
    config = work.project.config
    return {
        "config": config.model_dump(mode="json", by_alias=True),
        "seed": config.train.seed,
        "task": work.data.task,
        "classes": list(work.data.dataset.classes.names),
        "photos_digest": photos,
        "folds": {"k": work.folds.k, "seed": work.seed, "everything": work.request.everything},
    }


def _created(work: _Work, photos: str, progress: Progress) -> run.Run:
    found = version_seen.seen(work.project, work.whole.dataset, progress).manifest()
    manifest = {**_manifest(work, photos), **found}
    return run.create(work.project.root, STAGE, work.project.config.name, manifest)


def _resumable(work: _Work, photos: str) -> run.Run:
    """Return the last run, if it stopped on the way and nothing that decides its result was changed since."""
    try:
        record = run.latest(work.project.root, STAGE)
    except DataError as error:
        raise UsageError(f"{error.message.rstrip('.')}: nothing to resume.", hint="Run `vision crossval`.") from error
    if (record.folder / RESULT_NAME).is_file():
        raise UsageError(f"{record.folder}: is complete; there is nothing to resume.", hint="Run `vision crossval`.")
    before, now = record.manifest, _manifest(work, photos)
    changed = [key for key in ("task", "classes", "photos_digest", "folds") if before.get(key) != now[key]]
    config = before.get("config", {})
    changed += [key for key in ("model", "train") if config.get(key) != now["config"][key]]
    if before.get("data_digest") != work.whole.dataset.digest() or changed:
        what = ", ".join(changed) or "photos, labels or split"
        raise UsageError(
            f"{record.folder}: changed since the run began: {what}.",
            hint="Bring it back, or start a new run with `vision crossval`.",
        )
    return record


def _judged(work: _Work, record: run.Run, progress: Progress) -> tuple[list[summary.Values], list[pa.Table], list[str]]:
    """Return figures and answers of each fold; those of folds that were done before are read."""
    offline, how = work.request.offline, []
    if work.project.config.model.family == fitting.FEATURES:
        for fold in answers.of_features(work.project, work.data, work.folds, progress, offline=offline):
            _keep(work, record, fold)
        classifier = work.project.config.model.features.classifier
        how.append(f"{classifier} on features that were computed once")
    else:
        left = [number for number in range(work.folds.k) if not _is_done(record, number)]
        missing = answers.Missing(record, left, offline=offline)
        for fold in answers.of_trainings(work.project, work.data, work.folds, missing, progress):
            _keep(work, record, fold)
        how.append(f"{work.project.config.model.backbone} ({work.project.config.model.family}) trained once a fold")
    folders = [answers.folder_of(record, number) for number in range(work.folds.k)]
    values = [run.read_json(folder / _FOLD_RESULT)["values"] for folder in folders]
    return values, [pq.read_table(folder / PREDICTIONS_NAME) for folder in folders], how


def _is_done(record: run.Run, number: int) -> bool:
    return (answers.folder_of(record, number) / _FOLD_RESULT).is_file()


def _keep(work: _Work, record: run.Run, fold: Fold) -> None:
    """Write a fold's answers, then its figures: a fold with figures is whole."""
    folder = answers.folder_of(record, fold.number)
    folder.mkdir(exist_ok=True)
    columns = dict(answers.columns(fold, work.data.task))
    if "scores" in columns and work.data.task == "multilabel":
        scaled = summary.on_one_scale(fold.said.scores, fold.card.photo_decode.thresholds)
        columns["scaled"] = pa.array(list(scaled), pa.list_(pa.float64()))
    images = fold.held.images
    table = pa.table(
        {
            "source": images["source"],
            "path": [str(path) for path in fold.held.paths()],
            **columns,
            "fold": [fold.number + 1] * len(fold.held),
        }
    )
    _write_table(folder / PREDICTIONS_NAME, table)
    values = summary.of_fold(fold, work.data.task, work.targets)
    files.write_json(folder / _FOLD_RESULT, {"values": dict(values), "photos": len(fold.held)})


def _write_table(path: Path, table: pa.Table) -> None:
    sink = io.BytesIO()
    pq.write_table(table, sink)
    files.write_bytes(path, sink.getvalue())


def _ordered(work: _Work, tables: Sequence[pa.Table]) -> pa.Table:
    """Return the answers of all folds in the order of the data set."""
    rows = np.concatenate([np.flatnonzero(work.folds.fold == number) for number in range(work.folds.k)])
    # A fold without an answer has columns of no type.
    found = pa.concat_tables(tables, promote_options="permissive").take(pa.array(np.argsort(rows)))
    return found.drop_columns(["scaled"]) if "scaled" in found.column_names else found


def _summed(work: _Work, values: list[summary.Values], tables: list[pa.Table], how: Sequence[str]) -> CrossvalResult:
    task, dataset = work.data.task, work.data.dataset
    scores = None
    if task in PHOTO_TASKS:
        rows = np.concatenate([np.flatnonzero(work.folds.fold == number) for number in range(work.folds.k)])
        name = "scaled" if task == "multilabel" else "scores"
        listed = np.array([row for table in tables for row in table[name].to_pylist()], dtype=np.float64)
        scores = np.empty_like(listed)
        scores[rows] = listed
    whole = summary.together(values, scores, dataset, TogetherRequest(task, work.project.config.eval.resamples))
    judgements = judging.judge_kpis(work.targets, whole, runtime="torch")
    return _result(work, summary.figures(values, whole), how, judgements, whole.warnings)


def _result(
    work: _Work,
    figures: Mapping[str, Figure],
    how: Sequence[str],
    judgements: tuple[Judgement, ...] = (),
    warnings: tuple[str, ...] = (),
) -> CrossvalResult:
    sizes = tuple(np.bincount(work.folds.fold, minlength=work.folds.k).tolist())
    declared = judging.of_models(work.project.config.targets())
    left = [str(target) for target in declared if target not in work.targets]
    told = (f"not judged here, for it is about speed and size: {', '.join(left)}.",) if left else ()
    return CrossvalResult(
        task=work.data.task,
        photos=len(work.data.dataset),
        classes=work.data.dataset.classes.names,
        rule=work.folds.rule,
        sizes=sizes,
        seed=work.seed,
        figures=figures,
        judgements=judgements,
        how=tuple(how),
        warnings=(*work.folds.notes, *warnings, *told),
    )
