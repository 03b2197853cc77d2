"""What labelling costs, in money and days. Every rate says where it comes from, and every one can be replaced."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from vision_cli.core.errors import UsageError

Unit = Literal["image", "box", "polygon"]
Way = Literal["in-house", "crowd", "agency", "synthetic"]
UNITS: tuple[Unit, ...] = ("image", "box", "polygon")
WAYS: tuple[Way, ...] = ("in-house", "crowd", "agency", "synthetic")
_HOUR_S = 3600


@dataclass(frozen=True, slots=True)
class Rate:
    """What one image, box or polygon takes.

    Attributes:
        seconds: of one person, or of one machine where it is synthetic.
        dollars: for one answer of one person.
        source: where the two come from.
    """

    seconds: float
    dollars: float
    source: str


_BOX_S, _POLYGON_S = 35.0, 79.2
_BOX = "35 s a box (Su 2012, as Papadopoulos 2017 cites it)"
_POLYGON = "79 s a polygon (COCO: 22 hours a 1,000; Lin 2014)"
_HOURLY = "$6 an hour, which 30 s for $0.05 make"
_GOOGLE = "price list of Google's AI Platform Data Labeling, first tier, a labeller"
_TURK = "Mechanical Turk's price in SageMaker Ground Truth, a worker"
_RENDER = "our assumption of a rendering machine: measure yours"

RATES: dict[tuple[Way, Unit], Rate] = {
    ("in-house", "image"): Rate(30.0, 0.05, "this project's assumption: 30 s and $0.05 an image"),
    ("in-house", "box"): Rate(_BOX_S, round(_BOX_S * 6 / _HOUR_S, 4), f"{_BOX}; {_HOURLY}"),
    ("in-house", "polygon"): Rate(_POLYGON_S, round(_POLYGON_S * 6 / _HOUR_S, 4), f"{_POLYGON}; {_HOURLY}"),
    ("crowd", "image"): Rate(30.0, 0.012, f"30 s as in-house; {_TURK}"),
    ("crowd", "box"): Rate(_BOX_S, 0.036, f"{_BOX}; {_TURK}"),
    ("crowd", "polygon"): Rate(_POLYGON_S, 0.0815, f"{_POLYGON}; the price of a box by the time: our assumption"),
    ("agency", "image"): Rate(30.0, 0.035, f"30 s as in-house; {_GOOGLE}"),
    ("agency", "box"): Rate(_BOX_S, 0.063, f"{_BOX}; {_GOOGLE}"),
    ("agency", "polygon"): Rate(_POLYGON_S, 0.257, f"{_POLYGON}; {_GOOGLE}"),
    ("synthetic", "image"): Rate(1.0, 0.0003, f"1 s at $1 an hour: {_RENDER}"),
    ("synthetic", "box"): Rate(0.0, 0.0, "comes with the synthetic image"),
    ("synthetic", "polygon"): Rate(0.0, 0.0, "comes with the synthetic image"),
}
"""Of one answer. Prices of vendors are as published when this was written: ask for an offer, and give it as --price."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be labelled, and by whom.

    Attributes:
        photos: number of them.
        unit: what is paid and timed.
        objects: boxes or polygons a photo; unused for images.
        annotators: who work at the same time.
        hours: a day.
        overlap: people a photo.
        review: share of the answers that somebody looks at once more, 0 to 1; a review takes as long as an answer.
    """

    photos: int
    unit: Unit = "image"
    objects: float = 1.0
    annotators: int = 1
    hours: float = 8.0
    overlap: int = 1
    review: float = 0.0

    @property
    def answers(self) -> float:
        """Return how many answers are given, reviews included."""
        each = 1.0 if self.unit == "image" else self.objects
        return self.photos * each * (self.overlap + self.review)


@dataclass(frozen=True, slots=True)
class Bill:
    """What one way costs.

    Attributes:
        way: in-house, crowd, agency or synthetic.
        rate: that was used.
        unit: that the rate is for: a synthetic box comes with its image.
        answers: that are paid for.
        dollars: in all.
        hours: of work, of all people together.
        days: of work until all is done.
    """

    way: Way
    rate: Rate
    unit: Unit
    answers: float
    dollars: float
    hours: float
    days: float

    def as_json(self) -> dict[str, Any]:
        """Return the members that `--json` prints."""
        return {
            "way": self.way,
            "dollars": round(self.dollars, 2),
            "hours": round(self.hours, 2),
            "days": round(self.days, 2),
            "answers": self.answers,
            "rate": {
                "unit": self.unit,
                "seconds": self.rate.seconds,
                "dollars": self.rate.dollars,
                "source": self.rate.source,
            },
        }


def bill(plan: Plan, way: Way, *, seconds: float | None = None, dollars: float | None = None) -> Bill:
    """Return what a plan costs one way.

    Args:
        plan: what and who.
        way: in-house, crowd, agency or synthetic.
        seconds: of an answer, in place of the table's.
        dollars: of an answer, in place of the table's.

    Raises:
        UsageError: a number that is out of range.
    """
    _check(plan, seconds, dollars)
    unit, answers = plan.unit, plan.answers
    if way == "synthetic":  # a machine needs no second opinion, and boxes come with the image
        unit, answers = "image", float(plan.photos)
    rate = RATES[way, unit]
    if seconds is not None or dollars is not None:
        given = " and ".join(name for name, said in (("seconds", seconds), ("price", dollars)) if said is not None)
        rate = replace(rate, source=f"{given} given; else {rate.source}" if "and" not in given else "given")
    rate = replace(
        rate,
        seconds=rate.seconds if seconds is None else seconds,
        dollars=rate.dollars if dollars is None else dollars,
    )
    hours = answers * rate.seconds / _HOUR_S
    return Bill(way, rate, unit, answers, answers * rate.dollars, hours, hours / (plan.annotators * plan.hours))


def _check(plan: Plan, seconds: float | None, dollars: float | None) -> None:
    wrong = [
        text
        for fails, text in (
            (plan.photos < 0, "photos: 0 or more"),
            (plan.objects < 0, "objects a photo: 0 or more"),
            (plan.annotators < 1, "annotators: 1 or more"),
            (not 0 < plan.hours <= 24, "hours a day: above 0, at most 24"),
            (plan.overlap < 1, "overlap: 1 or more"),
            (not 0 <= plan.review <= 1, "review: a share from 0 to 1"),
            (seconds is not None and not 0 <= seconds < 1e6, "seconds: 0 or more"),
            (dollars is not None and not 0 <= dollars < 1e6, "price: 0 or more"),
        )
        if fails
    ]
    if wrong:
        raise UsageError("the plan has numbers out of range.", details=wrong)
