"""Boxes and masks of objects."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from vision_cli.core import rle, rle_columns
from vision_cli.core.artefact import Card
from vision_cli.core.contracts import Runner
from vision_cli.core.dataset import Dataset
from vision_cli.core.decoding.answers import PhotoObjects, thresholds
from vision_cli.core.detections import Detections, of_edges
from vision_cli.core.progress import Progress
from vision_cli.metrics import detection
from vision_cli.metrics.detection import confidence
from vision_cli.metrics.weighted import Part
from vision_cli.metrics.weighted import objects as weighted_objects
from vision_cli.stages import place_truth
from vision_cli.stages.kinds import object_rows
from vision_cli.stages.kinds.kind import Measured, Wanted
from vision_cli.stages.running import place_inference

Overlap = Literal["boxes", "masks"]


def overlap_of(task: str) -> Overlap:
    """Return what has to overlap for an object to be found."""
    return "masks" if task == "instance" else "boxes"


class ObjectKind:
    """`detect` and `instance`; `said` is `Detections`."""

    def say(self, runner: Runner, dataset: Dataset, progress: Progress, what: str) -> Detections:
        """Return the detections, down to low scores."""
        answers = place_inference.answers(runner, dataset.paths(), progress, what=what)
        return joined([answer for answer in answers if isinstance(answer, PhotoObjects)])

    def chosen(self, card: Card, said: Detections, dataset: Dataset) -> tuple[Card, Detections]:
        """Choose the confidence of the best F1 for each class: a hard one is not silent beside an easy one."""
        if not len(dataset):
            return card, said
        truth = place_truth.truth(dataset, card.classes, card.task)
        best = confidence.choose(truth, said, len(card.classes), kind=overlap_of(card.task), per_class=True)
        return replace(card, decode=replace(card.place_decode, confidence=best)), said

    def measure(self, card: Card, said: Detections, dataset: Dataset, wanted: Wanted) -> Measured:
        """Measure every metric of the task."""
        found = detection.measure(
            detection.ObjectsRequest(
                place_truth.truth(dataset, card.classes, card.task),
                said,
                card.classes,
                kind=overlap_of(card.task),
                confidences=card.place_decode.confidence,
                names=wanted.names,
                crosscheck=wanted.crosscheck,
                resamples=wanted.resamples,
            )
        )
        return measured(found, card.classes.names)

    def weighted(self, card: Card, said: Detections, dataset: Dataset, names: Collection[str]) -> list[Part]:
        """Return some metrics as functions of how much each photo counts."""
        request = detection.ObjectsRequest(
            place_truth.truth(dataset, card.classes, card.task),
            said,
            card.classes,
            kind=overlap_of(card.task),
            confidences=card.place_decode.confidence,
        )
        return weighted_objects.parts(request, names)

    def columns(self, card: Card, said: Detections, dataset: Dataset) -> Mapping[str, Any]:
        """Return the objects that are there, and those that the model found, as lists a photo."""
        truth = place_truth.truth(dataset, card.classes, card.task)
        answers = said.select(said.scores >= thresholds(card.place_decode.confidence, said.class_id))
        return object_rows.columns(card.classes.names, truth, answers)


def measured(found: detection.ObjectsMeasured, names: tuple[str, ...]) -> Measured:
    """Return figures of objects as every kind has them."""
    more = {
        "confusion": found.confusion.tolist(),
        "errors": dict(found.errors),
        "settings": dict(found.settings),
        "curves": found.curves.as_json(names),
    }
    return Measured(found.measurement, more)


def joined(answers: Sequence[PhotoObjects]) -> Detections:
    """Return the objects of photos as columns."""
    counts = [len(answer) for answer in answers]
    masked = any(answer.masks is not None for answer in answers)
    texts = [rle.to_text(mask).encode("ascii") for answer in answers for mask in answer.masks or ()]
    return Detections(
        np.array([answer.size_px for answer in answers], dtype=np.int64).reshape(-1, 2),
        np.repeat(np.arange(len(answers)), counts),
        np.concatenate([np.empty(0, np.int64), *(answer.classes for answer in answers)]),
        of_edges(np.concatenate([np.empty((0, 4)), *(answer.boxes for answer in answers)])),
        rle_columns.of_texts(texts) if masked else None,
        scores=np.concatenate([np.empty(0), *(answer.scores for answer in answers)]),
    )
