"""`vision eval`: any model, any split, judged against declared KPIs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from vision_cli import reports
from vision_cli.core import files, run
from vision_cli.core.dataset import Dataset
from vision_cli.core.kpi import Judgement
from vision_cli.core.measurement import Measurement
from vision_cli.core.progress import Progress
from vision_cli.stages.evaluating import judging, speed
from vision_cli.stages.evaluating.asked import Asked, Judged
from vision_cli.stages.evaluating.subject import EvalRequest, Subject, prepare
from vision_cli.stages.kinds.kind import Wanted, kind_of
from vision_cli.stages.versioning import seen as version_seen
from vision_cli.stages.versioning.seen import Seen

RESULT_NAME = "result.json"
SHARES = "intervals_of_shares"
"""Member of a result: keys of the intervals whose width depends on where they lie, as a share's does."""
PREDICTIONS_NAME = "predictions.parquet"
NOTHING_JUDGED = (
    "no KPI was judged, so none is met: evaluate a model of that runtime with --model, or add a KPI for this."
)


@dataclass(frozen=True, slots=True)
class EvalResult:
    """What was found.

    Attributes:
        model: path, name, family, task of what was judged.
        data: split, number of photos, digest; path where it is not the project's.
        runtime: name, threads, precision.
        classes: names, in the order of the confusion matrix.
        measurement: figures of quality with their intervals.
        more: curves, tables and settings by name.
        speed: `latency_ms.p50`, `latency_ms.p95`, `images_per_s`, `size_mb`, `memory_mb`.
        judgements: one a KPI.
        warnings: what a reader of the figures must know.
        run: folder with the result and a prediction a photo.
    """

    model: Mapping[str, Any]
    data: Mapping[str, Any]
    runtime: Mapping[str, Any]
    classes: tuple[str, ...]
    measurement: Measurement
    more: Mapping[str, Any]
    speed: Mapping[str, float | None]
    judgements: tuple[Judgement, ...]
    warnings: tuple[str, ...]
    run: Path

    @property
    def passed(self) -> bool:
        """Return whether every KPI that this runtime can answer is met, and there is one if any was declared."""
        gates = [judgement.met for judgement in self.judgements if judgement.gates]
        return all(gates) and not self.nothing_judged

    @property
    def nothing_judged(self) -> bool:
        """Return whether KPIs were declared and every one is for another runtime."""
        return bool(self.judgements) and not any(judgement.gates for judgement in self.judgements)

    def as_json(self) -> dict[str, Any]:
        """Return the members that `--json` prints."""
        intervals = {key: [each.low, each.high] for key, each in self.measurement.intervals.items()}
        confusion = self.measurement.confusion
        return {
            "model": dict(self.model),
            "data": dict(self.data),
            "runtime": dict(self.runtime),
            "classes": list(self.classes),
            "metrics": {**self.measurement.values, **self.speed},
            "intervals": intervals,
            SHARES: sorted(key for key, each in self.measurement.intervals.items() if each.kind == "share"),
            "kpis": [judgement.as_json() for judgement in self.judgements],
            "passed": self.passed,
            "confusion": None if confusion is None else confusion.tolist(),
            **self.more,
            "warnings": list(self.warnings),
            "run": self.run,
        }


def evaluate(request: EvalRequest, progress: Progress) -> EvalResult:
    """Judge a model.

    Raises:
        UsageError: a KPI names a metric or class that does not exist, or there is no such split.
        DataError: model or data are refused, or the split is empty.
    """
    subject = prepare(request)
    return in_a_run(
        request, subject, "model", lambda record, seen: _judge(request, subject, record, progress, seen), progress
    )


