"""Pascal VOC's average precision against the development kit's steps, written out on pixel boxes."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from simulated_objects import scene

from vision_cli.core.dataset import ClassMap
from vision_cli.core.detections import Detections, Truth
from vision_cli.metrics.detection import ObjectsRequest, measure

NAMES = ClassMap(("a", "b", "c"))


def in_pixels(boxes: np.ndarray) -> list[list[float]]:  # type: ignore[type-arg]
    """Return xmin, ymin, xmax, ymax as VOC's files count: the first pixel is 1, the last one is inside."""
    return [[x + 1, y + 1, x + w, y + h] for x, y, w, h in boxes.tolist()]


def devkit(truth: Truth, said: Detections, name: int) -> tuple[float, float]:
    """Return AP at 11 and at every recall, after VOCevaldet.m and VOCap.m."""
    objects, found = in_pixels(truth.boxes), in_pixels(said.boxes)
    rows = [row for row in range(len(said)) if said.class_id[row] == name]
    rows.sort(key=lambda row: -said.scores[row])
    wanted = [row for row in range(len(truth)) if truth.class_id[row] == name]
    total = sum(not truth.difficult[row] for row in wanted)
    taken: set[int] = set()
    hits = false = 0
    steps = []
    for row in rows:
        best, chosen = -1.0, -1
        for other in wanted:
            if truth.photo[other] != said.photo[row]:
                continue
            a, b = found[row], objects[other]
            width = min(a[2], b[2]) - max(a[0], b[0]) + 1
            height = min(a[3], b[3]) - max(a[1], b[1]) + 1
            if width > 0 and height > 0:
                areas = [(c[2] - c[0] + 1) * (c[3] - c[1] + 1) for c in (a, b)]
                overlap = width * height / (sum(areas) - width * height)
                if overlap > best:
                    best, chosen = overlap, other
        if best >= 0.5:
            if truth.difficult[chosen]:
                continue
            if chosen not in taken:
                hits += 1
                taken.add(chosen)
            else:
                false += 1
        else:
            false += 1
        steps.append((Fraction(hits, total), Fraction(hits, hits + false)))
    eleven = sum(max((p for r, p in steps if r >= Fraction(t, 10)), default=Fraction(0)) for t in range(11)) / 11
    every, before = Fraction(0), Fraction(0)
    for place, (recall, _) in enumerate(steps):
        every += (recall - before) * max(p for _, p in steps[place:])
        before = recall
    return float(eleven), float(every)


@pytest.mark.parametrize("seed", range(5))
def test_ap_as_the_development_kit_has_it(seed: int) -> None:
    truth, said = scene(seed, ignored=0.15)
    truth = truth.select(~truth.crowd)
    assert truth.difficult.any()
    found = measure(ObjectsRequest(truth, said, NAMES, resamples=5)).measurement.values
    expected = [devkit(truth, said, name) for name in range(3)]
    for name, (eleven, every) in zip(NAMES.names, expected, strict=True):
        assert found[f"voc2007_ap[{name}]"] == pytest.approx(eleven, abs=1e-9)
        assert found[f"voc2012_ap[{name}]"] == pytest.approx(every, abs=1e-9)
    assert found["voc2007_ap"] == pytest.approx(np.mean([each for each, _ in expected]))
    assert found["voc2012_ap"] != pytest.approx(found["ap50"], abs=1e-3)


def test_the_second_best_object_is_no_substitute() -> None:
    """COCO's rule gives a detection the free object that it overlaps less; VOC's calls it a duplicate."""
    sizes, zeros = np.array([[100, 100]]), np.zeros(2, np.int64)
    objects = np.array([[10.0, 10, 40, 40], [10, 16, 40, 40]])
    flags = {"areas": np.full(2, 1600.0), "crowd": zeros > 0, "difficult": zeros > 0}
    truth = Truth(sizes, zeros, zeros, objects, **flags)
    said = Detections(
        sizes, zeros, zeros, np.array([[10.0, 10, 40, 40], [10, 11, 40, 40]]), scores=np.array([0.9, 0.8])
    )
    found = measure(ObjectsRequest(truth, said, ClassMap(("a",)), resamples=5)).measurement.values
    assert (found["ap50"], found["voc2012_ap"]) == (1.0, 0.5)
