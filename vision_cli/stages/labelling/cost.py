"""`vision data cost`: the bill and the days of labelling."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from vision_cli.core.errors import UsageError
from vision_cli.core.project import Project
from vision_cli.formats import conserving
from vision_cli.labelling.cost import WAYS, Bill, Plan, Unit, Way, bill
from vision_cli.stages.labelling import answer_sets
from vision_cli.stages.labelling.answer_sets import AS_FOUND, PathOptions

_PLURALS = {"box": "boxes", "polygon": "polygons"}

__all__ = ["Bill", "CostRequest", "CostResult", "Plan", "Unit", "cost"]


@dataclass(frozen=True, slots=True)
class CostRequest:
    """What to estimate.

    Attributes:
        plan: photos and people; photos and objects are counted where `data` is given and they are not.
        project: declares views.
        data: a view or a path.
        photos: number of them; None counts them.
        objects: boxes or polygons a photo; None counts them.
        way: one of WAYS; all of them when None.
        seconds: of an answer, in place of the table's.
        dollars: likewise.
        path: how the data set of a path is read.
    """

    plan: Plan
    project: Project
    data: str | None = None
    photos: int | None = None
    objects: float | None = None
    way: Way | None = None
    seconds: float | None = None
    dollars: float | None = None
    path: PathOptions = AS_FOUND


@dataclass(frozen=True, slots=True)
class CostResult:
    """The bill.

    Attributes:
        plan: photos and people.
        bills: one a way.
    """

    plan: Plan
    bills: tuple[Bill, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the members that `--json` prints."""
        plan = self.plan
        return {
            "photos": plan.photos,
            "unit": plan.unit,
            "objects_a_photo": None if plan.unit == "image" else plan.objects,
            "annotators": plan.annotators,
            "hours_a_day": plan.hours,
            "overlap": plan.overlap,
            "review": plan.review,
            "bills": [each.as_json() for each in self.bills],
        }


def cost(request: CostRequest) -> CostResult:
    """Estimate what labelling costs.

    Raises:
        UsageError: no number of photos or objects, or numbers out of range.
        DataError: the data is refused.
    """
    if request.way is None and (request.seconds is not None or request.dollars is not None):
        raise UsageError("--seconds and --price are of one way.", hint="Say which: --way in-house.")
    if request.objects is not None and request.plan.unit == "image":
        raise UsageError("--objects counts boxes or polygons.", hint="Say what is paid: --unit box or --unit polygon.")
    plan = _counted(request)
    ways = WAYS if request.way is None else (request.way,)
    bills = [bill(plan, way, seconds=request.seconds, dollars=request.dollars) for way in ways]
    return CostResult(plan, tuple(bills))


def _counted(request: CostRequest) -> Plan:
    """Return the plan with photos and objects, counted where nobody says them."""
    photos, objects = request.photos, request.objects
    if photos is None or (objects is None and request.plan.unit != "image" and request.data is not None):
        if request.data is None:
            raise UsageError("how many photos?", hint="Say --photos 50000, or name a view or a path.")
        dataset = answer_sets.find(request.project, request.data, options=request.path)
        kinds = conserving.shapes(dataset.annotations)
        drawn = kinds.polygons | kinds.mask if request.plan.unit == "polygon" else kinds.place
        photos = len(dataset) if photos is None else photos
        if objects is None and len(dataset) and drawn.any():
            objects = float(drawn.sum()) / len(dataset)
    if objects is None and request.plan.unit != "image":
        raise UsageError(
            f"how many {_PLURALS[request.plan.unit]} a photo?",
            hint="Say --objects 3.5, or name a view or a path that has some.",
        )
    return replace(request.plan, photos=photos, objects=1.0 if objects is None else objects)
