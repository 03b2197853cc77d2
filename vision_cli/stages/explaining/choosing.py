"""Which validation photos are explained where none are named: some that were answered wrong, and some right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vision_cli.core import attributes
from vision_cli.core.dataset import Dataset
from vision_cli.core.decoding.answers import PhotoObjects, PhotoPixels, PlaceAnswer
from vision_cli.core.detections import Truth
from vision_cli.core.errors import DataError
from vision_cli.core.place_targets import IGNORED
from vision_cli.core.progress import Progress
from vision_cli.core.tasks import OBJECT_TASKS, PLACE_TASKS
from vision_cli.core.truth_maps import class_map, rows_of
from vision_cli.reports.browse_errors import RIGHT, judge
from vision_cli.reports.browse_labels import Layer
from vision_cli.stages import data as view_data
from vision_cli.stages import place_truth
from vision_cli.stages.explaining import learned_from
from vision_cli.stages.explaining.asked import ExplainRequest
from vision_cli.stages.explaining.subject import Subject
from vision_cli.stages.running import answers, inference, place_inference
from vision_cli.stages.running.place_rows import classes_of

if TYPE_CHECKING:
    from vision_cli.runtimes.torch import TorchRunner

_LOOKED_AT = 64
"""Photos of a detector or segmenter, from all over the split: each costs a second on a CPU."""
_WHAT = "validation"


@dataclass(frozen=True, slots=True)
class Chosen:
    """A photo that is to be explained.

    Attributes:
        path: of the photo.
        truth: its label, or how right the answer is, in words; None where it is not known.
        chosen_as: `wrong`, `right`, `worst` or `best`; None where the user named it.
    """

    path: Path
    truth: str | None = None
    chosen_as: str | None = None


def chosen(request: ExplainRequest, subject: Subject, progress: Progress) -> list[Chosen]:
    """Return validation photos: the surest wrong and right answers, or the worst and best where things are found.

    The test split is never looked at.

    Raises:
        UsageError: the model learned elsewhere, or the project names no data.
        DataError: there is no validation photo.
    """
    from vision_cli.runtimes.torch import TorchRunner

    data = learned_from.view_of(request, subject, what="vision explain without photos")
    part = view_data.align(data.part("val"), subject.card.classes)
    if not len(part):
        raise DataError("the validation split has no photo.", hint="Name photos: vision explain photo.jpg")
    runner = TorchRunner(subject.card, subject.network, 0.0)
    if subject.card.task in PLACE_TASKS:
        return _by_figure(_figures(runner, part, progress), request.number)
    return _by_answer(runner, part, request.number, progress)


def _by_answer(runner: TorchRunner, part: Dataset, number: int, progress: Progress) -> list[Chosen]:
    card, paths = runner.card, part.paths()
    shares = attributes.shares(card.model, part.images)
    answered = inference.predict_readable(runner, paths, progress, what=_WHAT, shares=shares)
    place = {path: at for at, path in enumerate(paths)}
    known = answers.truths(view_data.targets(part, card.task), card.task, card.classes.names)
    truths = [known[place[path]] for path in answered.paths]
    said = answers.answers(answered.predictions, card)
    if card.task == "regress":
        pairs = zip(answered.paths, truths, said, strict=True)
        return _by_figure([(path, -abs(float(truth) - float(word)), truth) for path, truth, word in pairs], number)
    sure = [each or 0.0 for each in answers.confidences(answered.predictions, card)]
    order = np.argsort(np.negative(sure), kind="stable").tolist()
    wrong = [row for row in order if said[row] != truths[row]][:number]
    right = _by_class([row for row in order if said[row] == truths[row]], said, number)
    kinds = [*((row, "wrong") for row in wrong), *((row, "right") for row in right)]
    return [Chosen(answered.paths[row], truths[row], kind) for row, kind in kinds]


def _by_class(rows: Sequence[int], said: Sequence[str], number: int) -> list[int]:
    """Return the first rows of as many classes as possible, then further ones."""
    turn: dict[str, int] = {}
    ranked = []
    for at, row in enumerate(rows):
        turn[said[row]] = turn.get(said[row], -1) + 1
        ranked.append((turn[said[row]], at, row))
    return [row for _, _, row in sorted(ranked)[:number]]


def _by_figure(rated: Sequence[tuple[Path, float, str]], number: int) -> list[Chosen]:
    """Return the photos of the lowest figures, then those of the highest; no photo is both."""
    order = sorted(rated, key=lambda each: each[1])
    half = min(number, (len(order) + 1) // 2)
    best = order[half:][::-1][:number]
    return [
        *(Chosen(path, words, "worst") for path, _, words in order[:half]),
        *(Chosen(path, words, "best") for path, _, words in best),
    ]


def _figures(runner: TorchRunner, part: Dataset, progress: Progress) -> list[tuple[Path, float, str]]:
    """Return how right the answers about photos from all over a split are: a figure of 0..1, and words."""
    rows = np.linspace(0, len(part) - 1, min(len(part), _LOOKED_AT)).astype(int)
    part = part.select(np.isin(np.arange(len(part)), rows))
    truth = place_truth.truth(part, part.classes, runner.card.task)
    background = place_truth.background(part)
    found = []
    for at, (path, answer) in enumerate(place_inference.readable(runner, part.paths(), progress, what=_WHAT)):
        if isinstance(answer, DataError):
            continue
        if runner.card.task in OBJECT_TASKS and isinstance(answer, PhotoObjects):
            found.append((path, *_objects(truth, at, answer.above(runner.card.place_decode.confidence))))
        else:
            found.append((path, *_pixels(truth, at, background, answer)))
    return found


def _objects(truth: Truth, photo: int, answer: PhotoObjects) -> tuple[float, str]:
    """Return the F1 at an IoU of 0.5 of one photo; 1 where there is nothing and nothing was found."""
    rows = rows_of(truth, photo)
    boxes = truth.xyxy()[rows]
    there, said = (
        Layer(np.zeros(len(ids), np.int64), ids, boxes=np.column_stack([edges[:, :2], edges[:, 2:] - edges[:, :2]]))
        for ids, edges in ((truth.class_id[rows].astype(np.int64), boxes), (answer.classes, answer.boxes))
    )
    _, kinds = judge(there, said, 1, truth.ignored[rows])
    right, labelled, number = int((kinds == RIGHT).sum()), int((~truth.ignored[rows]).sum()), len(answer)
    figure = 2 * right / (labelled + number) if labelled + number else 1.0
    return figure, f"{right} of {labelled} objects found, {number - right} found in excess"


def _pixels(truth: Truth, photo: int, background: int, answer: PlaceAnswer) -> tuple[float, str]:
    """Return the share of a photo's labelled pixels that have the right class."""
    classes = answer.classes if isinstance(answer, PhotoPixels) else classes_of(answer)  # type: ignore[arg-type]
    real = class_map(truth, photo, background)
    labelled = real != IGNORED
    figure = float((real == classes)[labelled].mean()) if labelled.any() else 1.0
    return figure, f"{figure:.0%} of its labelled pixels are right"
