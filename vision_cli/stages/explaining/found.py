"""Answers about places in a photo: boxes, regions, or both."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vision_cli.core.decoding.answers import PhotoObjects, PhotoPixels, PhotoSegments
from vision_cli.core.decoding.photos import decode_batch, objects_of
from vision_cli.core.decoding.placing import place
from vision_cli.stages.explaining import boxes, regions
from vision_cli.stages.explaining.asked import Explanation, Part
from vision_cli.stages.explaining.evidence import Look, Seen
from vision_cli.stages.running.place_rows import classes_of, row_of

if TYPE_CHECKING:
    from vision_cli.stages.explaining.boxes import Outputs


def explain(look: Look, seen: Seen) -> Explanation:
    """Return a map for each of the surest boxes, or the largest regions; of the class that was asked for alone.

    Raises:
        UsageError: the layer, the method or the family does not fit.
    """
    card = look.subject.card
    said = boxes.outputs(look, seen)
    answer = decode_batch(said.raw, card.place_decode, card.preprocess, [seen.size_px])[0]
    words = row_of(seen.path, answer, card).answer
    match answer:
        case PhotoObjects():
            parts, notes = _objects(look, seen, said, answer)
        case PhotoPixels():
            parts, notes = _pixels(look, seen, said, answer.classes)
        case PhotoSegments():
            parts, notes = _segments(look, seen, said, answer)
    return Explanation(seen.path, seen.size_px, words, None, parts=tuple(parts), notes=tuple(notes))


def _objects(look: Look, seen: Seen, said: Outputs, answer: PhotoObjects) -> tuple[list[Part], list[str]]:
    confidence = look.subject.card.place_decode.confidence
    counted = _of_class(look, answer.above(confidence))
    parts = boxes.explain(look, seen, said, counted)
    notes = [f"{len(counted) - len(parts)} more boxes: --most shows them."] if len(counted) > len(parts) else []
    if not len(counted):
        name = look.how.class_name
        what = "No box" if name is None else f"No '{name}'"
        less = (
            f" A lower --confidence would show {len(_of_class(look, answer))}." if len(_of_class(look, answer)) else ""
        )
        notes.append(f"{what} was found from the confidence on that counts ({_span(confidence)}).{less}")
    return parts, notes


def _of_class(look: Look, objects: PhotoObjects) -> PhotoObjects:
    name = look.how.class_name
    return objects if name is None else objects.select(objects.classes == look.subject.card.classes.index(name))


def _span(confidence: tuple[float, ...]) -> str:
    low, high = f"{min(confidence):.3g}", f"{max(confidence):.3g}"
    return low if low == high else f"{low} to {high}"


def _pixels(look: Look, seen: Seen, said: Outputs, classes: np.ndarray) -> tuple[list[Part], list[str]]:
    wanted = _wanted(look, classes)
    parts, notes = regions.explain(look, seen, said.raw[-1][0], classes, wanted)
    return parts, notes if wanted else [f"No pixel was answered with '{look.how.class_name}'."]


def _wanted(look: Look, classes: np.ndarray) -> list[int]:
    found = regions.largest(classes, classes.size)
    if look.how.class_name is not None:
        index = look.subject.card.classes.index(look.how.class_name)
        return [index] if index in found else []
    return found[: look.how.most]


def _segments(look: Look, seen: Seen, said: Outputs, answer: PhotoSegments) -> tuple[list[Part], list[str]]:
    """Explain things by their boxes, and stuff by its regions; each of them so many."""
    card = look.subject.card
    if len(seen.views) > 1:
        return [], [f"The model looks at {len(seen.views)} tiles: segments that go over several have no one map."]
    placement = place(seen.size_px, card.preprocess)
    objects = objects_of(tuple(each[0] for each in said.raw[:2]), card.place_decode, placement)
    parts, notes = _objects(look, seen, said, objects)
    stuff = classes_of(answer)
    stuff[np.isin(stuff, card.place_decode.things)] = -1
    more, said_of_them = regions.explain(look, seen, said.raw[-1][0], stuff, _wanted(look, stuff))
    return [*parts, *more], [*(notes if not more else []), *said_of_them]
