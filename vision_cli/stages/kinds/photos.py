"""One answer about the whole photo."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from vision_cli import metrics
from vision_cli.core import attributes
from vision_cli.core.artefact import Card, Decode
from vision_cli.core.contracts import Runner
from vision_cli.core.dataset import Dataset
from vision_cli.core.predictions import Predictions
from vision_cli.core.progress import Progress
from vision_cli.metrics import MeasureRequest, calibration, multilabel, subject
from vision_cli.metrics.weighted import Part
from vision_cli.metrics.weighted import photos as weighted_photos
from vision_cli.stages.data import targets
from vision_cli.stages.kinds.kind import Measured, Wanted
from vision_cli.stages.running import answers, inference

CALIBRATED = "features"
"""The family whose shallow classifiers come calibrated."""
_MIN_PHOTOS_TO_CALIBRATE = 20


class PhotoKind:
    """`classify`, `multilabel` and `regress`; `said` is `Predictions`."""

    def say(self, runner: Runner, dataset: Dataset, progress: Progress, what: str) -> Predictions:
        """Return the predictions."""
        shares = attributes.shares(runner.card.model, dataset.images)
        return inference.predict_paths(runner, dataset.paths(), progress, what=what, shares=shares)

    def chosen(self, card: Card, said: Predictions, dataset: Dataset) -> tuple[Card, Predictions]:
        """Fit a temperature, and a threshold a class for `multilabel`, where there are photos enough."""
        decode = card.photo_decode
        if card.task != "regress" and len(dataset) >= _MIN_PHOTOS_TO_CALIBRATE:
            decode = _calibrated(card, decode, said, targets(dataset, card.task))
        if card.task == "multilabel" and not decode.thresholds:
            decode = replace(decode, thresholds=(0.5,) * len(card.classes))
        return replace(card, decode=decode), Predictions(decode.scores(said.raw, card.task), said.raw)

    def measure(self, card: Card, said: Predictions, dataset: Dataset, wanted: Wanted) -> Measured:
        """Measure every metric of the task."""
        asked = MeasureRequest(
            card.task,
            targets(dataset, card.task),
            said,
            card.classes,
            thresholds=card.photo_decode.thresholds,
            resamples=wanted.resamples,
        )
        return Measured(metrics.measure(asked))

    def weighted(self, card: Card, said: Predictions, dataset: Dataset, names: Collection[str]) -> list[Part]:
        """Return some metrics as functions of how much each photo counts."""
        asked = MeasureRequest(
            card.task, targets(dataset, card.task), said, card.classes, thresholds=card.photo_decode.thresholds
        )
        return weighted_photos.parts(subject.checked(asked), names)

    def columns(self, card: Card, said: Predictions, dataset: Dataset) -> Mapping[str, Any]:
        """Return truth, answer, confidence and scores."""
        return {
            "truth": answers.truths(targets(dataset, card.task), card.task, card.classes.names),
            "predicted": answers.answers(said, card),
            "confidence": answers.confidences(said, card),
            "scores": pa.array(list(said.scores), pa.list_(pa.float64())),
        }


def _calibrated(card: Card, decode: Decode, said: Predictions, truth: np.ndarray[Any, Any]) -> Decode:
    if card.family != CALIBRATED:
        decode = replace(decode, temperature=calibration.fit_temperature(said.raw, truth, card.task))
    if card.task == "multilabel":
        found = multilabel.choose_thresholds(truth, decode.scores(said.raw, card.task))
        decode = replace(decode, thresholds=found or ())
    return decode
