"""`vision train --curve`: how good with a part of the photos, and what more of them would bring."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from vision_cli import models
from vision_cli.checks import learning_curve
from vision_cli.checks.intervals import Range
from vision_cli.checks.learning_curve import Curve, Trials
from vision_cli.core import files, run
from vision_cli.core.artefact import Card
from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError, UsageError
from vision_cli.core.kpi import Interval, Kpi
from vision_cli.core.measurement import Measurement
from vision_cli.core.predictions import Predictions
from vision_cli.core.progress import Progress
from vision_cli.core.project import Project
from vision_cli.metrics import MAIN, metric_card
from vision_cli.metrics.card import SHARE
from vision_cli.stages.crossvalidating.folds import groups_of, strata_of
from vision_cli.stages.data import TaskData, load_view, split_rule
from vision_cli.stages.evaluating import judging
from vision_cli.stages.kinds.kind import Wanted, kind_of
from vision_cli.stages.running import loading
from vision_cli.stages.training import fitting, planning, run_lock, verifying
from vision_cli.stages.training.fitting import FEATURES, FitTask, Fitted
from vision_cli.stages.versioning import seen as version_seen

STAGE = "curve"
RESULT_NAME = "result.json"
_REPEATS = 3
"""Draws of each part where features are computed once; a network is trained once a part."""
_FEWEST_TO_FIT = 3
_FEWEST_TO_ASK = 4
_FEWEST_PHOTOS = 20
_SEED = 0xC04E
_NORMAL_WIDTH = 3.92
"""Standard errors in an interval at 95 %."""

Booleans = np.ndarray[Any, np.dtype[np.bool_]]
Ints = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True, slots=True)
class CurveRequest:
    """What to learn from how much.

    Attributes:
        project: the project file says what learns from what.
        shares: of the training photos, above 0 and up to 1, ascending.
        epochs: instead of the project's.
        resume: go on with the last run.
        offline: download nothing.
        dry_run: learn and write nothing.
    """

    project: Project
    shares: tuple[float, ...]
    epochs: int | None = None
    resume: bool = False
    offline: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Point:
    """What was learned from a part.

    Attributes:
        share: of the training photos.
        photos: so many.
        value: of the metric, on the validation photos; the mean of several draws.
        interval: of it, over validation photos.
    """

    share: float
    photos: int
    value: float
    interval: Interval | None

    def as_json(self) -> dict[str, Any]:
        """Return the members that `--json` prints."""
        interval = None if self.interval is None else [self.interval.low, self.interval.high]
        return {"share": self.share, "photos": self.photos, "value": self.value, "interval": interval}


@dataclass(frozen=True, slots=True)
class CurveResult:
    """What came out.

    Attributes:
        task: of the labels.
        key: the metric.
        photos: training photos at hand.
        validation: photos that judge.
        points: by share.
        twice: the value to expect of twice the photos at hand; None where nothing can be said.
        needs: of each KPI on this metric, how many photos it needs, or why that cannot be told.
        why: what the curve says, in a sentence.
        run: the run's folder; None after a dry run.
        seconds: from start to end.
    """

    task: str
    key: str
    photos: int
    validation: int
    points: tuple[Point, ...]
    twice: Range | None
    needs: Mapping[str, str]
    why: str
    run: Path | None = None
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Return the members that `--json` prints."""
        twice = self.twice and {"value": self.twice.value, "low": self.twice.low, "high": self.twice.high}
        return {
            "run": self.run,
            "task": self.task,
            "metric": self.key,
            "photos": self.photos,
            "validation": self.validation,
            "points": [point.as_json() for point in self.points],
            "twice": twice,
            "needs": dict(self.needs),
            "why": self.why,
            "seconds": round(self.seconds, 1),
        }


