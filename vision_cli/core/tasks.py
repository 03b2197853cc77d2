"""The tasks: what a model answers about a photo."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from vision_cli.core.catalogue import suggestion

Task = Literal["classify", "multilabel", "regress", "detect", "instance", "semantic", "panoptic"]
PHOTO_TASKS = ("classify", "multilabel", "regress")
"""One answer about the whole photo."""
PLACE_TASKS = ("detect", "instance", "semantic", "panoptic")
"""Where things are: boxes, masks of objects, a class for each pixel, both."""
OBJECT_TASKS = ("detect", "instance")
TASKS = (*PHOTO_TASKS, *PLACE_TASKS)

_KINDS: Mapping[str, str] = {
    "classify": "one class a photo",
    "multilabel": "any number of classes a photo",
    "regress": "a number a photo",
    "detect": "a box around each object",
    "instance": "a mask of each object, so that objects can be counted",
    "semantic": "a class for each pixel, without telling objects apart",
    "panoptic": "a class for each pixel, and objects told apart",
}
_OF_PIXELS = ("semantic", "instance", "panoptic")
_SEVERAL = ("segment", "mask")
"""Beginnings of words that mean any of the tasks of pixels."""


def hint_for_task(name: str) -> str:
    """Return what to say of a word that is no task: the task that it may mean, or several and how they differ."""
    word = "".join(letter for letter in name.casefold() if letter.isalpha())
    named = [task for task in TASKS if task in word]
    several = not named and word.startswith(_SEVERAL)
    guess = named[0] if len(named) == 1 else None if several else suggestion(word, TASKS)
    if guess:
        return f"Did you mean '{guess}'?"
    kinds = "; ".join(f"{task}: {_KINDS[task]}" for task in (_OF_PIXELS if several else TASKS))
    return f"{'It may be one of three' if several else 'Use one of these'} - {kinds}."
