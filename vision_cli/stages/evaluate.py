"""`vision eval`: any model, any split, judged against declared KPIs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from vision_cli import metrics, reports
from vision_cli.core import files, run
from vision_cli.core.catalogue import suggestion
from vision_cli.core.contracts import Runner
from vision_cli.core.dataset import SPLITS, Dataset
from vision_cli.core.errors import DataError, UsageError
from vision_cli.core.kpi import Judgement, Kpi
from vision_cli.core.measurement import Measurement
from vision_cli.core.predictions import Predictions
from vision_cli.core.progress import Progress
from vision_cli.core.project import Project
from vision_cli.stages import answers, inference, judging, loading, speed
from vision_cli.stages import data as view_data

RESULT_NAME = "result.json"
PREDICTIONS_NAME = "predictions.parquet"


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
    """

    project: Project
    model: Path | None = None
    kpis: tuple[Kpi, ...] = ()
    split: str | None = None
    data: Path | None = None
    threads: int | None = None
    junit: Path | None = None
    markdown: Path | None = None


@dataclass(frozen=True, slots=True)
class EvalResult:
    """What was found.

    Attributes:
        model: path, name, family, task of what was judged.
        data: split, number of photos, digest.
        runtime: name, threads, precision.
        classes: names, in the order of the confusion matrix.
        measurement: figures of quality with their intervals.
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
    speed: Mapping[str, float | None]
    judgements: tuple[Judgement, ...]
    warnings: tuple[str, ...]
    run: Path

    @property
    def passed(self) -> bool:
        """Return whether every KPI that this runtime can answer is met, and there is one if any was declared."""
        gates = [judgement.met for judgement in self.judgements if judgement.gates]
        return all(gates) and (bool(gates) or not self.judgements)

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
            "kpis": [judgement.as_json() for judgement in self.judgements],
            "passed": self.passed,
            "confusion": None if confusion is None else confusion.tolist(),
            "warnings": list(self.warnings),
            "run": self.run,
        }


@dataclass(frozen=True, slots=True)
class _Subject:
    """A model on the photos that it is judged on."""

    path: Path
    runner: Runner
    dataset: Dataset
    split: str
    trained_on: str


def evaluate(request: EvalRequest, progress: Progress) -> EvalResult:
    """Judge a model.

    Raises:
        UsageError: a KPI names a metric or class that does not exist, or there is no such split.
        DataError: model or data are refused, or the split is empty.
    """
    reports.check_targets(request.junit, request.markdown)
    _check_split(request.split)
    project = request.project
    path = loading.find_model(project, request.model)
    runner = loading.open_model(path, threads=request.threads)
    targets = request.kpis or judging.of_models(project.config.targets())
    judging.check_kpis(targets, runner.card.task, runner.card.classes)
    subject = _subject(request, path, runner)
    manifest = {"model": str(path.absolute()), "split": subject.split, "data_digest": subject.trained_on}
    record = run.create(project.root, "eval", f"{runner.card.name}-{runner.runtime}", manifest)
    with run.recorded(record):
        result = _judge(request, subject, targets, record, progress)
        files.write_json(record.folder / RESULT_NAME, result.as_json())
    reports.write(request.junit, request.markdown, result.as_json())
    return result


def _check_split(name: str | None) -> None:
    known = (*SPLITS, view_data.ALL)
    if name is not None and name not in known:
        guess = suggestion(name, known)
        hint = f"Did you mean '{guess}'?" if guess else f"Splits: {', '.join(known)}."
        raise UsageError(f"--split: no split is called '{name}'.", hint=hint)


def _subject(request: EvalRequest, path: Path, runner: Runner) -> _Subject:
    project = request.project
    loaded = view_data.load_folder(project, request.data) if request.data else view_data.load_view(project)
    split = request.split or ("all" if request.data else project.config.eval.split)
    dataset = view_data.align(loaded.dataset, runner.card.classes).split(split)
    if not len(dataset):
        raise DataError(f"the split '{split}' has no photo to judge on.", hint="Check data.split, or give --split.")
    return _Subject(path, runner, dataset, split, loaded.dataset.digest())


def _judge(
    request: EvalRequest, subject: _Subject, targets: tuple[Kpi, ...], record: run.Run, progress: Progress
) -> EvalResult:
    runner, card = subject.runner, subject.runner.card
    predictions = inference.predict_paths(runner, subject.dataset.paths(), progress, what="evaluate")
    truth = view_data.targets(subject.dataset, card.task)
    measurement = metrics.measure(
        card.task,
        truth,
        predictions,
        card.classes,
        thresholds=card.decode.thresholds,
        resamples=request.project.config.eval.resamples,
    )
    figures = speed.measure(subject.path, runner, progress)
    _write_predictions(record.folder / PREDICTIONS_NAME, subject, truth, predictions)
    judgements = judging.judge_kpis(targets, measurement, runtime=runner.runtime, extra=figures)
    return EvalResult(
        model={
            "path": str(subject.path.absolute()),
            "name": card.name,
            "family": card.family,
            "task": card.task,
            "trained": card.created,
        },
        data={"split": subject.split, "photos": len(subject.dataset), "digest": subject.trained_on},
        runtime=_runtime(runner, request.threads),
        classes=card.classes.names,
        measurement=measurement,
        speed=figures,
        judgements=judgements,
        warnings=(*measurement.warnings, *_changed(request, subject), *_unjudged(judgements), *_seen(subject)),
        run=record.folder,
    )


def _seen(subject: _Subject) -> tuple[str, ...]:
    if subject.split == "test" or not np.isin(subject.dataset.splits(), ("train", "val")).any():
        return ()
    return ("some of these photos trained the model or chose its epoch: the figures flatter it.",)


def _runtime(runner: Runner, threads: int | None) -> dict[str, Any]:
    return {"name": runner.runtime, "threads": threads or speed.all_threads(), "precision": runner.card.precision}


def _unjudged(judgements: tuple[Judgement, ...]) -> tuple[str, ...]:
    others = [str(judgement.kpi) for judgement in judgements if not judgement.gates]
    return (f"declared for another runtime and not judged here: {', '.join(others)}.",) if others else ()


def _changed(request: EvalRequest, subject: _Subject) -> tuple[str, ...]:
    seen = subject.runner.card.data_digest
    if request.data is None and seen and seen != subject.trained_on:
        return ("the data changed since this model was trained: test photos may have been training photos then.",)
    return ()


def _write_predictions(path: Path, subject: _Subject, truth: np.ndarray[Any, Any], predictions: Predictions) -> None:
    """Write one row a photo: where it is, what it is, what the model said."""
    names = subject.runner.card.classes.names
    columns = {
        "path": [str(each) for each in subject.dataset.paths()],
        "truth": answers.truths(truth, subject.runner.card.task, names),
        "predicted": answers.answers(predictions, subject.runner.card),
        "confidence": answers.confidences(predictions, subject.runner.card),
        "scores": pa.array(list(predictions.scores), pa.list_(pa.float64())),
    }
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink)
    files.write_bytes(path, sink.getvalue().to_pybytes())