def shares(text: str) -> tuple[float, ...]:
    """Return what `--curve` says: `25,50,100` or `25%,50%,100%`.

    Raises:
        UsageError: no such list.
    """
    try:
        found = sorted({float(word.strip().removesuffix("%")) / 100 for word in text.split(",")})
    except ValueError:
        found = []
    if len(found) < 2 or not all(0 < share <= 1 for share in found):
        raise UsageError(f"--curve {text}: expected two or more shares in per cent.", hint="--curve 12,25,50,100")
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Work:
    """What is learned, checked before any work."""

    request: CurveRequest
    project: Project
    data: TaskData
    targets: tuple[Kpi, ...]
    key: str

    @property
    def repeats(self) -> int:
        """Return how often a part is drawn."""
        return _REPEATS if self.project.config.model.family == FEATURES else 1

    def parts(self) -> Iterator[tuple[int, int, TaskData]]:
        """Yield number of the draw, number of the share, and the photos: all of val, and a part of train.

        Parts of one draw hold one another; classes have their shares, groups stay together. All photos are one part.
        """
        dataset = self.data.dataset
        rows = np.flatnonzero(dataset.splits() == "train")
        column = split_rule(self.project, self.project.config.train.view).config.group
        strata, groups = strata_of(dataset, self.data.task), groups_of(dataset, column)
        val = dataset.splits() == "val"
        for draw in range(self.repeats):
            rng = np.random.default_rng((self.project.config.train.seed, _SEED, draw))
            order = learning_curve.queue(strata, groups, rows, rng)
            for place, share in enumerate(self.request.shares):
                if share < 1 or not draw:
                    part = dataset.select(val | (order <= share))
                    yield draw, place, replace(self.data, dataset=part, part_of=self.data.digest)


@dataclass(frozen=True, slots=True, eq=False)
class _Tried:
    """One part, learned and judged.

    Attributes:
        draw: number of it.
        place: number of the share.
        classes: int64 (C,), photos of each class that were learned from; empty for values.
        photos: number of them.
        measurement: of the validation photos.
        right: bool (N,), which of them it got right; None where that is no yes or no.
    """

    draw: int
    place: int
    classes: Ints
    photos: int
    measurement: Measurement
    right: Booleans | None


def curve(request: CurveRequest, progress: Progress) -> CurveResult:
    """Learn from growing parts of the training photos, and judge each on the same validation photos.

    Raises:
        UsageError: the project file asks for what the data or the family cannot give, or there is nothing to resume.
        DataError: the data is refused, or there are too few photos.
        MissingPartError: a package or a weights file is not there.
    """
    started = time.perf_counter()
    work = _prepared(request)
    val, train = work.data.part("val"), work.data.part("train")
    if request.dry_run:
        told = f"would learn from {', '.join(f'{share:.0%}' for share in request.shares)} of {len(train)} photos"
        return CurveResult(work.data.task, work.key, len(train), len(val), (), None, {}, told)
    record = _resumable(work) if request.resume else _created(work, progress)
    with run_lock.held(record), run.recorded(record):
        if request.resume:
            record.set_status("running", resumed=True)
        learn = _features if work.project.config.model.family == FEATURES else _trainings
        tried = list(learn(work, record, progress))
        result = replace(_read(work, tried), run=record.folder, seconds=time.perf_counter() - started)
        files.write_json(record.folder / RESULT_NAME, result.as_json())
    return result


def _prepared(request: CurveRequest) -> _Work:
    data = load_view(request.project, remember=not request.dry_run)
    project = planning.resolved(request.project, data)
    if request.epochs is not None:
        train = project.config.train.model_copy(update={"epochs": request.epochs})
        project = replace(project, config=project.config.model_copy(update={"train": train}))
    models.check_family(project.config.model.family, project.config.task)
    fitting.check_machine(project.config)
    targets = tuple(judging.of_models(project.config.targets()))
    judging.check_kpis(targets, data.task, data.dataset.classes)
    if len(data.part("val")) < _FEWEST_PHOTOS or len(data.part("train")) < _FEWEST_PHOTOS:
        raise DataError(
            f"{len(data.part('train'))} training and {len(data.part('val'))} validation photos say too little.",
            hint=f"{_FEWEST_PHOTOS} of each or more; `vision crossval` takes fewer.",
        )
    own = [target.key for target in targets if metric_card(target.metric, data.task).source == "predictions"]
    return _Work(request, project, data, targets, own[0] if own else MAIN[data.task][0])


