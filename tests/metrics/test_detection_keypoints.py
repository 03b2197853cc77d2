"""Keypoints by OKS against pycocotools."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from simulated_objects import perfect, scene

from vision_cli.core.dataset import ClassMap
from vision_cli.core.detections import Detections, Truth
from vision_cli.core.errors import DataError
from vision_cli.metrics.detection import ObjectsRequest, arrays, keypoints, measure
from vision_cli.metrics.detection.crosscheck import crosscheck
from vision_cli.metrics.detection.evaluator import evaluate

PERSON = ClassMap(("person",))


def people(seed: int) -> tuple[Truth, Detections]:
    rng = np.random.default_rng(seed)
    truth, said = scene(seed, classes=1)
    points = truth.boxes[:, None, :2] + rng.uniform(size=(len(truth), 17, 2)) * truth.boxes[:, None, 2:]
    seen = rng.integers(0, 3, (len(truth), 17)) * (rng.uniform(size=(len(truth), 1)) < 0.9)
    truth = replace(truth, keypoints=np.concatenate([points.round(1), seen[:, :, None]], axis=2))
    near = [
        (row, place)
        for row in range(len(said))
        for place in np.flatnonzero(truth.photo == said.photo[row])[: 1 + row % 2]
    ]
    rows, places = np.array(near).T
    said = said.select(rows)
    spread = 0.06 * truth.boxes[places][:, None, 2:] * rng.uniform(0, 2, (len(places), 1, 1))
    moved = points[places] + rng.normal(size=(len(places), 17, 2)) * spread
    return truth, replace(said, keypoints=np.concatenate([moved.round(1), np.ones((len(places), 17, 1))], axis=2))


@pytest.mark.parametrize("seed", range(3))
def test_ten_numbers_from_arrays_that_are_pycocotools(seed: int) -> None:
    truth, said = people(seed)
    judged = evaluate(truth, said, 1, kind="keypoints")
    assert max(crosscheck(judged).values()) == 0
    found = measure(ObjectsRequest(truth, said, PERSON, resamples=50)).measurement
    for name in arrays.POSES:
        assert found.values[name] == arrays.whole(judged, name)
        assert found.intervals[name].low < found.values[name] < found.intervals[name].high
    assert 0.05 < found.values["oks_ap"] < found.values["oks_ap50"] < 1


def test_perfect_poses() -> None:
    truth, _ = people(0)
    truth = truth.select((truth.keypoints[:, :, 2] > 0).any(axis=1))  # type: ignore[index]
    found = keypoints.measure(ObjectsRequest(truth, perfect(truth), PERSON, resamples=20))
    assert set(found.values.values()) == {1.0}


def test_other_skeletons_need_their_own_deviations() -> None:
    truth, said = people(0)
    few_truth, few = (replace(each, keypoints=each.keypoints[:, :5]) for each in (truth, said))  # type: ignore[index]
    request = ObjectsRequest(few_truth, few, PERSON, resamples=20)
    with pytest.raises(DataError, match="an object has 5 keypoints, and OKS has standard deviations for 17"):
        keypoints.measure(request)
    found = keypoints.measure(request, sigmas=(0.05,) * 5).values
    sigmas = (0.05,) * 5
    judged = evaluate(few_truth, few, 1, kind="keypoints", sigmas=sigmas)
    assert max(crosscheck(judged, sigmas).values()) == 0
    assert found["oks_ap"] == arrays.whole(judged, "oks_ap")
    assert found["oks_ap"] != arrays.whole(evaluate(few_truth, few, 1, kind="keypoints", sigmas=(0.1,) * 5), "oks_ap")
