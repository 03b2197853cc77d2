"""Kinds of errors and confusion against slow references, and against another tool's figures on real data."""

from __future__ import annotations

import coco_golden
import numpy as np
import pytest
from simulated_objects import iou, scene

from vision_cli.core.dataset import ClassMap
from vision_cli.core.detections import Detections, Truth
from vision_cli.metrics.detection import ObjectsRequest, measure
from vision_cli.metrics.detection.confidence import decide
from vision_cli.metrics.detection.errors import KINDS, errors
from vision_cli.metrics.detection.evaluator import FALSE, HIT, Judged, evaluate
from vision_cli.metrics.detection.pairs import pairs

TIDE = {
    "boxes": (
        {"class": 83, "location": 1, "both": 0, "duplicate": 1, "background": 0, "missed": 97},
        {"class": 0.16757478265235964, "location": 0.0024988213107025085, "both": 0.0,
         "duplicate": 0.0002059922591449508, "background": 0.0, "missed": 0.0822873572044746},
    ),
    "masks": (
        {"class": 76, "location": 82, "both": 7, "duplicate": 0, "background": 4, "missed": 109},
        {"class": 0.137072161093196, "location": 0.12596110748798303, "both": 0.0035071058126220815,
         "duplicate": 0.0, "background": 0.0029661639633350896, "missed": 0.07602614333560555},
    ),
}  # fmt: skip
"""What hotcoco 1.3.0 (`tide_errors`) says of the published sample."""


@pytest.mark.skipif(not coco_golden.FOLDER.is_dir(), reason="the shared data is not here")
@pytest.mark.parametrize("kind", ["boxes", "masks"])
def test_kinds_and_costs_as_another_tool_has_them(kind: str) -> None:
    truth, detections, n_classes = coco_golden.read(kind)
    classes = ClassMap(tuple(f"c{row}" for row in range(n_classes)))
    found = measure(ObjectsRequest(truth, detections, classes, kind=kind, resamples=5))  # type: ignore[arg-type]
    counts, costs = TIDE[kind]
    assert found.errors == counts
    for name, cost in costs.items():
        # It reads precision where float64 recall reaches a hundredth, ours where the recall itself does.
        assert found.measurement.values[f"error_{name}"] == pytest.approx(cost, abs=2e-4), name


def slow_kinds(judged: Judged) -> list[str]:
    """Return the kind of each detection by the paper's definitions (section 2.2), one at a time."""
    truth, said, matching = judged.truth, judged.detections, judged.matching()
    taken = set(matching.partners[matching.partners >= 0].tolist())
    kinds = []
    for row in range(len(said)):
        if matching.outcomes[row] != FALSE:
            kinds.append("hit" if matching.outcomes[row] == HIT else "ignored")
            continue
        same, other, used = 0.0, 0.0, 0.0
        for place in range(len(truth)):
            if truth.photo[place] != said.photo[row] or truth.ignored[place]:
                continue
            overlap = iou(said.boxes[row], truth.boxes[place])
            if truth.class_id[place] != said.class_id[row]:
                other = max(other, overlap)
                continue
            same = max(same, overlap)
            used = max(used, overlap if place in taken else 0.0)
        if max(same, other) < 0.1:
            kinds.append("background")
        elif 0.1 <= same < 0.5:
            kinds.append("location")
        elif other >= 0.5:
            kinds.append("class")
        else:
            kinds.append("duplicate" if used >= 0.5 else "both")
    return kinds


@pytest.mark.parametrize("seed", range(4))
def test_kinds_as_a_slow_reading_of_the_paper(seed: int) -> None:
    truth, detections = scene(seed, photos=12)
    judged = evaluate(truth, detections, 3)
    found = errors(judged, judged.matching(), pairs(truth, detections, "boxes", 0.1))
    expected = slow_kinds(judged)
    said = [KINDS[kind] if kind >= 0 else expected[row] for row, kind in enumerate(found.kinds.tolist())]
    assert said == expected
    assert {"background", "location", "class", "duplicate"} <= set(expected)
    hit = set(judged.matching().partners.tolist())
    covered = set(found.objects.tolist())
    wanted = [row for row in range(len(truth)) if not truth.ignored[row]]
    assert found.missed.tolist() == [row for row in wanted if row not in hit and row not in covered]


def test_overlaps_do_not_depend_on_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    truth, detections = scene(photos=40)
    found = pairs(truth, detections, "boxes", 0.1)
    expected = [
        (row, place, iou(detections.boxes[row], truth.boxes[place], crowd=bool(truth.crowd[place])))
        for row in range(len(detections))
        for place in range(len(truth))
        if detections.photo[row] == truth.photo[place]
    ]
    kept = [each for each in expected if each[2] >= 0.1]
    assert list(zip(found.said.tolist(), found.true.tolist(), strict=True)) == [each[:2] for each in kept]
    assert found.iou == pytest.approx([each[2] for each in kept])
    for block in (1, 50, 333):
        monkeypatch.setattr("vision_cli.metrics.detection.pairs._BLOCK", block)
        again = pairs(truth, detections, "boxes", 0.1)
        assert np.array_equal(again.said, found.said)
        assert np.array_equal(again.true, found.true)


def slow_confusion(truth: Truth, said: Detections, judged: Judged, confidence: float) -> np.ndarray:  # type: ignore[type-arg]
    """Return the matrix: hits first, then what is left over by overlap, one pair at a time."""
    matching, n = judged.matching(), judged.n_classes
    matrix = np.zeros((n + 1, n + 1), np.int64)
    left, found = [], set()
    for row in range(len(said)):
        if said.scores[row] >= confidence and matching.outcomes[row] == HIT:
            matrix[said.class_id[row], said.class_id[row]] += 1
            found.add(int(matching.partners[row]))
        elif said.scores[row] >= confidence and matching.outcomes[row] == FALSE:
            left.append(row)
    missed = [row for row in range(len(truth)) if not truth.ignored[row] and row not in found]
    close = [
        (-iou(said.boxes[row], truth.boxes[place]), row, place)
        for row in left
        for place in missed
        if said.photo[row] == truth.photo[place]
    ]
    for overlap, row, place in sorted(close):
        if -overlap >= 0.5 and row in left and place in missed:
            matrix[truth.class_id[place], said.class_id[row]] += 1
            left.remove(row)
            missed.remove(place)
    for row in left:
        matrix[n, said.class_id[row]] += 1
    for place in missed:
        matrix[truth.class_id[place], n] += 1
    return matrix


@pytest.mark.parametrize("seed", range(4))
def test_confusion_as_a_slow_one(seed: int) -> None:
    truth, said = scene(seed, photos=15)
    names = ClassMap(("a", "b", "c"))
    found = measure(ObjectsRequest(truth, said, names, confidences=(0.4,), resamples=5))
    judged = evaluate(truth, said, 3)
    assert found.confusion.tolist() == slow_confusion(truth, said, judged, 0.4).tolist()
    off = found.confusion[:3, :3].sum() - np.trace(found.confusion)
    assert off > 0
    decisions = decide(judged, judged.matching(), np.full(3, 0.4))
    assert found.confusion[:3].sum() == len(decisions.wanted)
    assert found.confusion[:, :3].sum() == len(decisions.hits) + len(decisions.false)
