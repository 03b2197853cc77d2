"""What to label next, by hand-made scores and points."""

import numpy as np
import pytest

from vision_cli.labelling import choosing
from vision_cli.labelling.assigning import assign


def test_entropy_and_margin_by_hand():
    scores = np.array([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0], [0.25, 0.25, 0.5]])
    assert choosing.entropy(scores, independent=False).tolist() == pytest.approx([1.0, 0.0, 1.5])
    assert choosing.margin(scores, independent=False).tolist() == pytest.approx([1.0, 0.0, 0.75])
    several = np.array([[0.5, 1.0], [0.9, 0.1]])
    assert choosing.entropy(several, independent=True).tolist() == pytest.approx([0.5, 0.4689955935892812])
    assert choosing.margin(several, independent=True).tolist() == pytest.approx([1.0, 0.2])


def test_equal_figures_keep_their_order():
    assert choosing.highest(np.array([1.0, 2.0, 2.0, 0.0]), 3).tolist() == [1, 2, 0]


def on_circle(*degrees):
    return np.stack([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))], axis=1)


def test_k_centre_takes_the_farthest_and_keeps_away_from_what_is_known():
    rows = on_circle(0, 1, 90, 180, 181)
    chosen, far = choosing.k_centre(rows, on_circle(0), 2)
    assert chosen.tolist() == [3, 2]
    assert far.tolist() == pytest.approx([2.0, np.sqrt(2)])


def test_k_centre_is_within_twice_the_best_radius():
    rng = np.random.default_rng(5)
    rows = on_circle(*rng.uniform(0, 360, 12))

    def radius(chosen):
        return max(min(np.linalg.norm(row - rows[each]) for each in chosen) for row in rows)

    from itertools import combinations

    best = min(radius(each) for each in combinations(range(12), 3))
    assert radius(choosing.k_centre(rows, np.empty((0, 2)), 3)[0]) <= 2 * best + 1e-9


def test_copies_are_chosen_once_and_all_can_be_chosen():
    rows = np.ones((4, 3))
    for chosen, _ in (
        choosing.k_centre(rows, np.empty((0, 3)), 9),
        choosing.k_means_plus_plus(rows, np.empty((0, 3)), 9, np.random.default_rng(0)),
    ):
        assert sorted(chosen.tolist()) == [0, 1, 2, 3]


def test_k_means_plus_plus_is_the_seeds_and_never_a_copy_of_what_is_known():
    rows, known = on_circle(0, 0, 90, 180), on_circle(0)
    first = choosing.k_means_plus_plus(rows, known, 2, np.random.default_rng(1))[0].tolist()
    assert first == choosing.k_means_plus_plus(rows, known, 2, np.random.default_rng(1))[0].tolist()
    assert sorted(first) == [2, 3]


@pytest.mark.parametrize(("photos", "people", "overlap"), [(20, 5, 2), (7, 3, 3), (11, 4, 1), (0, 2, 1)])
def test_photos_are_shared_evenly_and_everybody_meets_everybody(photos, people, overlap):
    found = assign(photos, people, overlap, np.random.default_rng(0))
    load = np.bincount(found.ravel(), minlength=people)
    assert load.max() - load.min() <= 1
    assert all(len(set(row)) == overlap for row in found.tolist())
    if (photos, people, overlap) == (20, 5, 2):
        pairs = {tuple(row) for row in found.tolist()}
        assert len(pairs) == 10
