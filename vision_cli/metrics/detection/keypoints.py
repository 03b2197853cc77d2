"""Average precision of keypoints by object keypoint similarity (OKS), COCO's ten numbers, for imported results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vision_cli.core.errors import DataError
from vision_cli.core.measurement import Spread
from vision_cli.metrics.detection import ObjectsRequest, PosesMeasured, arrays
from vision_cli.metrics.detection import decisions as deciding
from vision_cli.metrics.detection.crosscheck import crosscheck
from vision_cli.metrics.detection.evaluator import COCO_IOUS, COCO_SIGMAS, MAX_POSES, Judged, about, evaluate
from vision_cli.metrics.detection.spreads import Moments, share
from vision_cli.metrics.detection.tables import Table, coco_questions, number_of_resamples, resampled
from vision_cli.metrics.subject import Figures, combined


@dataclass(frozen=True, slots=True)
class PoseFigures(Figures):
    """Figures of keypoints, and how they were measured."""

    settings: Mapping[str, Any] = field(default_factory=dict)


def measure_alone(request: ObjectsRequest) -> PosesMeasured:
    """Measure keypoints and nothing else; see `detection.measure_poses`."""
    found = measure(request)
    settings = {**about(), "kind": "keypoints", **found.settings}
    return PosesMeasured(combined([found], request.truth.n_photos), settings)


def measure(request: ObjectsRequest, sigmas: tuple[float, ...] | None = None) -> PoseFigures:
    """Measure `oks_ap` and the like, whole, with their intervals over photos.

    Args:
        request: both sides have keypoints.
        sigmas: standard deviation of each keypoint by the root of the object's area; the request's when None.

    Raises:
        DataError: not as many keypoints as sigmas; see also `Detections.check`.
    """
    sigmas = sigmas or request.sigmas or None
    _check_number(request, COCO_SIGMAS if sigmas is None else sigmas)
    judged = evaluate(request.truth, request.detections, len(request.classes), kind="keypoints", sigmas=sigmas)
    values: dict[str, float | None] = {name: arrays.whole(judged, name) for name in arrays.POSES}
    return PoseFigures(values, _spreads(request, judged, values), settings=_settings(request, judged, sigmas))


def _settings(request: ObjectsRequest, judged: Judged, sigmas: tuple[float, ...] | None) -> dict[str, Any]:
    checked = {"crosscheck": crosscheck(judged, sigmas)} if request.crosscheck else {}
    own = [each / 10 for each in COCO_SIGMAS] if sigmas is None else list(sigmas)
    return {"oks": list(COCO_IOUS), "most_poses": MAX_POSES, "sigmas": own, **checked}


def _check_number(request: ObjectsRequest, sigmas: tuple[float, ...]) -> None:
    for objects in (request.truth, request.detections):
        if objects.keypoints is None or objects.keypoints.shape[1] != len(sigmas):
            number = 0 if objects.keypoints is None else objects.keypoints.shape[1]
            raise DataError(
                f"an object has {number} keypoints, and OKS has standard deviations for {len(sigmas)}.",
                hint="COCO's are those of its 17 points of a person: other skeletons need their own.",
            )


def _spreads(request: ObjectsRequest, judged: Judged, values: dict[str, float | None]) -> dict[str, Spread]:
    tables: list[Table] = list(coco_questions(judged, arrays.POSES))
    moments = Moments({name: np.array([np.nan if value is None else value]) for name, value in values.items()})
    resamples = number_of_resamples(tables, request.resamples)
    for sums in resampled(tables, judged.truth.n_photos, resamples, np.random.default_rng(request.seed)):
        moments.add({name: deciding.mean(each) for name, each in sums.items()})
    wanted = judged.truth.photo[judged.to_find()]
    return {
        name: share(value, float(moments.standard_errors(name)[0]), (len(np.unique(wanted)), len(wanted)))
        for name, value in values.items()
        if value is not None
    }
