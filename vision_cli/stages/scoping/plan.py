"""The approach: what to begin with, what labelling costs, whether synthetic photos serve, what to settle first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vision_cli.labelling.cost import Bill, Plan, Unit, Way, bill
from vision_cli.scoping import approach, deployment, synthetic
from vision_cli.scoping.approach import Approach
from vision_cli.scoping.deployment import Matter
from vision_cli.scoping.synthetic import Synthetic

if TYPE_CHECKING:
    from vision_cli.stages.scoping.looking import Seen

_HANDS: tuple[Way, ...] = ("in-house", "agency")


@dataclass(frozen=True, slots=True)
class Labelling:
    """The photos to label, and what that takes.

    Attributes:
        photos: to learn from and to test on, beyond those that are labelled.
        unit: what is paid.
        objects: boxes or outlines a photo.
        bills: one a way.
    """

    photos: int
    unit: str
    objects: float
    bills: tuple[Bill, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the members that `--json` prints."""
        return {
            "photos": self.photos,
            "unit": self.unit,
            "objects_a_photo": None if self.unit == "image" else self.objects,
            "bills": [each.as_json() for each in self.bills],
        }


@dataclass(frozen=True, slots=True)
class Whole:
    """All of the approach.

    Attributes:
        trains_as: value of `task` in the project file; None where nothing is trained here.
        begin: by amount of data; None where nothing is trained.
        labelling: cost and days; None likewise.
        synthetic: whether made photos serve; None likewise.
        pretrained: what published weights do as they are, and what others have made.
        public_sets: that hold photos of the user's classes.
        instead: what to take where this is not the tool.
        words: the field's words by the user's.
        deployment: questions to settle.
        data: what was seen; None without --data.
    """

    trains_as: str | None
    begin: Approach | None
    labelling: Labelling | None
    synthetic: Synthetic | None
    pretrained: tuple[str, ...]
    public_sets: tuple[str, ...]
    instead: tuple[str, ...]
    words: Mapping[str, str]
    deployment: tuple[Matter, ...]
    data: Seen | None

    def as_json(self) -> dict[str, Any]:
        """Return the members that `--json` prints."""
        begin = self.begin
        return {
            "trains_as": self.trains_as,
            "amount": None if begin is None else begin.amount,
            "method": None if begin is None else begin.method,
            "steps": [] if begin is None else list(begin.then),
            "labelling": self.labelling,
            "synthetic": self.synthetic,
            "pretrained": list(self.pretrained),
            "public_sets": list(self.public_sets),
            "instead": list(self.instead),
            "words": dict(self.words),
            "deployment": list(self.deployment),
            "data": self.data,
        }


@dataclass(frozen=True, slots=True)
class Facts:
    """What the plan follows from.

    Attributes:
        task: a key of OUTCOMES that is trained here.
        text: description, in small letters.
        photos: labelled ones; None where nobody said.
        classes: number of classes.
        objects: a photo; None where nobody said.
        test_photos: that prove the main KPI; None where unknown.
        known: whether published weights answer some of the words.
    """

    task: str
    text: str
    photos: int | None
    classes: int
    objects: float | None
    test_photos: int | None
    known: bool


def labelled(facts: Facts) -> Labelling:
    """Return what it takes to label enough photos to begin with, the test set included."""
    each = 1 if facts.task == "regress" else max(1, facts.classes)
    learn = approach.FIRST[facts.task] * each
    wanted = learn + (facts.test_photos or learn // 4)
    photos = max(0, wanted - (facts.photos or 0))
    unit: Unit = approach.UNITS.get(facts.task, "image")
    objects = facts.objects or approach.OBJECTS.get(facts.task, 1.0)
    plan = Plan(photos, unit, objects)
    made = bill(Plan(photos, "image"), "synthetic")
    return Labelling(photos, unit, objects, (*(bill(plan, way) for way in _HANDS), made))


def begun(facts: Facts) -> tuple[Approach, Synthetic]:
    """Return how to begin, and whether synthetic photos serve."""
    found = approach.begin(facts.task, facts.photos, facts.classes, known=facts.known)
    return found, synthetic.judge(facts.task, facts.text)


def matters(target: str | None, latency_ms: float | None) -> tuple[Matter, ...]:
    """Return the questions of deployment."""
    return deployment.matters(target, latency_ms)