def _manifest(work: _Work) -> dict[str, Any]:
    config = work.project.config.model_dump(mode="json", by_alias=True)
    return {"config": config, "task": work.data.task, "shares": list(work.request.shares)}


def _created(work: _Work, progress: Progress) -> run.Run:
    seen = version_seen.seen(work.project, work.data.dataset, progress).manifest()
    return run.create(work.project.root, STAGE, work.project.config.name, {**_manifest(work), **seen})


def _resumable(work: _Work) -> run.Run:
    """Return the last run, if it stopped on the way and nothing that decides its result was changed since."""
    try:
        record = run.latest(work.project.root, STAGE)
    except DataError as error:
        raise UsageError(f"{error.message.rstrip('.')}: nothing to resume.", hint="Leave --resume.") from error
    if (record.folder / RESULT_NAME).is_file():
        raise UsageError(f"{record.folder}: is complete; there is nothing to resume.", hint="Leave --resume.")
    before, now = record.manifest, _manifest(work)
    same = all(before.get("config", {}).get(key) == now["config"][key] for key in ("model", "train"))
    if not same or before.get("shares") != now["shares"] or before.get("data_digest") != work.data.dataset.digest():
        raise UsageError(f"{record.folder}: data or settings changed since the run began.", hint="Leave --resume.")
    return record


def _features(work: _Work, record: run.Run, progress: Progress) -> Iterator[_Tried]:
    """Fit shallow classifiers on features that are computed once."""
    from vision_cli.stages.training import shallow

    task, dataset = work.data.task, work.data.dataset
    shallow.check(work.project, task, dataset)
    network = fitting.build(work.project, work.data, progress, offline=work.request.offline)
    seen = shallow.vectors(work.project, network, dataset.paths(), progress)
    row_of = {identity: row for row, identity in enumerate(dataset.images["id"].to_pylist())}
    for done, (draw, place, part) in enumerate(work.parts()):
        learns, val = part.part("train"), part.part("val")
        decode = fitting.value_scale(part)
        targets = fitting.loss_targets(part, learns, decode)
        rows = [[row_of[each] for each in side.images["id"].to_pylist()] for side in (learns, val)]
        learned = shallow.learn(work.project, task, learns, (seen[rows[0]], targets))
        card = verifying.card_of(work.project, part, Fitted(network, {}, decode, ()))
        raw = learned.outputs(seen[rows[1]], val)
        yield _tried(work, (draw, place), learns, (card, Predictions(decode.scores(raw, task), raw), val))
        progress.step("parts", done + 1, (len(work.request.shares) - 1) * work.repeats + 1)


def _trainings(work: _Work, record: run.Run, progress: Progress) -> Iterator[_Tried]:
    """Train once for each share; a part that was trained before is not trained again."""
    for draw, place, part in work.parts():
        share = work.request.shares[place]
        progress.say(f"{share:.0%} of the photos: {len(part.part('train'))}")
        fold = run.Run(record.folder / f"share-{100 * share:g}")
        with files.disk_errors(fold.folder):
            fold.folder.mkdir(exist_ok=True)
        model = fold.folder / loading.MODEL_FOLDER
        if not model.exists():
            network = fitting.build(work.project, part, progress, offline=work.request.offline)
            fitted = fitting.fit(FitTask(work.project, part, network, fold, resume=True), progress)
            verifying.verify(work.project, part, fitted, fold, progress)
        runner, val = loading.open_model(model), part.part("val")
        said = kind_of(part.task).say(runner, val, progress, "judge")
        yield _tried(work, (draw, place), part.part("train"), (runner.card, said, val))


def _tried(work: _Work, where: tuple[int, int], learns: Dataset, answers: tuple[Card, Any, Dataset]) -> _Tried:
    card, said, val = answers
    names = (work.key.split("[", 1)[0],)
    measured = kind_of(work.data.task).measure(card, said, val, Wanted(names, work.project.config.eval.resamples))
    right, counts = None, np.empty(0, dtype=np.int64)
    if work.data.task == "classify":
        right = np.asarray(said.scores.argmax(axis=1) == val.class_ids())
        counts = np.bincount(learns.class_ids(), minlength=len(learns.classes)).astype(np.int64)
    return _Tried(*where, counts, len(learns), measured.measurement, right)


