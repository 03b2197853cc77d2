"""Metrics of objects, boxes or masks. Importing this imports no formula and no numpy."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from vision_cli.core.dataset import ClassMap
    from vision_cli.core.detections import Detections, Ints, Truth
    from vision_cli.core.measurement import Measurement
    from vision_cli.metrics.detection.arrays import Curves

_AP_AT = re.compile(r"ap(0[1-9]|[1-9][0-9])")


def is_ap_at(name: str) -> bool:
    """Tell whether a metric is AP at one IoU: `ap60` is at 0.60; any two digits but 00 do."""
    return _AP_AT.fullmatch(name) is not None


@dataclass(frozen=True, slots=True, eq=False)
class ObjectsRequest:
    """What to measure.

    Attributes:
        truth: the objects.
        detections: what was said of the same photos, down to low scores: AP needs them.
        classes: the class map.
        kind: what overlaps: `boxes` for `detect`, `masks` for `instance`.
        confidences: one for all classes or one each, chosen on validation photos; detections at or above it count
            for precision, recall, F1, confusion and counts. 0.5 and a warning when empty.
        names: of the metrics that KPIs ask for, so that an `ap60` is measured.
        crosscheck: run pycocotools beside the evaluator, and end where they differ.
        resamples: of the bootstrap; fewer, but 200 or more, where they would take long.
        seed: of the bootstrap.
        sigmas: of keypoints, where both sides have them: standard deviation of each by the root of the object's area;
            COCO's 17 when empty.
    """

    truth: Truth
    detections: Detections
    classes: ClassMap
    _: KW_ONLY
    kind: Literal["boxes", "masks"] = "boxes"
    confidences: tuple[float, ...] = ()
    names: tuple[str, ...] = ()
    crosscheck: bool = False
    resamples: int = 1000
    seed: int = 0
    sigmas: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class ObjectsMeasured:
    """Figures of one set of detections.

    Attributes:
        measurement: every metric of the task with its interval.
        curves: precision over recall at IoU 0.5.
        confusion: int64 (C + 1, C + 1), rows are the truth, columns what was said, the last of each is background.
        errors: how often each kind of error occurs; what it costs in AP50 is in the measurement.
        settings: evaluator, version, IoUs, limits, confidences, resamples, largest differences of a cross-check.
    """

    measurement: Measurement
    curves: Curves
    confusion: Ints
    errors: Mapping[str, int]
    settings: Mapping[str, Any]

    def as_json(self, names: tuple[str, ...]) -> dict[str, Any]:
        """Return all but the measurement as plain JSON values; classes by name."""
        return {
            "curves": self.curves.as_json(names),
            "confusion": {"classes": [*names, "background"], "matrix": self.confusion.tolist()},
            "errors": dict(self.errors),
            "evaluation": dict(self.settings),
        }


@dataclass(frozen=True, slots=True, eq=False)
class PosesMeasured:
    """Figures of keypoints alone.

    Attributes:
        measurement: `oks_ap` and its like with their intervals.
        settings: evaluator, version, limits, deviations, largest differences of a cross-check.
    """

    measurement: Measurement
    settings: Mapping[str, Any]


def measure_poses(request: ObjectsRequest) -> PosesMeasured:
    """Measure keypoints and nothing else; boxes are not looked at.

    Raises:
        DataError: truth and detections do not fit, a number is none that they can have, or not as many keypoints as
            deviations.
        AnswerIsNo: the cross-check found a difference above 1e-6.
        MissingPartError: it was asked for and pycocotools is not installed.
    """
    from vision_cli.metrics.detection import keypoints

    return keypoints.measure_alone(request)


def measure(request: ObjectsRequest) -> ObjectsMeasured:
    """Measure every metric of objects.

    Raises:
        DataError: truth and detections do not fit, or a number is none that they can have.
        AnswerIsNo: the cross-check found a difference above 1e-6.
        MissingPartError: it was asked for and pycocotools is not installed.
    """
    from vision_cli.metrics.detection import measuring

    return measuring.measure(request)
