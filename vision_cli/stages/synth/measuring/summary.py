"""What a run made, in figures."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from vision_cli.labelling.cost import Bill, Plan, bill
from vision_cli.stages.synth.making.maker import Record

_SHARES = (0, 10, 50, 90, 100)
_SPREAD = ("size_px", "visibility", "angle_deg", "tilt_deg", "contrast")


@dataclass(frozen=True, slots=True)
class Spread:
    """How a figure of the objects is spread: its least, its 10th, 50th and 90th percentile, and its largest value."""

    name: str
    least: float
    low: float
    middle: float
    high: float
    largest: float


@dataclass(frozen=True, slots=True)
class Summary:
    """All photos of a run.

    Attributes:
        photos: number of them.
        negatives: those without any object.
        objects: number of them.
        classes: name, and number of its objects.
        backgrounds: how many were used.
        spreads: of what was drawn for the objects.
        truncated: objects that leave their photo.
        occluded: objects that something hides a part of.
        on_planes: objects on a surface of the scene.
        looks: how many objects have each.
        blends: how many photos have each.
        rejects: what was tried in vain, by reason.
    """

    photos: int
    negatives: int
    objects: int
    classes: dict[str, int]
    backgrounds: int
    spreads: tuple[Spread, ...]
    truncated: int
    occluded: int
    on_planes: int
    looks: dict[str, int]
    blends: dict[str, int]
    rejects: dict[str, int]


@dataclass(frozen=True, slots=True)
class Saved:
    """What it would have cost to label the photos by hand, one after the other.

    Attributes:
        by_hand: with its rate, and where that comes from.
        seconds_a_photo: that this run took for a photo; None when it made none.
    """

    by_hand: Bill
    seconds_a_photo: float | None

    def as_json(self) -> dict[str, Any]:
        """Return the members that `--json` prints."""
        return {"by_hand": self.by_hand.as_json(), "seconds_a_photo": self.seconds_a_photo}


def saved(photos: int, seconds_a_photo: float | None) -> Saved:
    """Return the bill of the same number of photos labelled by hand."""
    return Saved(bill(Plan(photos), "in-house"), seconds_a_photo)


def summary(records: Iterable[Record], classes: Iterable[str]) -> Summary:
    """Count photos and what is in them."""
    counts: dict[str, Counter[str]] = {name: Counter() for name in ("class", "look", "blend", "rejects", "flag")}
    figures = {name: array("d") for name in _SPREAD}
    backgrounds: set[str] = set()
    for record in records:
        backgrounds.add(record["background"])
        counts["blend"][record["blend"]] += 1
        counts["rejects"].update(record["rejects"])
        counts["flag"].update(photos=1, negatives=not record["objects"])
        for each in record["objects"]:
            _count(counts, figures, each)
    flags = counts["flag"]
    return Summary(
        photos=flags["photos"],
        negatives=flags["negatives"],
        objects=counts["class"].total(),
        classes={name: counts["class"][name] for name in classes},
        backgrounds=len(backgrounds),
        spreads=tuple(_spread(name, values) for name, values in figures.items() if values),
        truncated=flags["truncated"],
        occluded=flags["occluded"],
        on_planes=flags["on_planes"],
        looks=dict(counts["look"].most_common()),
        blends=dict(sorted(counts["blend"].items())),
        rejects=dict(counts["rejects"].most_common()),
    )


def _count(counts: dict[str, Counter[str]], figures: dict[str, array[float]], each: Record) -> None:
    counts["class"][each["class"]] += 1
    counts["look"][each["look"]] += 1
    counts["flag"].update(truncated=each["truncated"], occluded=each["occluded"], on_planes=each["plane"] is not None)
    for name, values in figures.items():
        values.append(each[name])


def _spread(name: str, values: array[float]) -> Spread:
    return Spread(name, *(round(float(value), 3) for value in np.percentile(values, _SHARES)))
