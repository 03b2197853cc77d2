"""From which score on a box counts: as the model says, as the user says, or all of them for evaluators."""

from __future__ import annotations

from dataclasses import replace

from vision_cli.core.artefact import Card
from vision_cli.core.contracts import Runner
from vision_cli.core.errors import UsageError
from vision_cli.core.tasks import OBJECT_TASKS

_WITH_SCORES = (*OBJECT_TASKS, "panoptic")


def choose(runner: Runner, confidence: float | None) -> None:
    """Let a model's objects count from another confidence on, the same for every class; None leaves its own.

    Raises:
        UsageError: the task has no scored objects, or the model drops boxes of that score before suppression.
    """
    if confidence is None:
        return
    task = runner.card.task
    if task not in _WITH_SCORES:
        raise UsageError(
            f"--confidence: a model of the task '{task}' answers with no objects that have a score.",
            hint="Leave it out.",
        )
    floor = runner.card.place_decode.score_floor
    if confidence < floor:
        raise UsageError(
            f"--confidence {confidence:g}: the model drops boxes below {floor:g} before suppression.",
            hint=f"Give {floor:g} or more.",
        )
    runner.card = _counting(runner.card, confidence)


def down_to_floor(card: Card) -> Card:
    """Return a card with which all objects count that decoding leaves: what an evaluator of AP is given."""
    return _counting(card, 0.0)


def _counting(card: Card, confidence: float) -> Card:
    return replace(card, decode=replace(card.place_decode, confidence=(confidence,)))
