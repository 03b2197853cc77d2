"""What the folds come to: mean and spread over folds, and an interval.

Where a photo has one answer, the answers of all folds together are measured as a test set is, and the interval is that
of the KPI gate, over photos; each photo was judged by a model that did not learn from it (Bayle et al. 2020,
Cross-validation Confidence Intervals for Test Error). Places are measured a fold at a time: their interval is Student's
over the folds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vision_cli import metrics
from vision_cli.core.dataset import Dataset
from vision_cli.core.kpi import Interval, Kpi
from vision_cli.core.measurement import Measurement
from vision_cli.core.predictions import Predictions
from vision_cli.core.tasks import PHOTO_TASKS
from vision_cli.metrics import MeasureRequest
from vision_cli.metrics.intervals import Repeated
from vision_cli.stages.crossvalidating.answers import Fold
from vision_cli.stages.data import targets
from vision_cli.stages.kinds.kind import Wanted, kind_of

Values = Mapping[str, float | None]
_HALF = 0.5


@dataclass(frozen=True, slots=True)
class Figure:
    """One metric over the folds.

    Attributes:
        mean: over the folds that have it.
        deviation: standard deviation over them; None for fewer than two.
        folds: of each fold; None where it is not defined.
        value: what KPIs are judged by: of all photos together where they can be, else the mean.
        interval: of the value, at 95 %.
    """

    mean: float
    deviation: float | None
    folds: tuple[float | None, ...]
    value: float | None
    interval: Interval | None

    def as_json(self) -> dict[str, Any]:
        """Return the members that `--json` prints."""
        interval = None if self.interval is None else [self.interval.low, self.interval.high]
        return {
            "mean": self.mean,
            "deviation": self.deviation,
            "value": self.value,
            "interval": interval,
            "folds": list(self.folds),
        }


def of_fold(fold: Fold, task: str, targets: Iterable[Kpi]) -> Values:
    """Return the figures of one fold's photos."""
    # Of its figures alone; intervals are over all folds.
    wanted = Wanted(tuple(target.metric for target in targets), resamples=2)
    return kind_of(task).measure(fold.card, fold.said, fold.held, wanted).measurement.values


def figures(values: Sequence[Values], together: Measurement) -> dict[str, Figure]:
    """Return mean, deviation and interval of every metric that a fold has."""
    found = {}
    for key in dict.fromkeys(key for each in values for key in each):
        column = tuple(each.get(key) for each in values)
        known = np.array([value for value in column if value is not None])
        if len(known):
            deviation = float(known.std(ddof=1)) if len(known) > 1 else None
            found[key] = Figure(
                float(known.mean()), deviation, column, together.values.get(key), together.interval_at(key)
            )
    return found


def together(
    values: Sequence[Values],
    scores: np.ndarray[Any, np.dtype[np.float64]] | None,
    data: Dataset,
    request: TogetherRequest,
) -> Measurement:
    """Return the measurement of all photos together; where there are no scores, the means over the folds.

    Args:
        values: of each fold.
        scores: float64 (N, C) of every photo, by a model that did not learn from it; None for places.
        data: the N photos.
        request: task and resamples.
    """
    if scores is None or request.task not in PHOTO_TASKS:
        return _means(values, len(data), request.task)
    return metrics.measure(
        MeasureRequest(
            request.task,
            targets(data, request.task),
            Predictions(scores, scores),
            data.classes,
            resamples=request.resamples,
        )
    )


@dataclass(frozen=True, slots=True)
class TogetherRequest:
    """How all photos are measured.

    Attributes:
        task: of core/tasks.py.
        resamples: of the bootstrap.
    """

    task: str
    resamples: int


def _means(values: Sequence[Values], photos: int, task: str) -> Measurement:
    columns = {
        key: tuple(value for each in values if (value := each.get(key)) is not None)
        for key in dict.fromkeys(key for each in values for key in each)
    }
    spreads = {key: Repeated(column, *_ends(key, task)) for key, column in columns.items()}
    means: dict[str, float | None] = {key: float(np.mean(each)) if each else None for key, each in columns.items()}
    found = {key: spread.at(0.95) for key, spread in spreads.items()}
    return Measurement(means, {key: each for key, each in found.items() if each is not None}, photos, spreads=spreads)


def _ends(key: str, task: str) -> tuple[float, float]:
    """Return the least and the greatest value that a figure of places can have."""
    unit = metrics.metric_card(key.split("[", 1)[0], task).unit
    return 0.0, 1.0 if unit == metrics.SHARE else math.inf


def on_one_scale(scores: np.ndarray[Any, np.dtype[np.float64]], thresholds: Sequence[float]) -> Any:
    """Return probabilities moved so that each class's threshold is a half: folds with their own ones agree then."""
    limits = np.asarray(thresholds or [_HALF], dtype=np.float64)
    low = _HALF * scores / np.maximum(limits, 1e-12)
    high = 1 - _HALF * (1 - scores) / np.maximum(1 - limits, 1e-12)
    return np.where(scores < limits, low, np.clip(high, _HALF, 1))
