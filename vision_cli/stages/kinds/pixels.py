"""A class for each pixel, and segments."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from vision_cli.core.artefact import Card
from vision_cli.core.contracts import Runner
from vision_cli.core.dataset import Dataset
from vision_cli.core.detections import Bools, Ints
from vision_cli.core.errors import DataError
from vision_cli.core.progress import Progress
from vision_cli.metrics.panoptic import measuring as segments
from vision_cli.metrics.panoptic.tallies import FALSE, FOUND, MISSED
from vision_cli.metrics.panoptic.tallies import Tallies as SegmentTallies
from vision_cli.metrics.semantic import measuring as pixels
from vision_cli.metrics.semantic.boundaries import TOLERANCE
from vision_cli.metrics.semantic.tallies import Tallies as PixelTallies
from vision_cli.metrics.weighted import Part
from vision_cli.metrics.weighted import sums as weighted_sums
from vision_cli.stages import place_truth
from vision_cli.stages.kinds import comparing
from vision_cli.stages.kinds.kind import Measured, Wanted
from vision_cli.stages.running import place_inference

Tallies = PixelTallies | SegmentTallies
_PHOTO_PIXELS = ("pixel_accuracy", "miou", "boundary_f1")
_PHOTO_SEGMENTS = ("pq", "sq", "rq")


class PixelKind:
    """`semantic` and `panoptic`; `said` is what came of the comparison with the labels, a photo at a time."""

    def say(self, runner: Runner, dataset: Dataset, progress: Progress, what: str) -> Tallies:
        """Return the tallies of a data set's photos.

        Raises:
            DataError: a photo is refused, the model gives values that are not numbers, or a photo is not of the size
                that its labels are for.
        """
        card, paths = runner.card, dataset.paths()
        labels = _labels(card, dataset)
        found: Tallies = _tallies(card)
        for answer in place_inference.answers(runner, paths, progress, what=what):
            try:
                comparing.add(found, labels, answer)
            except DataError as error:
                raise DataError(f"{paths[len(found)]}: {error.message}", hint=error.hint) from error
        return found

    def chosen(self, card: Card, said: Tallies, dataset: Dataset) -> tuple[Card, Tallies]:
        """Return both as they are: there is nothing to choose."""
        return card, said

    def measure(self, card: Card, said: Tallies, dataset: Dataset, wanted: Wanted) -> Measured:
        """Measure every metric of the task."""
        names, resamples = card.classes.names, wanted.resamples
        if isinstance(said, SegmentTallies):
            found = segments.measure(said, names, card.place_decode.things, resamples=resamples)
            return Measured(found, {"segments": _counts(said, names), "settings": {"resamples": resamples}})
        settings = {"boundary_tolerance": TOLERANCE, "resamples": resamples}
        more = {"confusion": _square(said.confusion).tolist(), "settings": settings}
        return Measured(pixels.measure(said, names, resamples=resamples), more)

    def weighted(self, card: Card, said: Tallies, dataset: Dataset, names: Collection[str]) -> list[Part]:
        """Return some metrics as functions of how much each photo counts."""
        of_class = card.classes.names
        if isinstance(said, SegmentTallies):
            return weighted_sums.parts([segments.question(said, of_class, card.place_decode.things)], names)
        return weighted_sums.parts(pixels.questions(said, of_class), names)

    def columns(self, card: Card, said: Tallies, dataset: Dataset) -> Mapping[str, Any]:
        """Return the classes that each photo shows, those that the model sees in it, and the photo's own figures."""
        names = card.classes.names
        if isinstance(said, SegmentTallies):
            sums = said.sums.astype(np.int64)
            there, seen = sums[:, FOUND] + sums[:, MISSED], sums[:, FOUND] + sums[:, FALSE]
            figures, shown = segments.of_photos(said, names, card.place_decode.things), _PHOTO_SEGMENTS
            counts = {name: sums[:, row].sum(axis=1) for name, row in _ROWS.items()}
        else:
            there, seen = said.counts[:, 1], said.counts[:, 2]
            figures, shown, counts = pixels.of_photos(said, names), _PHOTO_PIXELS, {}
        return {
            "truth": _named(names, there > 0),
            "predicted": _named(names, seen > 0),
            **{name: [_number(each) for each in figures[name].tolist()] for name in shown},
            **counts,
        }


_ROWS = {"found": FOUND, "false": FALSE, "missed": MISSED}


def _labels(card: Card, dataset: Dataset) -> comparing.Labels:
    things = np.isin(np.arange(len(card.classes)), np.asarray(card.place_decode.things, dtype=np.int64))
    background = place_truth.background(dataset.with_classes(card.classes))
    return comparing.Labels(place_truth.truth(dataset, card.classes, card.task), things, background)


def _tallies(card: Card) -> Tallies:
    number = len(card.classes)
    return SegmentTallies(number) if card.task == "panoptic" else PixelTallies(number)


def _counts(said: SegmentTallies, names: tuple[str, ...]) -> dict[str, dict[str, int]]:
    """Return how many segments of each class were found, false and missed."""
    sums = said.sums.sum(axis=0).astype(np.int64)
    return {name: {what: int(sums[row, place]) for what, row in _ROWS.items()} for place, name in enumerate(names)}


def _square(confusion: Ints) -> Ints:
    """Return (C + 1, C + 1), as for objects: the last column is nothing said, the last row has no pixel."""
    return np.concatenate([confusion, np.zeros((1, confusion.shape[1]), dtype=np.int64)])


def _named(names: tuple[str, ...], there: Bools) -> list[list[str]]:
    return [[names[place] for place in np.flatnonzero(row).tolist()] for row in there]


def _number(value: float) -> float | None:
    return value if np.isfinite(value) else None