def _read(work: _Work, tried: Sequence[_Tried]) -> CurveResult:
    points = tuple(_point(work, place, [each for each in tried if each.place == place]) for place in _places(work))
    photos, val = len(work.data.part("train")), work.data.part("val")
    fitted = _fitted(work, tried, points, val)
    if fitted is None:
        why = f"{work.key} went from {points[0].value:.4g} to {points[-1].value:.4g} with {points[-1].photos} photos."
        return CurveResult(work.data.task, work.key, photos, len(val), points, None, {}, why)
    fitted = replace(fitted, available=float(photos))
    twice = fitted.at(2 * photos)
    why = (
        f"{work.key}: {points[-1].photos:,} photos give {points[-1].value:.4g}; {2 * photos:,}, twice as many as there "
        f"are, would give {twice}."
    )
    return CurveResult(work.data.task, work.key, photos, len(val), points, twice, _needs(work, fitted, points), why)


def _places(work: _Work) -> range:
    return range(len(work.request.shares))


def _point(work: _Work, place: int, tried: Sequence[_Tried]) -> Point:
    values = [each.measurement.values.get(work.key) for each in tried]
    known = [value for value in values if value is not None]
    if not known:
        raise DataError(f"'{work.key}' is not defined on the validation photos.", hint="Name another KPI first.")
    interval = tried[0].measurement.interval_at(work.key)
    mean = float(np.mean(known))
    if interval is not None:
        shift = mean - float(values[0] or 0.0)
        interval = replace(interval, low=interval.low + shift, high=interval.high + shift)
    return Point(work.request.shares[place], tried[0].photos, mean, interval)


def _fitted(work: _Work, tried: Sequence[_Tried], points: Sequence[Point], val: Dataset) -> Curve | None:
    """Fit error = a n^-b + c; None where the figure is no share, or there are too few points."""
    rng = np.random.default_rng(_SEED)
    if len(points) < _FEWEST_TO_FIT or metric_card(work.key.split("[", 1)[0], work.data.task).unit != SHARE:
        return None
    if metric_card(work.key.split("[", 1)[0], work.data.task).better != "higher":
        return None
    if work.key in ("top1", "accuracy"):
        right = np.stack([[_of(tried, draw, place) for place in _places(work)] for draw in range(work.repeats)])
        learned = np.stack([next(each.classes for each in tried if each.place == place) for place in _places(work)])
        return learning_curve.curve(Trials(learned.astype(np.float64), right), val.class_ids(), groups_of(val), rng)
    photos = np.array([float(point.photos) for point in points])
    values = np.array([point.value for point in points])
    widths = [0.0 if each.interval is None else each.interval.high - each.interval.low for each in points]
    errors = np.array(widths) / _NORMAL_WIDTH
    weights = learning_curve.photos_weight(values, len(val))
    drawn = np.clip(rng.normal(values, errors, (learning_curve.RESAMPLES, len(points))), 0, 1)
    best = learning_curve.fit_power(photos, 1 - values[None], weights)[0]
    return Curve(photos, values, best, learning_curve.fit_power(photos, 1 - drawn, weights), photos[-1])


def _of(tried: Sequence[_Tried], draw: int, place: int) -> Booleans:
    """Return what was right in a draw of a share; all photos are drawn once."""
    found = {each.draw: each.right for each in tried if each.place == place}
    right = found.get(draw, found[0])
    return right if right is not None else np.empty(0, dtype=np.bool_)


def _needs(work: _Work, fitted: Curve, points: Sequence[Point]) -> dict[str, str]:
    wanted = [target for target in work.targets if target.key == work.key and target.op.startswith(">")]
    if len(points) < _FEWEST_TO_ASK:
        few = f"cannot tell from {len(points)} points: --curve 12,25,50,100"
        return {str(target): few for target in wanted}
    return {str(target): learning_curve.needed(fitted, target.bound).why for target in wanted}
