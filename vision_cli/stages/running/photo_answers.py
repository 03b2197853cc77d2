"""What a model says of whole photos, as rows that people and programs read."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vision_cli.core.artefact import Card
from vision_cli.core.predictions import Predictions
from vision_cli.imaging import draw
from vision_cli.stages.running import answers

_TOP = 5
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model said of one photo.

    Attributes:
        path: of the photo.
        answer: class name, names joined by `|`, or a value.
        confidence: 0..1; None for values.
        scores: by class name, highest first; empty for values.
        value: only for `regress`.
        likeness: to the examples, only of few-shot classes: -1 to 1.
    """

    path: Path
    answer: str
    confidence: float | None
    scores: Mapping[str, float]
    value: float | None = None
    likeness: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the members that `--json` prints."""
        row: dict[str, Any] = {"path": self.path, "answer": self.answer}
        if self.value is not None:
            return {**row, "value": self.value}
        like = {} if self.likeness is None else {"likeness": self.likeness}
        return {**row, "confidence": self.confidence, "scores": dict(self.scores), **like}


def rows_of(paths: Sequence[Path], predictions: Predictions, card: Card) -> list[Answer]:
    """Return one row a photo."""
    words = answers.answers(predictions, card)
    sure = answers.confidences(predictions, card)
    rows = zip(paths, words, sure, predictions.scores, strict=True)
    if card.task == "regress":
        return [Answer(path, word, None, {}, float(scores[0])) for path, word, _, scores in rows]
    return [Answer(path, word, confidence, _top(scores, card)) for path, word, confidence, scores in rows]


def _top(scores: NDArray[Any], card: Card) -> dict[str, float]:
    order = np.argsort(-scores, kind="stable")[:_TOP]
    return {card.classes.names[index]: float(scores[index]) for index in order}


def csv_text(rows: Iterable[Answer]) -> str:
    """Return one line a photo."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["path", "answer", "confidence", "scores"])
    for row in rows:
        scores = answers.SEPARATOR.join(f"{name}={score:.6f}" for name, score in row.scores.items())
        writer.writerow([row.path, row.answer, "" if row.confidence is None else f"{row.confidence:.6f}", scores])
    return text.getvalue()


def picture(photo: NDArray[np.uint8], row: Answer) -> NDArray[np.uint8]:
    """Return a photo uint8 (H, W, 3) with the answer under it."""
    if row.value is not None:
        return draw.caption(photo, [draw.Line(row.answer)])
    return draw.caption(photo, [draw.Line(name, score) for name, score in list(row.scores.items())[:_SHOWN]])
