"""From which score on a box counts: as the model says, as the user says, or all of them for evaluators."""

from __future__ import annotations

from dataclasses import replace

from vision_cli.core.artefact import Card
from vision_cli.core.contracts import Runner
from vision_cli.core.errors import UsageError
from vision_cli.core.tasks import OBJECT_TASKS

_WITH_SCORES = (*OBJECT_TASKS, "panoptic")
_MOST_NAMES = 5


def choose(runner: Runner, confidence: float | None) -> None:
    """Let a model's objects count from another confidence on, the same for every class; None leaves its own.

    Raises:
        UsageError: the task has no scored objects, or the model drops boxes of that score before suppression.
    """
    if confidence is not None:
        runner.card = counting(runner.card, confidence)


def counting(card: Card, confidence: float) -> Card:
    """Return a card with which objects count from another confidence on; see `choose`.

    Raises:
        UsageError: as `choose`.
    """
    if card.task not in _WITH_SCORES:
        raise UsageError(
            f"--confidence: a model of the task '{card.task}' answers with no objects that have a score.",
            hint="Leave it out.",
        )
    floor = card.place_decode.score_floor
    if confidence < floor:
        raise UsageError(
            f"--confidence {confidence:g}: the model drops boxes below {floor:g} before suppression.",
            hint=f"Give {floor:g} or more.",
        )
    return _counting(card, confidence)


def silent(card: Card) -> tuple[str, ...]:
    """Return a note on classes that the model's own confidence silences, by what was measured on validation photos."""
    if card.task not in OBJECT_TASKS:
        return ()
    figures, least = card.metrics, card.place_decode.confidence
    names = [
        f"'{name}'"
        for name in card.classes.names
        if figures.get(f"recall[{name}]") == 0 and figures.get(f"ap50[{name}]")
    ]
    if not names:
        return ()
    shown = ", ".join(names[:_MOST_NAMES]) + (
        f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    )
    low, high = (f"{each:.3g}" for each in (min(least), max(least)))
    span = low if low == high else f"{low} to {high}"
    return (
        f"From the model's confidence on ({span}) none of {shown} was found in the validation photos, and less sure "
        "answers were right: a lower --confidence shows them.",
    )


def down_to_floor(card: Card) -> Card:
    """Return a card with which all objects count that decoding leaves: what an evaluator of AP is given."""
    return _counting(card, 0.0)


def _counting(card: Card, confidence: float) -> Card:
    return replace(card, decode=replace(card.place_decode, confidence=(confidence,)))
