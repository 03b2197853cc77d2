"""How often the intervals of objects' figures hold the truth: 1,000 simulated test sets of 40 photos."""

from __future__ import annotations

import numpy as np
import pytest
from simulated_objects import scene

from vision_cli.core.dataset import ClassMap
from vision_cli.metrics.detection import ObjectsRequest, measure, ranked
from vision_cli.metrics.detection.arrays import whole
from vision_cli.metrics.detection.evaluator import Judged, evaluate
from vision_cli.metrics.detection.tables import coco_questions, lifts

NAMES = ClassMap(("a", "b", "c"))
KEYS = ("ap50", "ap", "ap50[a]", "precision", "recall", "f1", "f1[b]", "count_mae")


def drawn(seed: int, photos: int) -> Judged:
    return evaluate(*scene(seed, photos=photos, decimals=12), 3)


def test_average_precision_of_the_others_is_that_of_a_slow_reference() -> None:
    """A loop over one class's ranking: each hit adds the precision of the detections before it."""
    judged = drawn(7, 12)
    question = coco_questions(judged, ["ap50"])[0]
    found = ranked.average_precisions(question.table, np.ones((12, 1)), ranked.OF_OTHERS)[1, question.columns[0][0], 0]
    _, outcomes = question.table.of_class(1)
    hits, said, total = 0, 0, 0.0
    for outcome in outcomes[:, question.columns[0][0]].tolist():
        if outcome == ranked.HIT:
            total += hits / said if said else 1.0
        hits, said = hits + (outcome == ranked.HIT), said + (outcome in (ranked.HIT, ranked.FALSE))
    assert found == pytest.approx(total / question.table.wanted[1])


def test_what_chance_lifts_is_told() -> None:
    """Means over sets of 40 photos lie above what 3,000 give; without the lift they do not."""
    true = whole(drawn(10**6, 3000), "ap50") or 0.0
    figures, lifted = [], []
    for seed in range(120):
        judged = drawn(seed, 40)
        figures.append(whole(judged, "ap50") or 0.0)
        lifted.append(float(lifts(coco_questions(judged, ["ap50"]), 40)["ap50"].mean()))
    error = float(np.std(figures)) / np.sqrt(120)
    assert np.mean(figures) > true + 0.025
    assert np.mean(figures) - np.mean(lifted) == pytest.approx(true, abs=2.5 * error)


@pytest.mark.slow
def test_intervals_hold_the_truth_95_times_in_100() -> None:
    truth = measure(ObjectsRequest(*scene(10**6, photos=3000, decimals=12), NAMES, confidences=(0.5,), resamples=1))
    values, held = truth.measurement.values, dict.fromkeys(KEYS, 0)
    for seed in range(1000):
        said = scene(seed, photos=40, decimals=12)
        found = measure(ObjectsRequest(*said, NAMES, confidences=(0.5,), resamples=100)).measurement.intervals
        for key in KEYS:
            held[key] += found[key].low <= float(values[key] or 0) <= found[key].high
    for key, number in held.items():
        assert 0.93 <= number / 1000 <= 0.985, (key, number)
