"""What a detector or segmenter says of a photo, as rows that people and programs read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vision_cli.core import rle
from vision_cli.core.artefact import Card
from vision_cli.core.decoding.answers import PhotoObjects, PhotoPixels, PhotoSegments, PlaceAnswer
from vision_cli.core.detections import of_edges

_DIGITS = 2
_IN_WORDS = 4


@dataclass(frozen=True, slots=True)
class Found:
    """One object.

    Attributes:
        label: class name.
        class_id: index into the class map.
        confidence: 0 to 1.
        box: x, y, width, height in pixels of the photo, edges counted.
        mask: COCO's compressed run lengths, of the photo's size; None where only boxes are found.
    """

    label: str
    class_id: int
    confidence: float
    box: tuple[float, float, float, float]
    mask: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the members that `--json` prints."""
        row = {"class": self.label, "confidence": round(self.confidence, 6), "box": list(self.box)}
        return row if self.mask is None else {**row, "mask": self.mask}


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """What the model said of one photo.

    Attributes:
        path: of the photo.
        size_px: (width, height).
        objects: best first; those at or above the model's confidence.
        shares: of the photo's pixels, by class name, largest first; None where pixels have no class.
        regions: COCO's compressed run lengths of the pixels of each class that are no object's; None likewise.
    """

    path: Path
    size_px: tuple[int, int]
    objects: tuple[Found, ...] = ()
    shares: Mapping[str, float] | None = None
    regions: Mapping[str, str] | None = None

    @property
    def answer(self) -> str:
        """Return it in a few words: `12 RBC, 1 WBC`, or `61% road, 20% sky and 3 more`."""
        if self.objects or self.shares is None:
            names = [found.label for found in self.objects]
            counts = sorted({name: names.count(name) for name in names}.items(), key=lambda pair: -pair[1])
            return _listed([f"{number} {name}" for name, number in counts])
        return _listed([f"{share:.0%} {name}" for name, share in self.shares.items() if share >= 0.005])

    def as_json(self) -> dict[str, Any]:
        """Return the members that `--json` prints."""
        row: dict[str, Any] = {"path": self.path, "width": self.size_px[0], "height": self.size_px[1]}
        if self.shares is not None:
            row["shares"] = {name: round(share, 6) for name, share in self.shares.items()}
        if self.regions is not None:
            row["regions"] = dict(self.regions)
        return {**row, "objects": [found.as_json() for found in self.objects]}


def _listed(parts: Sequence[str]) -> str:
    """Return the first parts, and how many more there are."""
    more = len(parts) - _IN_WORDS
    return (", ".join(parts[:_IN_WORDS]) or "nothing") + (f" and {more} more" if more > 0 else "")


def row_of(path: Path, answer: PlaceAnswer, card: Card) -> PlaceRow:
    """Return the row of one photo."""
    match answer:
        case PhotoObjects():
            return PlaceRow(path, answer.size_px, _objects(answer.above(card.place_decode.confidence), card))
        case PhotoPixels():
            return PlaceRow(path, answer.size_px, (), *_pixels(answer.classes, card))
        case PhotoSegments():
            shares = _pixels(classes_of(answer), card)[0]
            stuff = np.where(np.append(False, answer.is_thing)[answer.ids], np.int16(-1), classes_of(answer))
            return PlaceRow(path, answer.size_px, _segments(answer, card), shares, _pixels(stuff, card)[1])


def read_row(path: Path, document: Mapping[str, Any], card: Card) -> PlaceRow:
    """Read what `PlaceRow.as_json` wrote."""
    found = tuple(
        Found(
            each["class"], card.classes.index(each["class"]), each["confidence"], tuple(each["box"]), each.get("mask")
        )
        for each in document["objects"]
    )
    size_px = (int(document["width"]), int(document["height"]))
    return PlaceRow(path, size_px, found, document.get("shares"), document.get("regions"))


def classes_of(answer: PhotoSegments) -> np.ndarray[Any, np.dtype[np.int16]]:
    """Return the class of each pixel, -1 where there is no segment."""
    return np.append(np.int16(-1), answer.classes.astype(np.int16))[answer.ids]


def _objects(answer: PhotoObjects, card: Card) -> tuple[Found, ...]:
    masks = answer.masks or [None] * len(answer)
    rows = zip(answer.classes.tolist(), answer.scores.tolist(), of_edges(answer.boxes).tolist(), masks, strict=True)
    return tuple(
        Found(
            card.classes.names[name],
            name,
            score,
            tuple(round(value, _DIGITS) for value in box),
            None if mask is None else rle.to_text(mask),
        )
        for name, score, box, mask in rows
    )


def _segments(answer: PhotoSegments, card: Card) -> tuple[Found, ...]:
    found = []
    for row in np.flatnonzero(answer.is_thing).tolist():
        mask = answer.ids == row + 1
        counts = rle.encode(mask)
        x, y, width, height = map(float, rle.box(counts, mask.shape[0]))
        name = int(answer.classes[row])
        score, text = float(answer.scores[row]), rle.to_text(counts)
        found.append(Found(card.classes.names[name], name, score, (x, y, width, height), text))
    return tuple(sorted(found, key=lambda each: -each.confidence))


def _pixels(classes: np.ndarray[Any, Any], card: Card) -> tuple[dict[str, float], dict[str, str]]:
    """Return share and run lengths of each class that there is, the largest first."""
    counts = np.bincount(classes[classes >= 0], minlength=len(card.classes)) / classes.size
    there = [int(index) for index in np.argsort(-counts, kind="stable") if counts[index] > 0]
    names = card.classes.names
    regions = {names[index]: rle.to_text(rle.encode(classes == index)) for index in there}
    return {names[index]: float(counts[index]) for index in there}, regions
