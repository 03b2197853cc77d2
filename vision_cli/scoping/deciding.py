"""Decide what a description asks for, with an honest confidence, or ask the one question that decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from vision_cli.scoping import classifier, questions, rules
from vision_cli.scoping.outcomes import NAMES, OUTCOMES, UNCLEAR
from vision_cli.scoping.wording import Worded, worded

LEAST_CONFIDENCE = 0.3
"""Below it, a question is better than an answer."""
_VAGUE = 0.5
"""Share of `unclear` from which on no guess is made."""
_ASK_BELOW = 0.75
"""Below it, an answer comes with the question that would make it sure."""
_MOST_REASONS = 4

Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, slots=True)
class Decision:
    """What a description asks for.

    Attributes:
        task: a key of OUTCOMES.
        confidence: of it: of descriptions with this confidence, such a share is right.
        shares: confidence of every outcome.
        second: the likeliest other outcome that can be asked about.
        reasons: one sentence each, the strongest first.
        question: that would decide; None where the task is sure enough.
        said: the description as it was looked through.
    """

    task: str
    confidence: float
    shares: Mapping[str, float]
    second: str
    reasons: tuple[str, ...]
    question: questions.Question | None
    said: Worded


def softmax(sums: Floats) -> Floats:
    """Return shares that add up to 1 along the last axis."""
    powers = np.exp(sums - sums.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def decide(description: str) -> Decision:
    """Decide what a description asks for."""
    said = worded(description)
    weights = classifier.shipped()
    fired = rules.fired(said)
    shares = softmax(classifier.logits(said, weights) / weights.temperature)
    vague = float(shares[NAMES.index(UNCLEAR)])
    order = [NAMES[index] for index in np.argsort(-shares, kind="stable") if NAMES[index] != UNCLEAR]
    best, second = candidates = (order[0], order[1])
    sure = float(shares[NAMES.index(best)]) / max(1 - vague, 1e-9)
    task = best if vague < _VAGUE and sure >= LEAST_CONFIDENCE else UNCLEAR
    question = questions.deciding(candidates, said) if task == UNCLEAR or sure < _ASK_BELOW else None
    found = dict(zip(NAMES, (round(float(share), 4) for share in shares), strict=True))
    confidence = sure if task == best else max(vague, 1 - sure)
    reasons = _reasons(task, candidates, fired, said)
    return Decision(task, round(confidence, 3), found, second, reasons, question, said)


def told(task: str, said: Worded) -> Decision:
    """Return the decision where the user says the task."""
    shares = {name: float(name == task) for name in NAMES}
    return Decision(task, 1.0, shares, task, ("you said so",), None, said)


def _reasons(task: str, candidates: tuple[str, ...], fired: list[rules.Fired], said: Worded) -> tuple[str, ...]:
    speaking = sorted((each for each in fired if each.speaks.get(task, 0) > 0), key=lambda each: -each.speaks[task])
    found = [each.reason for each in speaking]
    if task == UNCLEAR and questions.is_open(said):
        return tuple(found) or ("it says nothing of what the answer should be",)
    if task == UNCLEAR:
        one, other = (OUTCOMES[name] for name in candidates)
        return (*found, f"it may mean {one.title} ({one.answers}) or {other.title} ({other.answers})")
    if not found:
        found = [f"its wording is like that of other wishes for {OUTCOMES[task].title}"]
    denied = [f"'{name}' is waived" for name in sorted(said.denied)] if not speaking else []
    return (*[*found, *denied][:_MOST_REASONS], f"what tells it apart: {OUTCOMES[task].apart}")
