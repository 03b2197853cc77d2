"""Scores as the words that people read: class names, lists of names, values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from vision_cli.core.artefact import Card
from vision_cli.core.predictions import Predictions

SEPARATOR = "|"


def answers(predictions: Predictions, card: Card) -> list[str]:
    """Return the answer for each photo: a class name, names joined by `|`, or a value with 6 digits."""
    match card.task:
        case "classify":
            return [card.classes.names[index] for index in predictions.scores.argmax(axis=1)]
        case "multilabel":
            chosen = predictions.scores >= np.array(card.photo_decode.thresholds)
            return [_joined(row, card.classes.names) for row in chosen]
        case _:
            return [f"{value:.6g}" for value in predictions.scores[:, 0]]


def truths(truth: np.ndarray[Any, Any], task: str, names: Sequence[str]) -> list[str]:
    """Return the label of each photo in the same words."""
    match task:
        case "classify":
            return [names[index] for index in truth]
        case "multilabel":
            return [_joined(row, names) for row in truth]
        case _:
            return [f"{value:.6g}" for value in truth]


def confidences(predictions: Predictions, card: Card) -> list[float | None]:
    """Return how sure the model is of each answer; None for values, which come without.

    For several labels it is the confidence in the least certain of the yes and no answers.
    """
    scores = predictions.scores
    match card.task:
        case "classify":
            return [float(score) for score in scores.max(axis=1)]
        case "multilabel":
            yes = scores >= np.array(card.photo_decode.thresholds)
            return [float(score) for score in np.where(yes, scores, 1 - scores).min(axis=1)]
        case _:
            return [None] * len(predictions)


def _joined(row: np.ndarray[Any, Any], names: Sequence[str]) -> str:
    return SEPARATOR.join(names[int(index)] for index in np.flatnonzero(row))
