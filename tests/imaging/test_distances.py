"""Distances, against all pairs of pixels."""

from __future__ import annotations

import numpy as np
import pytest

from vision_cli.imaging.distances import spread, to_nearest_px


@pytest.mark.parametrize("seed", range(4))
def test_distances_are_those_of_all_pairs(seed: int) -> None:
    chosen = np.random.default_rng(seed).random((23, 37)) < 0.01
    chosen[3, 4] = True
    y, x = np.indices(chosen.shape)
    at_y, at_x = np.nonzero(chosen)
    all_pairs = np.hypot(y[..., None] - at_y, x[..., None] - at_x).min(axis=-1)
    assert to_nearest_px(chosen) == pytest.approx(all_pairs, abs=1e-5)


def test_nothing_chosen_is_infinitely_far() -> None:
    assert np.isinf(to_nearest_px(np.zeros((3, 4), dtype=bool))).all()


@pytest.mark.parametrize("seed", range(4))
def test_values_spread_from_the_nearest_known_pixel(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 100, (23, 37)).astype(np.int16)
    known = rng.random(values.shape) < 0.05
    known[0, 0] = True
    found = spread(values, known, 4.0)
    at_y, at_x = np.nonzero(known)
    for y, x in np.ndindex(values.shape):
        distances = np.hypot(y - at_y, x - at_x)
        near = distances.min()
        if known[y, x] or near > 4.2:
            assert found[y, x] == values[y, x]
        elif near < 3.8:
            nearly = distances <= near * 1.06
            assert found[y, x] in values[at_y[nearly], at_x[nearly]]


def test_nothing_spreads_from_nothing() -> None:
    values = np.arange(6, dtype=np.int16).reshape(2, 3)
    assert (spread(values, np.zeros((2, 3), dtype=bool), 9.0) == values).all()
    assert (spread(values, np.ones((2, 3), dtype=bool), 9.0) == values).all()