def in_a_run(
    request: Asked, subject: Judged, what: str, judge: Callable[[run.Run, Seen], EvalResult], progress: Progress
) -> EvalResult:
    """Judge in a run of its own, which keeps the result, and write the files that were asked for.

    Args:
        request: what was asked for.
        subject: what is judged.
        what: `model` or `results`, the name of its path in the run.
        judge: does it.
        progress: hears of the data's version.
    """
    seen = version_seen.seen(request.project, subject.whole, progress)
    manifest = {what: str(subject.path.absolute()), "split": subject.split, **seen.manifest()}
    record = run.create(request.project.root, "eval", subject.run_name, manifest)
    with run.recorded(record):
        result = judge(record, seen)
        files.write_json(record.folder / RESULT_NAME, result.as_json())
    reports.write(request.junit, request.markdown, result.as_json())
    return result


def _judge(request: EvalRequest, subject: Subject, record: run.Run, progress: Progress, seen: Seen) -> EvalResult:
    runner, card = subject.runner, subject.runner.card
    kind = kind_of(card.task)
    said = kind.say(runner, subject.dataset, progress, "evaluate")
    names = tuple(target.metric for target in subject.targets)
    wanted = Wanted(names, request.project.config.eval.resamples, request.crosscheck)
    measured = kind.measure(card, said, subject.dataset, wanted)
    measurement = measured.measurement
    figures = speed.measure(subject.path, runner, progress)
    columns = kind.columns(card, said, subject.dataset)
    write_predictions(record.folder / PREDICTIONS_NAME, subject.dataset, columns)
    judgements = judging.judge_kpis(subject.targets, measurement, runtime=runner.runtime, extra=figures)
    return EvalResult(
        model=subject.model(),
        data={**subject.data(), **_elsewhere(request), "digest": seen.digest, "version": seen.version},
        runtime=subject.runtime(),
        classes=card.classes.names,
        measurement=measurement,
        more=measured.more,
        speed=figures,
        judgements=judgements,
        warnings=(
            *measurement.warnings,
            *_trial(subject),
            *_changed(request, subject, seen, progress),
            *unjudged(judgements),
            *_seen(subject),
        ),
        run=record.folder,
    )


def _elsewhere(request: EvalRequest) -> dict[str, str]:
    return {"path": str(request.data.absolute())} if request.data else {}


def _seen(subject: Subject) -> tuple[str, ...]:
    if subject.split == "test" or not np.isin(subject.dataset.splits(), ("train", "val")).any():
        return ()
    return ("some of these photos trained the model or chose its epoch: the figures flatter it.",)


def _trial(subject: Subject) -> tuple[str, ...]:
    photos = version_seen.part_of_model(subject.path)
    if photos is None:
        return ()
    return (f"this model is a trial that saw {photos} photos: its figures say nothing of a whole training.",)


def unjudged(judgements: tuple[Judgement, ...]) -> tuple[str, ...]:
    """Name the KPIs that are declared for another runtime than what ran."""
    others = [str(judgement.kpi) for judgement in judgements if not judgement.gates]
    if not others:
        return ()
    told = f"declared for another runtime and not judged here: {', '.join(others)}."
    return (told,) if len(others) < len(judgements) else (told, NOTHING_JUDGED)


def _changed(request: EvalRequest, subject: Subject, seen: Seen, progress: Progress) -> tuple[str, ...]:
    """Say that the data is not what the model was trained on, with counts where its version is in the store."""
    trained = subject.runner.card.data_digest
    if request.data is not None or not trained:
        return ()
    version = version_seen.of_model(subject.path)
    if trained == seen.digest and (version is None or version == seen.version):
        return ()
    what = version_seen.what_changed(request.project, subject.whole, progress, digest=trained, version=version)
    told = f" ({what})" if what else ""
    if trained == seen.digest:
        return (f"photos changed since this model was trained, and no label did{told}.",)
    return (f"the data changed since this model was trained{told}: test photos may have been training photos then.",)


def write_predictions(path: Path, dataset: Dataset, columns: Mapping[str, Any]) -> None:
    """Write one row a photo: where it is, what it is, what the model said."""
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"path": [str(each) for each in dataset.paths()], **columns}), sink)
    files.write_bytes(path, sink.getvalue().to_pybytes())
