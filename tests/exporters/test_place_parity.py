"""When does an exported detector or segmenter decide as the network does?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from vision_cli.core import rle
from vision_cli.core.decoding.answers import PhotoObjects, PhotoPixels, PhotoSegments
from vision_cli.core.errors import DataError
from vision_cli.exporters.place_parity import Comparison, PlaceLimits, PlaceParity, mask_iou

SIZE = (400, 300)
LIMITS = PlaceLimits(confidence=(0.5,), tolerance=1e-3, agreement=0.99)


def objects(number: int = 100, seed: int = 0, *, masks: bool = False) -> PhotoObjects:
    rng = np.random.default_rng(seed)
    low = rng.uniform(0, 200, (number, 2))
    boxes = np.concatenate([low, low + rng.uniform(20, 90, (number, 2))], axis=1)
    shapes = tuple(np.array(rle.encode(rng.random((300, 400)) < 0.3)) for _ in range(number)) if masks else None
    return PhotoObjects(SIZE, boxes, np.linspace(0.99, 0.51, number), rng.integers(0, 3, number), shapes)


def compared(reference: Any, exported: Any, limits: PlaceLimits = LIMITS) -> PlaceParity:
    comparison = Comparison(limits)
    comparison.add(reference, exported)
    return comparison.result()


def changed(found: PhotoObjects, **values: Any) -> PhotoObjects:
    from dataclasses import replace

    return replace(found, **values)


def test_the_same_boxes_in_another_order_pass() -> None:
    order = np.random.default_rng(1).permutation(100)
    parity = compared(objects(), objects().select(order))
    assert (parity.agreement, parity.n_compared, parity.passed, parity.disagreements) == (1.0, 200, True, ())
    assert parity.max_score_difference == 0


@pytest.mark.parametrize(("wrong", "passed"), [(1, True), (2, False)])
@pytest.mark.parametrize("what", ["class", "place", "gone", "score"])
def test_one_box_of_a_hundred_may_differ(what: str, wrong: int, passed: bool) -> None:
    reference = objects()
    rows = np.arange(100) < wrong
    match what:
        case "class":
            other = changed(reference, classes=np.where(rows, 7, reference.classes))
        case "place":
            other = changed(reference, boxes=reference.boxes + np.where(rows, 2.0, 0.0)[:, None])
        case "gone":
            other = reference.select(~rows)
        case _:
            other = changed(reference, scores=np.where(rows, 0.4, reference.scores))
    parity = compared(reference, other)
    # A box that is gone is one of 199, a box of another class two of 200.
    share = {"gone": 1 - wrong / (200 - wrong), "score": 1 - wrong / (200 - wrong)}.get(what, 1 - wrong / 100)
    assert parity.agreement == pytest.approx(share)
    # Of those that are only missing on one side, two are 98.99 %.
    assert parity.passed == passed
    assert f"needed {0.99:.2%}" in parity.reason


def test_a_box_may_move_within_iou_99() -> None:
    box = PhotoObjects(SIZE, np.array([[0.0, 0, 100, 100]]), np.array([0.9]), np.array([0]))
    assert compared(box, changed(box, boxes=np.array([[0.0, 0, 100, 99.1]]))).passed
    assert not compared(box, changed(box, boxes=np.array([[0.0, 0, 100, 98.9]]))).passed


def test_the_smallest_overlap_is_told() -> None:
    box = PhotoObjects(SIZE, np.array([[0.0, 0, 100, 100], [200, 0, 250, 50]]), np.array([0.9, 0.8]), np.array([0, 1]))
    near = compared(box, changed(box, boxes=np.array([[0.0, 0, 100, 99.5], [200, 0, 250, 50]])))
    assert near.worst_iou == pytest.approx(0.995)
    far = compared(box, changed(box, boxes=np.array([[0.0, 0, 100, 60], [200, 0, 250, 50]])))
    assert far.worst_iou == pytest.approx(0.6)
    assert "the smallest IoU is 0.6000" in far.reason
    assert compared(box, changed(box, classes=np.array([1, 1]))).worst_iou == 0
    pixels = PhotoPixels(np.zeros((3, 4), np.int16))
    assert compared(pixels, pixels).worst_iou is None


def test_a_score_on_the_edge_is_no_decision() -> None:
    box = PhotoObjects(SIZE, np.array([[0.0, 0, 100, 100]]), np.array([0.5003]), np.array([0]))
    assert compared(box, changed(box, scores=np.array([0.4997]))).passed
    assert not compared(box, changed(box, scores=np.array([0.4900]))).passed


def test_two_boxes_do_not_match_one() -> None:
    one = PhotoObjects(SIZE, np.array([[0.0, 0, 100, 100]]), np.array([0.9]), np.array([0]))
    two = PhotoObjects(SIZE, np.repeat(one.boxes, 2, axis=0), np.array([0.9, 0.8]), np.array([0, 0]))
    assert compared(one, two).agreement == pytest.approx(2 / 3)


def test_without_confident_boxes_the_best_are_compared() -> None:
    weak = changed(objects(30), scores=np.linspace(0.3, 0.1, 30))
    parity = compared(weak, weak)
    assert (parity.n_compared, parity.passed) == (20, True)
    assert "with the best scores" in parity.reason
    moved = changed(weak, boxes=weak.boxes + 5)
    assert not compared(weak, moved).passed
    nothing = weak.select(np.zeros(30, bool))
    with pytest.raises(DataError, match="neither model finds anything"):
        compared(nothing, nothing)
    assert not compared(weak, nothing).passed


def test_masks_count_too() -> None:
    reference = objects(3, masks=True)
    other = changed(reference, masks=objects(3, seed=9, masks=True).masks)
    assert compared(reference, reference).passed
    assert not compared(reference, other).passed


def test_mask_iou_as_of_pixels() -> None:
    rng = np.random.default_rng(0)
    for share in (0.0, 0.02, 0.5, 0.97, 1.0):
        first, second = rng.random((13, 17)) < 0.5, rng.random((13, 17)) < share
        expected = (first & second).sum() / (first | second).sum()
        found = mask_iou(*(np.array(rle.encode(mask)) for mask in (first, second)))
        assert found == pytest.approx(expected)
    empty = np.array(rle.encode(np.zeros((5, 5), bool)))
    assert mask_iou(empty, empty) == 1.0


@pytest.mark.parametrize(("wrong", "passed"), [(5, True), (6, False)])
def test_pixels(wrong: int, passed: bool) -> None:
    limits = PlaceLimits((0.5,), 1e-3, 0.995)
    classes = np.random.default_rng(0).integers(0, 4, (25, 40)).astype(np.int16)
    other = classes.copy()
    other.ravel()[:wrong] += 1
    parity = compared(PhotoPixels(classes), PhotoPixels(other), limits)
    assert parity.agreement == pytest.approx(1 - wrong / 1000)
    assert (parity.passed, parity.max_score_difference, parity.n_compared) == (passed, None, 1000)
    assert parity.disagreements == (() if passed else (0,))


def test_segments() -> None:
    ids = np.zeros((20, 50), np.int32)
    ids[:, :20], ids[5:10, 30:] = 1, 2
    segments = PhotoSegments(ids, np.array([0, 2]), np.array([0.9, 1.0]), np.array([True, False]))
    swapped = PhotoSegments(
        np.array([0, 2, 1], np.int32)[ids], np.array([2, 0]), np.array([1.0, 0.9]), np.array([False, True])
    )
    assert compared(segments, swapped).agreement == 1.0
    renamed = PhotoSegments(ids, np.array([1, 2]), segments.scores, segments.is_thing)
    assert compared(segments, renamed).agreement == pytest.approx(0.6)
    split = ids.copy()
    split[:5, :20] = 3
    parts = PhotoSegments(split, np.array([0, 2, 0]), np.ones(3), np.array([True, False, True]))
    assert compared(segments, parts).agreement == pytest.approx(0.9)


def test_answers_of_two_photos_cannot_be_compared() -> None:
    with pytest.raises(DataError, match="not asked about the same photo"):
        compared(objects(), PhotoPixels(np.zeros((300, 400), np.int16)))
    with pytest.raises(DataError, match="not asked about the same photo"):
        compared(PhotoPixels(np.zeros((3, 4), np.int16)), PhotoPixels(np.zeros((4, 3), np.int16)))
    with pytest.raises(DataError, match="nothing to compare"):
        Comparison(LIMITS).result()
