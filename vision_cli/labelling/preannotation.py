"""What a model said as annotations that people correct.

Today's `Predictions` are of whole photos: choices with a score, or a value. Boxes of a detector enter here as well:
rows with x, y, w, h and a score beside those that `rows` makes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vision_cli.core.artefact import Card
from vision_cli.core.errors import UsageError
from vision_cli.core.predictions import Predictions
from vision_cli.core.tasks import PHOTO_TASKS

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Suggested:
    """A model's answers.

    Attributes:
        rows: by columns of `annotations`, with `class` as a name in place of `class_id`.
        silent: photos about which the model is too unsure.
    """

    rows: list[Row]
    silent: int


def check_task(path: Path, card: Card, what: str) -> None:
    """Refuse a model whose answers are no whole photo's.

    Args:
        path: of the model.
        card: of the model.
        what: it is asked for.

    Raises:
        UsageError: it finds objects or areas.
    """
    if card.task not in PHOTO_TASKS:
        raise UsageError(
            f"{path}: a model of the task '{card.task}' cannot {what} yet; those of {', '.join(PHOTO_TASKS)} can.",
            hint="Its results as a data set (COCO, with `score` in the annotations) can be exported as suggestions.",
        )


def suggest(predictions: Predictions, card: Card, image_ids: Sequence[int], *, at_least: float = 0.0) -> Suggested:
    """Return the annotations that a model suggests.

    Args:
        predictions: one a photo.
        card: of the model: task, classes, thresholds.
        image_ids: of the photos, in the same order.
        at_least: smallest score of a suggestion; a value has none and is always suggested.
    """
    rows: list[Row] = []
    silent = 0
    for image_id, scores in zip(image_ids, predictions.scores, strict=True):
        found = _of_photo(scores, card, at_least)
        silent += not found
        rows += [{"image_id": image_id, **row} for row in found]
    return Suggested(rows, silent)


def _of_photo(scores: np.ndarray[Any, np.dtype[np.float64]], card: Card, at_least: float) -> list[Row]:
    if card.task == "regress":
        return [{"value": float(scores[0]), "score": 1.0}]
    if card.task == "multilabel":
        chosen = np.flatnonzero(scores >= np.array(card.photo_decode.thresholds))
    else:
        chosen = np.array([int(scores.argmax())])
    return [
        {"class": card.classes.names[index], "score": float(scores[index])}
        for index in chosen.tolist()
        if scores[index] >= at_least
    ]
