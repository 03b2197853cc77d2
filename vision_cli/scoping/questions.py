"""The one question that decides between two tasks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vision_cli.scoping.outcomes import COUNT, NOT_VISION, OUTCOMES, TEXT
from vision_cli.scoping.wording import Worded


@dataclass(frozen=True, slots=True)
class Question:
    """A question with its answers.

    Attributes:
        text: that people are asked.
        answers: what may be said, with the task that it means.
    """

    text: str
    answers: tuple[tuple[str, str], ...]

    def as_json(self) -> dict[str, object]:
        """Return the members that `--json` prints."""
        return {"text": self.text, "answers": [{"answer": said, "task": task} for said, task in self.answers]}


_ANSWERS: Mapping[str, str] = {
    "classify": "exactly one class for the whole photo",
    "multilabel": "every tag that is true of the photo, possibly several",
    "detect": "where each object is, as a box",
    "instance": "the exact outline of each object",
    "semantic": "which part of the photo is what, as areas of pixels",
    "panoptic": "every pixel named, and each object on its own",
    "regress": "a quantity on a scale, such as years or kilograms",
    COUNT: "how many objects there are",
    TEXT: "what is written in the photo",
    NOT_VISION: "something that photos do not show: it comes from tables, sensors, sound or text",
}
_PAIRS: Mapping[frozenset[str], str] = {
    frozenset(pair.split()): text
    for pair, text in {
        "classify multilabel": "Can two of the classes be true of one photo at the same time?",
        "classify detect": "Is it enough to know what the photo shows, or must you know where in the photo it is?",
        "multilabel detect": "Is it enough to know what occurs in a photo, or must you know where each thing is?",
        "classify regress": "Is the answer one of some names, or a number on a scale where near misses count less?",
        "detect instance": "Is a box around each object exact enough, or do you need its outline?",
        "detect count": "Do you need to see where each object is, or only how many there are?",
        "detect semantic": "Do you look for single things that can be counted, or for areas and surfaces?",
        "instance semantic": "Must objects that touch be told apart, or is their area together enough?",
        "instance panoptic": "Do you need the objects only, or the whole picture with its surroundings, too?",
        "semantic panoptic": "Is the area of each class enough, or must single objects be told apart as well?",
        "count regress": "Is it a number of things that one could point at, or a quantity such as kilograms?",
        "classify count": "Do you want to know what it is, or how many there are?",
        "detect text_recognition": "Is it enough to find where the writing is, or must it be read?",
        "classify text_recognition": "Is the answer written in the photo, or do you tell it from the looks?",
        "regress text_recognition": "Is the number written in the photo, or must it be estimated from the looks?",
    }.items()
}
_SAY_LITTLE = frozenset({"photo", "find", "either"})
_FEW_WORDS = 8
OPEN = "What should the answer for one photo be?"
_MOST = ("classify", "multilabel", "detect", "instance", "semantic", "panoptic", COUNT, "regress", TEXT, NOT_VISION)


def deciding(candidates: tuple[str, ...], said: Worded) -> Question:
    """Return the question between the two likeliest tasks; an open one where the description says nothing of a form.

    Args:
        candidates: two keys of OUTCOMES, the likelier first.
        said: the description.
    """
    if is_open(said):
        return open_question()
    text = _PAIRS.get(frozenset(candidates), OPEN)
    if NOT_VISION in candidates:
        text = "Do photos show the answer, or does it come from tables, sensors, sound or text?"
    return Question(text, tuple((_ANSWERS[name], name) for name in candidates))


def is_open(said: Worded) -> bool:
    """Return whether a description says so little that no two tasks are the likeliest."""
    return "vague" in said.concepts or (not said.concepts - _SAY_LITTLE and len(said.text.split()) < _FEW_WORDS)


def open_question() -> Question:
    """Return the question between all tasks."""
    return Question(OPEN, tuple((_ANSWERS[name], name) for name in _MOST if name in OUTCOMES))
