"""Near duplicates by embedding: nothing missed, few false alarms, bounded memory."""

import numpy as np
import pytest

from vision_cli.checks import neighbours
from vision_cli.checks.embedded import together
from vision_cli.checks.neighbours import Space


def _set(number: int, size: int = 96, seed: int = 0) -> np.ndarray:
    """Embeddings like a network's: positive, of components of unlike variance, in some clusters."""
    rng = np.random.default_rng(seed)
    mix = rng.normal(size=(size, size)) * (np.arange(1, size + 1)[:, None] ** -0.5)
    centres = rng.normal(size=(12, size))
    rows = rng.normal(size=(number, size)) + 0.7 * centres[rng.integers(0, 12, number)]
    return np.maximum(rows @ mix + 1, 0).astype(np.float32)


def test_the_search_misses_no_pair() -> None:
    rows = _set(1500)
    space = Space.of(rows)
    unit = rows - rows.mean(axis=0)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    every = np.argwhere(np.triu(unit @ unit.T >= 0.7, k=1))
    pairs, similarities, complete = neighbours.search(space, np.arange(1500), 0.7, np.random.default_rng(0))
    assert complete
    assert len(every) > 20
    assert {tuple(pair) for pair in pairs.tolist()} == {tuple(pair) for pair in every.tolist()}
    assert similarities == pytest.approx([float(unit[i] @ unit[j]) for i, j in pairs], abs=1e-5)


def test_finds_copies_and_hardly_anything_else() -> None:
    rows = _set(1000)
    copies = rows[:40] + np.random.default_rng(1).normal(size=(40, 96)).astype(np.float32) * 0.1
    found = neighbours.near_duplicates(np.concatenate([rows, copies]), np.arange(1040), np.random.default_rng(0))
    assert found is not None
    pairs = {tuple(pair) for pair in found.pairs.tolist()}
    planted = {(row, 1000 + row) for row in range(40)}
    assert planted <= pairs
    assert len(pairs - planted) <= 4  # no more than one in ten
    assert (np.diff(found.similarities) <= 0).all()


@pytest.mark.parametrize("seed", range(8))
def test_a_set_without_copies_has_none(seed: int) -> None:
    found = neighbours.near_duplicates(_set(800, seed=seed), np.arange(800), np.random.default_rng(0))
    assert found is not None
    assert len(found.pairs) <= 1


def test_known_groups_are_no_news() -> None:
    rows = np.repeat(_set(100), 2, axis=0)
    groups = np.arange(200) // 2
    found = neighbours.near_duplicates(rows, groups, np.random.default_rng(0))
    assert found is not None
    assert not len(found.pairs)
    without = neighbours.near_duplicates(rows, np.arange(200), np.random.default_rng(0))
    assert without is not None
    assert len(without.pairs) == 100


def test_says_nothing_of_few_photos_and_survives_blank_ones() -> None:
    assert neighbours.near_duplicates(_set(49), np.arange(49), np.random.default_rng(0)) is None
    blank = np.ones((60, 8), np.float32)
    found = neighbours.near_duplicates(blank, np.arange(60), np.random.default_rng(0))
    assert found is not None
    assert np.isfinite(found.similarities).all()


def test_the_tail_is_the_one_of_its_quantiles() -> None:
    tail = neighbours.Tail(at_percent=0.5, step=0.25, pairs=1e6)
    assert tail.expected(np.tanh(np.array([0.5, 0.75, 1.0]))) == pytest.approx([1e4, 1e3, 1e2])
    assert tail.above(100) == pytest.approx(np.tanh(1.0))


def test_pairs_and_names_chain_photos_together() -> None:
    groups = together(6, [(0, 1), (4, 5)], [None, "a", "a", None, None, None])
    assert groups[0] == groups[1] == groups[2]
    assert groups[4] == groups[5]
    assert len(set(groups.tolist())) == 3
