"""Intervals over photos: weighted figures are those of photos that are really drawn again, and they cover."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from simulated_objects import scene

from vision_cli.core.dataset import ClassMap
from vision_cli.core.detections import Detections, Truth
from vision_cli.metrics.detection import ObjectsRequest, measure
from vision_cli.metrics.detection.arrays import TWELVE, by_class
from vision_cli.metrics.detection.evaluator import evaluate
from vision_cli.metrics.detection.tables import coco_questions, number_of_resamples

NAMES = ClassMap(("a", "b", "c"))


def drawn(truth: Truth, said: Detections, photos: np.ndarray) -> tuple[Truth, Detections]:  # type: ignore[type-arg]
    """Return the photos again, each as often as it was drawn."""
    parts = [(np.flatnonzero(truth.photo == photo), np.flatnonzero(said.photo == photo)) for photo in photos]
    of_truth, of_said = (np.concatenate([part[side] for part in parts]) for side in (0, 1))
    places = [np.repeat(np.arange(len(photos)), [len(part[side]) for part in parts]) for side in (0, 1)]
    sizes = truth.sizes[photos]
    return (
        replace(truth.select(of_truth), photo=places[0], sizes=sizes),
        replace(said.select(of_said), photo=places[1], sizes=sizes),
    )


@pytest.mark.parametrize("seed", range(3))
def test_weighted_photos_are_photos_drawn_again(seed: int) -> None:
    """The evaluator itself, on copies of photos, is the reference of the weighted sums."""
    truth, said = scene(seed, photos=25, objects=8, decimals=12)
    questions = coco_questions(evaluate(truth, said, 3), TWELVE)
    rng = np.random.default_rng(seed)
    for _ in range(4):
        photos = rng.integers(0, 25, 25)
        weights = np.bincount(photos, minlength=25).astype(np.float32)[:, None]
        judged = evaluate(*drawn(truth, said, photos), 3)
        for question in questions:
            for name, found in question.figures(weights).items():
                expected = by_class(judged, name)
                # AP may read a hundredth's precision one step off where recall lies on it; and copies of a photo tie.
                close = 1e-6 if name.startswith("ar") else 0.02
                assert found[:, 0] == pytest.approx(expected, abs=close, nan_ok=True), name


def test_figures_of_the_photos_themselves() -> None:
    truth, said = scene(5, photos=25, objects=8)
    judged = evaluate(truth, said, 3)
    for question in coco_questions(judged, TWELVE):
        for name, found in question.figures(np.ones((25, 1))).items():
            assert found[:, 0] == pytest.approx(by_class(judged, name), abs=0.01, nan_ok=True)


def test_intervals_narrow_with_photos_and_keep_to_their_seed() -> None:
    few, many = (
        measure(ObjectsRequest(*scene(1, photos=photos), NAMES, confidences=(0.5,), resamples=200)).measurement
        for photos in (25, 400)
    )
    for key in ("ap", "ap50", "ap_large", "ar_100", "f1", "recall[b]", "voc2012_ap", "error_background", "count_mae"):
        wide, narrow = (each.intervals[key].high - each.intervals[key].low for each in (few, many))
        assert 2 < wide / narrow < 8, key  # About the root of 16.
    request = ObjectsRequest(*scene(1), NAMES, confidences=(0.5,), resamples=50)
    first, again, other = (measure(replace(request, seed=seed)).measurement for seed in (1, 1, 2))
    assert first.intervals == again.intervals
    assert first.intervals["ap"] != other.intervals["ap"]
    assert first.values == other.values


def test_intervals_cover_what_many_photos_give() -> None:
    whole = measure(ObjectsRequest(*scene(100, photos=1500), NAMES, confidences=(0.5,), resamples=1)).measurement.values
    covered = {key: 0 for key in ("ap50", "ap", "recall", "precision[a]", "f1[b]", "count_mae")}
    sets = 40
    for seed in range(sets):
        found = measure(ObjectsRequest(*scene(seed, photos=40), NAMES, confidences=(0.5,), resamples=100)).measurement
        for key in covered:
            interval = found.intervals[key]
            covered[key] += interval.low <= float(whole[key] or 0) <= interval.high
    assert min(covered.values()) >= 0.85 * sets, covered


def test_large_sets_are_drawn_less_often() -> None:
    class Work:
        def __init__(self, work: float) -> None:
            self.work = work

    assert number_of_resamples([Work(1e3)], 1000) == 1000  # type: ignore[list-item]
    assert number_of_resamples([Work(1e12)], 1000) == 200  # type: ignore[list-item]
    assert number_of_resamples([Work(1e12)], 50) == 50  # type: ignore[list-item]
    assert number_of_resamples([Work(5e6), Work(5e6)], 1000) == 600  # type: ignore[list-item]
