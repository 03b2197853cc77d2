"""What a description may come to: the tasks of the toolkit, and what is no such task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

NOT_VISION, TEXT, UNCLEAR, COUNT = "not_vision", "text_recognition", "unclear", "count"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One of the answers.

    Attributes:
        title: what people in the field call it.
        answers: what the model says of a photo.
        trains_as: value of `task` in the project file; None where nothing is trained here.
        apart: what tells it apart from its neighbours.
    """

    title: str
    answers: str
    trains_as: str | None
    apart: str


OUTCOMES: Mapping[str, Outcome] = {
    "classify": Outcome(
        "image classification",
        "one class of the whole photo",
        "classify",
        "one answer a photo, and it does not matter where in the photo",
    ),
    "multilabel": Outcome(
        "multi-label classification",
        "any number of tags of the whole photo",
        "multilabel",
        "several classes may be true of one photo at once, and it does not matter where",
    ),
    "detect": Outcome(
        "object detection",
        "a box and a class for each object",
        "detect",
        "it matters where things are, and a box is exact enough",
    ),
    "instance": Outcome(
        "instance segmentation",
        "the exact outline of each object",
        "instance",
        "a box is not exact enough, and objects that touch are kept apart",
    ),
    "semantic": Outcome(
        "semantic segmentation",
        "a class for each pixel",
        "semantic",
        "areas and surfaces matter, not how many objects they are made of",
    ),
    "panoptic": Outcome(
        "panoptic segmentation",
        "a class for each pixel, and things told apart",
        "panoptic",
        "areas and single objects are both wanted, and no pixel is left out",
    ),
    "regress": Outcome(
        "image regression",
        "a number for the whole photo",
        "regress",
        "the answer is a quantity on a scale, where near misses count less than far ones",
    ),
    COUNT: Outcome(
        "object counting, through detection",
        "the number of objects, each of them with a box",
        "detect",
        "only the number is asked; it is counted from boxes, which show what was counted",
    ),
    TEXT: Outcome(
        "text recognition (OCR)",
        "letters and digits",
        None,
        "the answer is written in the photo: it is read, not told from its looks",
    ),
    NOT_VISION: Outcome(
        "not a vision problem",
        "nothing that photos show",
        None,
        "the answer lies in tables, time series, sound or text, not in photos",
    ),
    UNCLEAR: Outcome(
        "unclear",
        "nothing yet",
        None,
        "the description fits several tasks, or says no wish that a model can answer",
    ),
}
NAMES = tuple(OUTCOMES)
"""In the order of the classifier's columns."""
