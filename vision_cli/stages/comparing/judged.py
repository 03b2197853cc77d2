"""One contender, judged: figures, figures by weight, and which photos it got right."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vision_cli import metrics
from vision_cli.core.dataset import Dataset
from vision_cli.core.kpi import Kpi
from vision_cli.core.predictions import Predictions
from vision_cli.core.progress import Progress
from vision_cli.metrics import MeasureRequest, subject
from vision_cli.metrics.weighted import Part
from vision_cli.metrics.weighted import photos as weighted_photos
from vision_cli.stages.comparing.contenders import Contender, Saved
from vision_cli.stages.comparing.rows import Row
from vision_cli.stages.data import align, targets
from vision_cli.stages.evaluating import judging, speed
from vision_cli.stages.kinds.kind import Wanted, kind_of
from vision_cli.stages.running import loading

Booleans = np.ndarray[Any, np.dtype[np.bool_]]
_SPEED = ("latency_ms.p50", "latency_ms.p95", "images_per_s", "size_mb", "memory_mb")


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """A contender with everything that is compared.

    Attributes:
        row: its figures.
        parts: its figures as functions of how much each photo counts.
        right: bool (N,), the photos that it got right; None where that is no yes or no.
        n_photos: N.
        digest: of the data that it learned from; empty where that is not known.
    """

    row: Row
    parts: list[Part]
    right: Booleans | None
    n_photos: int
    digest: str = ""


@dataclass(frozen=True, slots=True)
class How:
    """How each is judged.

    Attributes:
        targets: KPIs.
        names: of the metrics that are compared.
        resamples: of the bootstrap.
        threads: of the runtime; all cores when None.
    """

    targets: tuple[Kpi, ...]
    names: Collection[str]
    resamples: int
    threads: int | None = None


def of_saved(contender: Contender, kept: Saved, how: How) -> Judged:
    """Judge what an evaluation run kept; its speed is the one that was measured then."""
    asked = MeasureRequest(
        kept.card.task,
        kept.truth,
        kept.predictions,
        kept.card.classes,
        thresholds=kept.card.photo_decode.thresholds,
        resamples=how.resamples,
    )
    result = contender.result or {}
    figures = {key: result["metrics"].get(key) for key in _SPEED}
    runtime, measurement = str(result["runtime"]["name"]), metrics.measure(asked)
    judgements = judging.judge_kpis(how.targets, measurement, runtime=runtime, extra=figures)
    row = Row(contender.name, runtime, contender.model, measurement, figures, judgements)
    parts = weighted_photos.parts(subject.checked(asked), how.names)
    right = _right(kept.card.task, kept.truth, kept.predictions, kept.card.photo_decode.thresholds)
    return Judged(row, parts, right, len(kept.paths))


def of_model(name: str, path: Path, dataset: Dataset, how: How, progress: Progress) -> Judged:
    """Run a model on photos, judge it, and measure its speed.

    Raises:
        DataError: the model or a photo is refused, or the data has classes that the model does not know.
    """
    runner = loading.open_model(path, threads=how.threads)
    card, kind = runner.card, kind_of(runner.card.task)
    judging.check_kpis(how.targets, card.task, card.classes)
    photos = align(dataset, card.classes)
    progress.say(f"judging {name} ({runner.runtime})")
    said = kind.say(runner, photos, progress, "judge")
    wanted = Wanted(tuple(name for name in how.names), how.resamples)
    measurement = kind.measure(card, said, photos, wanted).measurement
    figures = speed.measure(path, runner, progress)
    judgements = judging.judge_kpis(how.targets, measurement, runtime=runner.runtime, extra=figures)
    right = None
    if isinstance(said, Predictions):
        right = _right(card.task, targets(photos, card.task), said, card.photo_decode.thresholds)
    row = Row(name, runner.runtime, path, measurement, figures, judgements)
    return Judged(row, kind.weighted(card, said, photos, how.names), right, len(photos), card.data_digest)


def _right(
    task: str, truth: np.ndarray[Any, np.dtype[Any]], said: Predictions, thresholds: tuple[float, ...]
) -> Booleans | None:
    if task == "classify":
        return np.asarray(said.scores.argmax(axis=1) == truth)
    if task == "multilabel":
        limits = np.asarray(thresholds or [0.5] * said.scores.shape[1])
        return np.asarray(((said.scores >= limits) == truth).all(axis=1))
    return None
