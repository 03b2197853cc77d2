"""Objects of two people are matched as an independent implementation matches them."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vision_cli.core import outline
from vision_cli.core.dataset import ClassMap
from vision_cli.labelling.answers import Answers
from vision_cli.labelling.matching import assignment, box_iou, match, overlaps


def by_force(cost):
    """Try every assignment."""
    if cost.shape[0] > cost.shape[1]:
        cost = cost.T
    rows = range(cost.shape[0])
    return min(sum(cost[row, column] for row, column in zip(rows, order, strict=True))
               for order in itertools.permutations(range(cost.shape[1]), cost.shape[0]))  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 5), st.integers(1, 6), st.integers(0, 2**32 - 1), st.booleans())
def test_the_assignment_is_the_cheapest(rows, columns, seed, ties):
    rng = np.random.default_rng(seed)
    cost = rng.integers(-3, 4, (rows, columns)).astype(float) if ties else rng.normal(size=(rows, columns))
    pairs = assignment(cost)
    assert len(pairs) == min(rows, columns)
    assert len(set(pairs[:, 0].tolist())) == len(set(pairs[:, 1].tolist())) == len(pairs)
    assert cost[pairs[:, 0], pairs[:, 1]].sum() == pytest.approx(by_force(cost))


def test_the_assignment_is_scipys():
    optimise = pytest.importorskip("scipy.optimize")
    cost = np.random.default_rng(3).random((60, 80))
    pairs = assignment(cost)
    rows, columns = optimise.linear_sum_assignment(cost)
    assert pairs.tolist() == np.stack([rows, columns], axis=1).tolist()


def test_iou_of_boxes_by_hand():
    one = np.array([[0.0, 0, 10, 10], [0, 0, 0, 10]])
    other = np.array([[5.0, 5, 15, 15], [20, 20, 30, 30], [0, 0, 10, 10]])
    assert box_iou(one, other)[0].tolist() == pytest.approx([25 / 175, 0, 1])
    assert box_iou(one, other)[1].tolist() == [0, 0, 0]  # without area


def test_a_greedy_choice_would_lose_a_pair():
    iou = np.array([[0.9, 0.8], [0.85, 0.0]])
    assert match(iou, 0.5).tolist() == [[0, 1], [1, 0]]
    assert match(iou, 0.95).tolist() == []


def test_the_class_decides_between_equal_overlaps():
    iou = np.ones((2, 2))
    assert match(iou, 0.5, np.array([[False, True], [True, False]])).tolist() == [[0, 1], [1, 0]]


def made(outlines, boxes, size=(20, 20)):
    number = len(boxes)
    return Answers(
        ["p"], np.array([size]), ["a"], ClassMap(("x",)), np.array([[True]]), np.zeros(number, int),
        np.zeros(number, int), np.zeros(number, int), np.full(number, np.nan), np.array(boxes, float), outlines,
    )  # fmt: skip


def test_masks_overlap_by_their_pixels_and_boxes_by_their_edges():
    left, right = np.zeros((2, 20, 20), dtype=bool)
    left[0:10, 0:10] = True
    left[5:10, 5:10] = False
    right[0:10, 0:10] = True
    boxes = [[0, 0, 10, 10]] * 3
    answers = made([outline.of_mask(left), outline.of_mask(right), None], boxes)
    rows = np.arange(3)
    found = overlaps(answers, 0, rows[:1], rows[1:])
    assert found.tolist() == [[(left & right).sum() / (left | right).sum(), 1.0]]
