"""Average precision of keypoints by object keypoint similarity (OKS), COCO's ten numbers, for imported results."""

from __future__ import annotations

import numpy as np

from vision_cli.core.errors import DataError
from vision_cli.core.measurement import Spread
from vision_cli.metrics.detection import ObjectsRequest, arrays
from vision_cli.metrics.detection import decisions as deciding
from vision_cli.metrics.detection.evaluator import COCO_SIGMAS, Judged, evaluate
from vision_cli.metrics.detection.spreads import Moments, share
from vision_cli.metrics.detection.tables import Table, coco_questions, number_of_resamples, resampled
from vision_cli.metrics.subject import Figures


def measure(request: ObjectsRequest, sigmas: tuple[float, ...] | None = None) -> Figures:
    """Measure `oks_ap` and the like, whole, with their intervals over photos.

    Args:
        request: both sides have keypoints.
        sigmas: standard deviation of each keypoint by the root of the object's area; COCO's 17 when None.

    Raises:
        DataError: not as many keypoints as sigmas; see also `Detections.check`.
    """
    _check_number(request, COCO_SIGMAS if sigmas is None else sigmas)
    judged = evaluate(request.truth, request.detections, len(request.classes), kind="keypoints", sigmas=sigmas)
    values: dict[str, float | None] = {name: arrays.whole(judged, name) for name in arrays.POSES}
    return Figures(values, _spreads(request, judged, values))


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
        name: share(value, float(moments.standard_errors(name)[0]), len(np.unique(wanted)), len(wanted))
        for name, value in values.items()
        if value is not None
    }
