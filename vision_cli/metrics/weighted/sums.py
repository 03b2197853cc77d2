"""Weighted figures of pixels and segments: functions of sums over photos."""

from __future__ import annotations

from collections.abc import Collection

from vision_cli.metrics.intervals import Floats
from vision_cli.metrics.photo_sums import Question
from vision_cli.metrics.weighted import Figures, Part


def parts(questions: Collection[Question], metrics: Collection[str]) -> list[Part]:
    """Return the figures of those questions that answer one of some metrics, whole and a class."""
    wanted = [question for question in questions if any(key.split("[", 1)[0] in metrics for key in question.keys)]
    return [Part(question.keys, _of(question)) for question in wanted]


def _of(question: Question) -> Figures:
    def figures(weights: Floats) -> Floats:
        return question.formula(weights @ question.contributions)

    return figures
