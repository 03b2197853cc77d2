"""What a formula module gets, what it returns, and how their figures become one Measurement."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np

from vision_cli.core.errors import DataError
from vision_cli.core.kpi import DEFAULT_CONFIDENCE, Interval
from vision_cli.core.measurement import Measurement, Spread
from vision_cli.core.predictions import Scores
from vision_cli.metrics import MeasureRequest

_DEFAULT_THRESHOLD = 0.5


@dataclass(frozen=True, slots=True)
class Subject:
    """Truth and predictions that fit each other, of at least one photo.

    Attributes:
        task: `classify`, `multilabel` or `regress`.
        truth: int64 (N,) class ids, bool (N, C), or float64 (N,) values, by task.
        scores: float64 (N, C), or (N, 1) for `regress`; finite.
        names: of the classes.
        thresholds: float64 (C,) for `multilabel`.
        resamples: of the bootstrap.
        seed: of the bootstrap.
    """

    task: str
    truth: np.ndarray[Any, np.dtype[Any]]
    scores: Scores
    names: tuple[str, ...]
    thresholds: np.ndarray[Any, np.dtype[np.float64]]
    resamples: int = 1000
    seed: int = 0

    def rng(self) -> np.random.Generator:
        """Return the bootstrap's random numbers from their start."""
        return np.random.default_rng(self.seed)

    def truth_matrix(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Return bool (N, C): which classes each photo has."""
        if self.task == "multilabel":
            return np.asarray(self.truth, dtype=np.bool_)
        return np.asarray(self.truth[:, None] == np.arange(len(self.names))[None, :])


@dataclass(frozen=True, slots=True)
class Figures:
    """What one formula module measured; the members of Measurement."""

    values: Mapping[str, float | None]
    spreads: Mapping[str, Spread] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    confusion: np.ndarray[Any, np.dtype[np.int64]] | None = None


def checked(request: MeasureRequest) -> Subject:
    """Check that truth and predictions fit.

    Raises:
        DataError: they do not.
    """
    task, truth = request.task, request.truth
    scores = np.asarray(request.predictions.scores, dtype=np.float64)
    columns = 1 if task == "regress" else len(request.classes)
    shape = (len(scores), columns) if task == "multilabel" else (len(scores),)
    if scores.shape[1] != columns or truth.shape != shape:
        raise DataError(
            f"task {task}: scores {scores.shape} and truth {truth.shape} do not fit {columns} columns.",
            hint="The model must have the data's classes.",
        )
    _check_numbers(task, truth, scores)
    limits = np.array(request.thresholds or [_DEFAULT_THRESHOLD] * columns, dtype=np.float64)
    if task == "multilabel" and limits.shape != (columns,):
        raise DataError(f"expected {columns} thresholds, one a class, got {limits.size}.")
    return Subject(task, truth, scores, request.classes.names, limits, request.resamples, request.seed)


def _check_numbers(task: str, truth: np.ndarray[Any, np.dtype[Any]], scores: Scores) -> None:
    wrong = int((~np.isfinite(scores)).any(axis=1).sum())
    if wrong:
        raise DataError(
            f"the model's answer is not a number on {wrong} of {len(scores)} photos.",
            hint="Its weights are broken: train or export it again.",
        )
    if task == "classify" and truth.size and not (truth.min() >= 0 and truth.max() < scores.shape[1]):
        raise DataError(f"class ids run from {truth.min()} to {truth.max()}, and there are {scores.shape[1]} classes.")
    if task == "regress" and not np.isfinite(truth).all():
        raise DataError("a photo's value is not a finite number.")


def measure(subject: Subject) -> Measurement:
    """Run every formula module of a task and put their figures together."""
    if not len(subject.scores):
        return Measurement({}, {}, 0, warnings=("there were no photos: nothing was measured.",))
    return combined([module.measure(subject) for module in _modules(subject.task)], len(subject.scores))


def combined(parts: list[Figures], n_photos: int) -> Measurement:
    """Return one Measurement of several modules' figures."""
    values = {key: value for part in parts for key, value in part.values.items()}
    spreads = {key: spread for part in parts for key, spread in part.spreads.items() if values[key] is not None}
    confusion = next((part.confusion for part in parts if part.confusion is not None), None)
    warnings = tuple(dict.fromkeys(warning for part in parts for warning in part.warnings))
    return Measurement(values, _intervals(spreads), n_photos, confusion, warnings, spreads)


def _intervals(spreads: Mapping[str, Spread]) -> dict[str, Interval]:
    found = {key: spread.at(DEFAULT_CONFIDENCE) for key, spread in spreads.items()}
    return {key: interval for key, interval in found.items() if interval is not None}


def _modules(task: str) -> list[ModuleType]:
    from vision_cli.metrics import METRICS, MetricCard

    cards = [card for card in METRICS.cards().values() if isinstance(card, MetricCard)]
    paths = [card.module for card in cards if task in card.tasks and card.source == "predictions"]
    return [importlib.import_module(path) for path in dict.fromkeys(paths)]
