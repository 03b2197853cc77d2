"""How to begin, by the amount of labelled data: rules of thumb; a learning curve of your own data is better."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Amount = Literal["none", "handful", "some", "a lot"]

HANDFUL = 20
"""Labelled photos (or objects) a class up to which they are better used to test than to learn."""
A_LOT = 1000
"""A class, and MANY in all: from there on, learning from random weights is an option."""
MANY = 100_000

FIRST: Mapping[str, int] = {
    "classify": 100,
    "multilabel": 150,
    "regress": 1000,
    "detect": 300,
    "count": 300,
    "instance": 300,
    "semantic": 150,
    "panoptic": 200,
}
"""Photos a class (for `regress` in all) to begin transfer learning with; our rule of thumb."""
UNITS: Mapping[str, Literal["box", "polygon"]] = {
    "detect": "box",
    "count": "box",
    "instance": "polygon",
    "semantic": "polygon",
    "panoptic": "polygon",
}
"""What is paid and timed when it is labelled by hand; else the photo."""
OBJECTS: Mapping[str, float] = {"detect": 2.0, "count": 8.0, "instance": 3.0, "semantic": 3.0, "panoptic": 8.0}
"""Boxes or outlines of a photo, where no data says it; our assumption."""


@dataclass(frozen=True, slots=True)
class Approach:
    """What to do with the data that there is.

    Attributes:
        amount: of labelled photos.
        method: what to try first, in a few words.
        then: what each step is, with its command.
    """

    amount: Amount
    method: str
    then: tuple[str, ...]


_FEW_SHOT = "few-shot: `vision classes add NAME photos…` and `vision predict photo.jpg`, without a training"
_TEST = "the photos that are labelled become the test set: measure with `vision eval` before anything is learned"
_TRANSFER = "transfer learning from published weights: `vision train`, frozen at first, all of the network later"
_SCRATCH = (
    "from scratch is an option: `vision train model.weights=none`, beside transfer learning, which is often as good"
)
_CURVE = "whether more photos would help is measured, not guessed: train on 25, 50 and 100 % and compare"
_PRETRAINED = "try the published weights that know your classes as they are: `vision predict --model`"
_WHOLE_PHOTO = ("classify", "multilabel")


def amount_of(task: str, photos: int | None, classes: int) -> Amount:
    """Return how much data that is.

    Args:
        task: a key of OUTCOMES.
        photos: labelled ones; None where nobody said.
        classes: number of them; 1 for a value.
    """
    if not photos:
        return "none"
    each = photos / max(1, classes) if task != "regress" else photos / 10
    if each <= HANDFUL:
        return "handful"
    return "a lot" if each >= A_LOT and photos >= MANY else "some"


def begin(task: str, photos: int | None, classes: int, *, known: bool) -> Approach:
    """Return how to begin.

    Args:
        task: that a model is trained for.
        photos: labelled ones; None where nobody said.
        classes: number of them.
        known: whether published weights answer the user's classes already.
    """
    amount = amount_of(task, photos, classes)
    pretrained = (_PRETRAINED,) if known else ()
    few = (_FEW_SHOT,) if task in _WHOLE_PHOTO else ()
    match amount:
        case "none":
            each = "in all" if task == "regress" else "a class"
            label = f"label {FIRST[task]} photos {each} to begin with: `vision data label`"
            method = "pretrained first" if known else "label some, then transfer learning"
            return Approach(amount, method, (*pretrained, *few, label, _TRANSFER))
        case "handful":
            method = "pretrained only" if known else "few-shot" if few else "label more"
            more = () if known or few else (f"label {FIRST[task]} photos a class; so few teach no {task}",)
            return Approach(amount, method, (_TEST, *pretrained, *few, *more))
        case "some":
            return Approach(amount, "transfer learning", (*pretrained, _TRANSFER, _CURVE))
        case _:
            return Approach(amount, "transfer learning, or from scratch", (*pretrained, _TRANSFER, _SCRATCH, _CURVE))
