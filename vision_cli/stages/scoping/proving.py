"""How many test photos prove each KPI that is advised, by the intervals that `vision eval` judges with."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from vision_cli import metrics
from vision_cli.core import kpi
from vision_cli.core.errors import UsageError
from vision_cli.core.kpi import DEFAULT_CONFIDENCE
from vision_cli.metrics import sample_size
from vision_cli.metrics.sample_size import POWER, Classes, Goal
from vision_cli.scoping import kpi_advice
from vision_cli.scoping.approach import OBJECTS
from vision_cli.scoping.kpi_advice import Advice
from vision_cli.scoping.outcomes import OUTCOMES

_ERROR_SPREAD = 0.756
"""Standard deviation of absolute errors as a share of their mean: of normal errors, sqrt(pi / 2 - 1)."""
_AREA_SPREAD = 0.25
"""Standard deviation of the IoU of one class from photo to photo; our assumption."""
_ALIKE = 0.1
"""Correlation of being found among the objects of one photo; our assumption."""
_MOST_CLASSES = 100


@dataclass(frozen=True, slots=True)
class Target:
    """A KPI with what proves it.

    Attributes:
        advice: the KPI, why it fits, and its trap.
        kpi: as `vision eval` takes it.
        photos: test photos that prove it; None where no number does, or nobody can say.
        stands_on: what is counted and assumed.
        confidence: of the interval that has to pass.
    """

    advice: Advice
    kpi: str
    photos: int | None
    stands_on: str
    confidence: float = DEFAULT_CONFIDENCE

    def as_json(self) -> dict[str, Any]:
        """Return the members that `--json` prints."""
        return {
            "kpi": self.kpi,
            "metric": self.advice.metric,
            "bound": self.advice.bound,
            "confidence": self.confidence,
            "why": self.advice.why,
            "trap": self.advice.trap,
            "test_photos": self.photos,
            "if_truly": self.advice.true,
            "chance": POWER,
            "stands_on": self.stands_on,
        }


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the task's answers.

    Attributes:
        task: a key of OUTCOMES.
        classes: number of classes.
        objects: a photo; None where nobody said.
    """

    task: str
    classes: int
    objects: float | None


def targets(
    advised: tuple[Advice, ...], wanted: tuple[str, ...], known: Known, *, runtime: str | None = None
) -> tuple[Target, ...]:
    """Return the user's own KPIs, or the advised ones, each with its number of photos.

    Args:
        advised: for the task.
        wanted: texts of the user.
        known: of the task.
        runtime: that advised limits of time are measured with.

    Raises:
        UsageError: a KPI that is no such, or none of the task.
    """
    if wanted:
        return tuple(_own(text, known) for text in wanted)
    texts = [f"{each.text} @ {runtime}" if runtime and each.kind == "time" else each.text for each in advised]
    return tuple(_proved(each, text, known) for each, text in zip(advised, texts, strict=True))


def _own(text: str, known: Known) -> Target:
    found = kpi.parse(text)
    trained = OUTCOMES[known.task].trains_as
    if trained is None:
        raise UsageError(f"--kpi: nothing is trained for {OUTCOMES[known.task].title}, so nothing is measured.")
    card = metrics.metric_card(found.metric, trained)
    if trained not in card.tasks:
        raise UsageError(
            f"--kpi '{text}': {found.metric} is measured for {' and '.join(card.tasks)}, and the task is {trained}.",
            hint=f"`vision metrics list` names those for {trained}.",
        )
    metrics.check_range(found, card.unit)
    advice = kpi_advice.for_metric(found.metric, found.op, found.bound, known.task)
    return _proved(advice, text.strip(), known, confidence=found.confidence or DEFAULT_CONFIDENCE)


def _proved(advice: Advice, text: str, known: Known, *, confidence: float = DEFAULT_CONFIDENCE) -> Target:
    photos, stands_on = _counted(advice, known, confidence)
    return Target(advice, text, photos, stands_on, confidence)


def _counted(advice: Advice, known: Known, confidence: float) -> tuple[int | None, str]:
    goal = Goal(advice.bound, advice.true, confidence)
    classes = min(max(2, known.classes), _MOST_CLASSES)
    match advice.kind:
        case "share":
            return sample_size.trials_of_share(goal), "photos, each right or wrong"
        case "rare":
            return sample_size.trials_of_share(goal), "photos of that one class"
        case "classes":
            return _averaged(goal, advice, known, classes)
        case "objects":
            return _of_objects(goal, known)
        case "areas":
            trials = advice.true * (1 - advice.true) / _AREA_SPREAD**2
            found = sample_size.photos_of_average(goal, Classes((1.0,) * classes, trials))
            return found, f"{classes} classes in every photo, IoU varying by {_AREA_SPREAD} from photo to photo"
        case "mean":
            found = sample_size.photos_of_mean(goal, _ERROR_SPREAD)
            return (
                found,
                "normal errors; the bound is a placeholder until you know the unit"
                if known.task == "regress"
                else ("normal errors"),
            )
        case "time":
            return sample_size.photos_of_percentile(0.95, advice.true, confidence), (
                f"timed photos, of which {advice.true:.0%} truly keep the limit"
            )
        case _:
            return None, "nobody can say before the first measurement: `vision eval` tells how many are missing"


def _averaged(goal: Goal, advice: Advice, known: Known, classes: int) -> tuple[int | None, str]:
    f_score = advice.metric == "f1"
    if known.task == "classify":
        even = Classes((1 / classes,) * classes, f_score=f_score, exclusive=True)
        return sample_size.photos_of_average(goal, even), f"{classes} classes, equally frequent"
    even = Classes((0.2,) * classes, f_score=f_score)
    return sample_size.photos_of_average(goal, even), f"{classes} tags, each in a fifth of the photos"


def _of_objects(goal: Goal, known: Known) -> tuple[int | None, str]:
    """Count photos for figures of objects.

    An object is about one trial (tests/metrics/test_sample_size.py), less where objects of a photo are alike: Kish's
    design effect 1 + (objects - 1) correlation (Kish 1965, Survey sampling).
    """
    objects = known.objects or OBJECTS.get(known.task, 1.0)
    trials_a_photo = objects / max(1.0, 1 + (objects - 1) * _ALIKE)
    classes = min(max(1, known.classes), _MOST_CLASSES)
    if classes == 1:
        trials = sample_size.trials_of_share(goal)
        photos = None if trials is None else math.ceil(trials / max(trials_a_photo, 0.01))
        return photos, f"{objects:.2g} objects a photo, of one class{_alike(objects)}"
    each = Classes((1.0,) * classes, trials_a_photo / classes)
    photos = sample_size.photos_of_average(goal, each)
    return photos, f"{objects:.2g} objects a photo, of {classes} classes{_alike(objects)}"


def _alike(objects: float) -> str:
    return f"; found alike within a photo, correlation {_ALIKE}" if objects > 1 else ""
