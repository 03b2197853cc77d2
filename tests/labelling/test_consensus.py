"""Votes, medians and clusters by hand."""

import numpy as np
import pytest

from vision_cli.core import outline
from vision_cli.core.dataset import ClassMap
from vision_cli.labelling import labels, places
from vision_cli.labelling.answers import Answers
from vision_cli.labelling.consensus import consensus

CLASSES = ("cat", "dog", "ox")


def answers(rows, people=3, photos=1, seen=None, outlines=None, size=(40, 40)):
    """Return answers of (photo, annotator, class, box or value or None)."""
    number = len(rows)
    boxes, values = np.full((number, 4), np.nan), np.full(number, np.nan)
    for place, (*_, said) in enumerate(rows):
        if isinstance(said, tuple):
            boxes[place] = said
        elif said is not None:
            values[place] = said
    ids = [-1 if name is None else CLASSES.index(name) for _, _, name, _ in rows]
    return Answers(
        [f"p{each}" for each in range(photos)],
        np.array([size] * photos),
        [f"a{each}" for each in range(people)],
        ClassMap(CLASSES),
        np.ones((photos, people), dtype=bool) if seen is None else np.array(seen, dtype=bool),
        np.array([row[0] for row in rows], dtype=np.int64),
        np.array([row[1] for row in rows], dtype=np.int64),
        np.array(ids, dtype=np.int64),
        values,
        boxes,
        outlines or [None] * number,
    )


def whole(*names):
    return [(0, who, name, None) for who, name in enumerate(names) if name]


def test_most_votes_win_and_ties_are_told_not_decided():
    found = consensus(answers(whole("cat", "cat", "dog")), 0.5)
    assert [(row.class_id, row.votes, row.of) for row in found.rows] == [(0, 2, 3)]
    found = consensus(answers(whole("cat", "dog", "ox")), 0.5)
    assert (found.rows, [tie.what for tie in found.ties]) == ([], ["cat 1, dog 1, ox 1"])
    found = consensus(answers(whole("cat", "", ""), people=2), 0.5)
    assert (found.rows, [tie.what for tie in found.ties]) == ([], ["cat 1, nothing 1"])
    found = consensus(answers(whole("cat", "", "")), 0.5)
    assert (found.rows, found.ties) == ([], [])


def test_of_several_classes_each_needs_more_than_half():
    rows = [*whole("cat", "cat", "dog", "dog"), (0, 0, "dog", None), (0, 1, "ox", None)]
    found = consensus(answers(rows, people=4), 0.5)
    assert [row.class_id for row in found.rows] == [1]
    assert [tie.what for tie in found.ties] == ["cat 2 of 4"]


def test_values_are_medians():
    found = consensus(answers([(0, 0, None, 1.0), (0, 1, None, 9.0), (0, 2, None, 2.0)]), 0.5)
    assert [row.value for row in found.rows] == [2.0]


def test_boxes_of_one_object_are_the_median_of_their_edges():
    rows = [(0, 0, "cat", (0, 0, 10, 10)), (0, 1, "cat", (1, 0, 11, 10)), (0, 2, "dog", (0, 1, 10, 12))]
    rows += [(0, 0, "ox", (30, 30, 39, 39))]  # only one person saw it
    found = consensus(answers(rows), 0.5)
    (row,) = found.rows
    assert (row.class_id, row.votes, row.box.tolist()) == (0, 3, [0, 0, 10, 10])
    assert dict(found.outvoted) == {0: 1}
    assert len(consensus(answers(rows), 0.5, votes=1).rows) == 2
    assert consensus(answers(rows), 0.99).rows == []


def test_a_tie_of_classes_leaves_the_object_open():
    rows = [(0, 0, "cat", (0, 0, 10, 10)), (0, 1, "dog", (0, 0, 10, 10))]
    found = consensus(answers(rows, people=2), 0.5)
    assert found.rows == []
    assert [(tie.what, tie.box.tolist()) for tie in found.ties] == [("cat 1, dog 1", [0, 0, 10, 10])]


def test_a_chain_of_overlaps_is_not_one_object():
    rows = [(0, who, "cat", (6 * who, 0, 6 * who + 20, 20)) for who in range(3)]  # each two neighbours overlap by 14/26
    found = consensus(answers(rows), 0.5, votes=2)
    assert [row.votes for row in found.rows] == [2]


def test_the_order_of_people_does_not_matter():
    rng = np.random.default_rng(2)
    rows = []
    for who in range(4):
        for at in (0, 12, 25):
            x, y = rng.integers(-2, 3, 2) + at + 2
            rows.append((0, who, CLASSES[rng.integers(3)], (x, y, x + 9, y + 9)))

    def boxes(order):
        shuffled = [(photo, order[who], name, box) for photo, who, name, box in rows]
        return sorted((row.class_id, *row.box.tolist()) for row in consensus(answers(shuffled, people=4), 0.4, 2).rows)

    assert boxes([0, 1, 2, 3]) == boxes([3, 1, 0, 2]) == boxes([2, 3, 1, 0])


def test_masks_are_the_pixels_that_more_than_half_cover():
    masks = np.zeros((3, 40, 40), dtype=bool)
    for place, mask in enumerate(masks):
        mask[5 : 15 + place, 5:15] = True
    rows = [(0, who, "cat", (5, 5, 15, 15 + who)) for who in range(3)]
    found = consensus(answers(rows, outlines=[outline.of_mask(mask) for mask in masks]), 0.5)
    (row,) = found.rows
    assert (outline.mask(outline.parse(row.outline), 40, 40) == (masks.sum(axis=0) >= 2)).all()
    assert row.box.tolist() == [5, 5, 15, 16]


def test_agreement_about_objects_by_hand():
    rows = [(0, 0, "cat", (0, 0, 10, 10)), (0, 0, "dog", (20, 20, 30, 30)), (0, 0, "ox", (30, 0, 39, 9))]
    rows += [(0, 1, "cat", (0, 0, 10, 8)), (0, 1, "cat", (20, 20, 30, 30))]
    made = answers(rows, people=2)
    met = places.meetings(made, 0.5)
    found = places.tally(made, met)
    assert (found.objects, found.matched, found.same_class) == (5, 2, 1)
    assert found.f1 == pytest.approx(2 * 1 / 5)
    assert found.found == pytest.approx(2 * 2 / 5)
    assert found.mean_iou == pytest.approx((0.8 + 1.0) / 2)
    assert found.class_agreement == 0.5
    assert places.of_class(made, met, 0).f1 == pytest.approx(2 * 1 / 3)
    assert places.of_class(made, met, 1).f1 == 0


def test_somebody_who_drew_nothing_disagrees_and_somebody_who_was_not_asked_does_not():
    rows = [(0, 0, "cat", (0, 0, 10, 10))]
    made = answers(rows, people=2)
    assert places.tally(made, places.meetings(made, 0.5)).f1 == 0
    made = answers(rows, people=2, seen=[[True, False]])
    assert places.meetings(made, 0.5) == []


def test_categories_of_whole_photos():
    made = answers([*whole("dog", "cat", ""), (0, 0, "cat", None)])
    found = labels.labels(made)
    assert found.categories == ("cat", "(nothing)", "cat|dog")
    assert found.chosen.tolist() == [[2, 0, 1]]
    assert found.counts().tolist() == [[1, 1, 1]]
    assert labels.has_class(made, 1).tolist() == [[1, 0, 0]]
    assert labels.class_order(made).tolist()[0][1] == 0
    assert labels.labels(answers([(0, 0, "cat", (0, 0, 1, 1))])) is None
