"""Precision, recall, F1 and counts at a confidence, and the choice of it, against plain loops."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from simulated_objects import iou, nothing, scene

from vision_cli.core.dataset import ClassMap
from vision_cli.core.detections import Detections, Truth
from vision_cli.core.errors import DataError
from vision_cli.metrics.detection import ObjectsRequest, measure
from vision_cli.metrics.detection.confidence import best_confidence, choose
from vision_cli.metrics.detection.evaluator import HIT, evaluate

NAMES = ClassMap(("a", "b", "c"))
Tally = dict[int, list[int]]


def tally(truth: Truth, said: Detections, thresholds: tuple[float, ...]) -> tuple[Tally, np.ndarray]:  # type: ignore[type-arg]
    """Return hits, false alarms and objects of each class, and how many too many each photo and class has.

    COCO's matching at IoU 0.5, after dropping the detections below the threshold: by score, each takes the free object
    that it overlaps most; objects that need not be found come last, and crowds stay free.
    """
    found: Tally = {name: [0, 0, 0] for name in range(3)}
    off = np.zeros((truth.n_photos, 3))
    for photo in range(truth.n_photos):
        for name in range(3):
            objects = [r for r in range(len(truth)) if truth.photo[r] == photo and truth.class_id[r] == name]
            rows = [r for r in range(len(said)) if said.photo[r] == photo and said.class_id[r] == name]
            rows = [r for r in rows if said.scores[r] >= thresholds[name]]
            rows.sort(key=lambda row: -said.scores[row])
            taken: set[int] = set()
            wanted = [r for r in objects if not truth.ignored[r]]
            hits = false = 0
            for row in rows:
                free = [(iou(said.boxes[row], truth.boxes[r]), r) for r in wanted if r not in taken]
                best = max(free, default=(0.0, -1), key=lambda each: each[0])
                region = max(
                    (iou(said.boxes[row], truth.boxes[r], crowd=True) for r in objects if truth.ignored[r]), default=0.0
                )
                if best[0] >= 0.5:
                    taken.add(best[1])
                    hits += 1
                elif region < 0.5:
                    false += 1
            found[name][0] += hits
            found[name][1] += false
            found[name][2] += len(wanted)
            off[photo, name] = hits + false - len(wanted)
    return found, off


@pytest.mark.parametrize("thresholds", [(0.5,), (0.3, 0.6, 0.9)])
@pytest.mark.parametrize("seed", range(3))
def test_decisions_and_counts_as_plain_loops_have_them(seed: int, thresholds: tuple[float, ...]) -> None:
    truth, said = scene(seed, photos=20)
    found = measure(ObjectsRequest(truth, said, NAMES, confidences=thresholds, resamples=30)).measurement.values
    expected, off = tally(truth, said, thresholds * 3 if len(thresholds) == 1 else thresholds)
    shares = []
    for name, (hits, false, wanted) in zip(NAMES.names, expected.values(), strict=True):
        shares.append((hits / (hits + false), hits / wanted, 2 * hits / (hits + false + wanted)))
        for key, share in zip(("precision", "recall", "f1"), shares[-1], strict=True):
            assert found[f"{key}[{name}]"] == pytest.approx(share)
    for key, share in zip(("precision", "recall", "f1"), np.mean(shares, axis=0), strict=True):
        assert found[key] == pytest.approx(share)
    hits, false, wanted = np.sum(list(expected.values()), axis=0)
    assert found["precision_micro"] == pytest.approx(hits / (hits + false))
    assert found["f1_micro"] == pytest.approx(2 * hits / (hits + false + wanted))
    whole = off.sum(axis=1)
    assert found["count_mae"] == pytest.approx(np.abs(whole).mean())
    assert found["count_over"] == pytest.approx(whole.clip(0).mean())
    assert found["count_under"] == pytest.approx((-whole).clip(0).mean())
    assert found["count_mae[b]"] == pytest.approx(np.abs(off[:, 1]).mean())


def f1_at(truth: Truth, said: Detections, threshold: float) -> float:
    values = measure(ObjectsRequest(truth, said, NAMES, confidences=(threshold,), resamples=1)).measurement.values
    return float(values["f1_micro"] or 0)


def test_no_other_confidence_is_better() -> None:
    truth, said = scene(3, photos=20, decimals=1)
    (best,) = choose(truth, said, 3)
    levels = np.unique(said.scores)
    assert f1_at(truth, said, best) == max(f1_at(truth, said, float(level)) for level in levels)
    assert best not in levels  # It lies between two scores, not on one.


def test_a_confidence_of_each_class() -> None:
    truth, said = scene(3, photos=40)
    wanted = np.bincount(truth.class_id[~truth.ignored], minlength=3)
    assert wanted.min() >= 30
    found = choose(truth, said, 3, per_class=True)
    assert len(set(found)) > 1
    one = truth.class_id == 1
    assert found[1] == choose(truth.select(one), said.select(said.class_id == 1), 3)[0]
    few = truth.select((truth.class_id != 2) | (np.cumsum(truth.class_id == 2) < 20))
    common, *_ = choose(few, said, 3)
    assert choose(few, said, 3, per_class=True)[2] == common


def weak(truth: Truth, said: Detections, share: float = 0.1) -> Detections:
    """Return detections whose class 2 is never as sure as any other."""
    low = np.where(said.class_id == 2, said.scores * share / 2, share + said.scores * (1 - share))
    return replace(said, scores=low)


def test_a_rare_class_is_not_silenced_by_the_others() -> None:
    truth, said = scene(3, photos=40)
    few = truth.select((truth.class_id != 2) | (np.cumsum(truth.class_id == 2) < 20))
    unsure = weak(few, said)
    common, *_ = choose(few, unsure, 3)
    assert common > unsure.scores[unsure.class_id == 2].max()
    found = choose(few, unsure, 3, per_class=True)
    values = measure(ObjectsRequest(few, unsure, NAMES, confidences=found, resamples=1)).measurement.values
    assert values["recall[c]"]
    assert found[0] != found[2] < common


def test_a_class_that_is_never_answered_is_named() -> None:
    truth, said = scene(3, photos=40)
    unsure = weak(truth, said)

    def told(*confidences: float) -> list[str]:
        request = ObjectsRequest(truth, unsure, NAMES, confidences=confidences, resamples=1)
        measured = measure(request).measurement
        assert (not measured.values["recall[c]"]) == (confidences[-1] == 0.1)
        return [each for each in measured.warnings if "sure enough" in each]

    (warning,) = told(0.1)
    matched = judged_hits(truth, unsure)
    surest = unsure.scores[matched & (unsure.class_id == 2)].max()
    assert f"'c' (surest {surest:.3g}, needed 0.1)" in warning
    assert "'a'" not in warning
    assert "'b'" not in warning
    assert told(0.1, 0.1, 0.001) == []


def judged_hits(truth: Truth, said: Detections) -> np.ndarray:  # type: ignore[type-arg]
    judged = evaluate(truth, said, 3, kind="boxes")
    return np.asarray(judged.matching().outcomes == HIT)


def test_the_best_confidence_of_few() -> None:
    scores, hits = np.array([0.9, 0.8, 0.8, 0.2]), np.array([True, True, False, False])
    assert best_confidence(scores, hits, 2) == pytest.approx(0.5)
    assert best_confidence(scores[:1], hits[:1], 1) == pytest.approx(0.45)
    assert best_confidence(scores, ~hits & False, 2) == 0.5
    assert best_confidence(scores, hits, 0) == 0.5


def test_nothing_to_choose_from() -> None:
    truth, said = scene()
    assert choose(truth, nothing(said), 3) == (0.5,)
    assert choose(truth.select(np.zeros(len(truth), np.bool_)), said, 3, per_class=True) == (0.5, 0.5, 0.5)


@pytest.mark.parametrize("wrong", [(0.5, 0.5), (1.5,), (float("nan"),), (-0.1, 0.5, 0.5)])
def test_confidences_that_do_not_fit(wrong: tuple[float, ...]) -> None:
    with pytest.raises(DataError, match="expected one confidence, or 3"):
        measure(ObjectsRequest(*scene(), NAMES, confidences=wrong))
