"""Every look and every blend of the tables, and the solver behind one of them against a dense one."""

from __future__ import annotations

import numpy as np
import pytest

from vision_cli.synth import BLENDS, LOOKS
from vision_cli.synth.blends import poisson
from vision_cli.synth.looks.sample import Sample
from vision_cli.synth.settings import CUTOUT_LOOKS, DEFAULT_BLENDS, DEFAULT_LOOKS


def sample() -> Sample:
    """Return a red square with a soft edge on a striped, grey wall."""
    rng = np.random.default_rng(1)
    alpha = np.zeros((60, 80), np.float32)
    alpha[10:50, 20:60] = 1
    alpha[9, 20:60] = alpha[50, 20:60] = 0.5
    ground = np.full((60, 80, 3), 120, np.float32) + 20 * (np.arange(80) % 16 < 8)[None, :, None]
    ground = (ground + rng.normal(0, 2, ground.shape)).astype(np.float32)
    colour = np.zeros((60, 80, 3), np.float32)
    colour[...] = (190, 40, 40)
    colour[25:35, 30:50] = (240, 240, 240)
    flat = np.ones((60, 80), np.float32)
    return Sample(colour, alpha, ground, flat * np.float32(0.8), flat, 40.0)


def test_the_defaults_are_in_the_tables() -> None:
    assert set(DEFAULT_LOOKS) | set(CUTOUT_LOOKS) == set(LOOKS)
    assert set(DEFAULT_BLENDS) == set(BLENDS)
    assert sum(DEFAULT_LOOKS.values()) == pytest.approx(1)


@pytest.mark.parametrize("name", list(LOOKS))
def test_a_look_keeps_shape_and_outline_and_changes_what_is_seen(name: str) -> None:
    module = LOOKS.load(name)
    assert isinstance(module.CASTS, bool)
    assert isinstance(module.NEEDS_SURFACE, bool)
    assert 0 <= module.REACH <= 0.5
    for seed in range(6):
        before, after = sample(), module.apply(sample(), np.random.default_rng(seed))
        assert after.colour.shape == before.colour.shape
        assert after.colour.dtype == after.alpha.dtype == np.float32
        assert np.isfinite(after.colour).all()
        assert ((after.alpha >= 0) & (after.alpha <= before.alpha + 1e-6)).all()
        shown = before.ground + after.alpha[..., None] * (np.clip(after.colour, 0, 255) - before.ground)
        inside = np.abs(shown - before.ground).max(axis=2)[10:50, 20:60]
        assert inside.mean() > 10
        again = module.apply(sample(), np.random.default_rng(seed))
        assert (again.colour == after.colour).all()


@pytest.mark.parametrize("name", list(BLENDS))
def test_a_blend_covers_nothing_beyond_the_outline(name: str) -> None:
    before, after = sample(), BLENDS.load(name).apply(sample())
    assert np.isfinite(after.colour).all()
    assert (after.alpha[before.alpha == 0] == 0).all()
    assert after.alpha[25:35, 35:45] == pytest.approx(1)
    assert after.colour.shape == before.colour.shape


def test_a_hard_edge_has_no_shares_and_a_feathered_one_has_more_of_them() -> None:
    plain = sample().alpha
    hard, soft = (BLENDS.load(name).apply(sample()).alpha for name in ("hard", "feather"))
    assert set(np.unique(hard)) == {0.0, 1.0}
    partial = [((alpha > 0.02) & (alpha < 0.98)).sum() for alpha in (plain, soft)]
    assert partial[1] > 3 * partial[0]


def test_poisson_lets_texture_through_and_leaves_smooth_ground_alone() -> None:
    """Without texture below, joining gradients is covering, but for the tone."""
    striped, smooth = sample(), sample()
    smooth.ground = np.full_like(smooth.ground, 130)
    inner = (slice(14, 46), slice(26, 54))
    on_stripes = poisson.apply(striped).colour[inner].std(axis=1).mean()
    on_smooth = poisson.apply(smooth).colour[inner]
    assert np.ptp(on_smooth[0, :, 0]) < 12
    assert on_stripes > on_smooth.std(axis=1).mean() + 2


def test_the_solver_equals_a_dense_one() -> None:
    rng = np.random.default_rng(5)
    sources = rng.normal(size=(16, 32, 3)).astype(np.float32)  # sizes that need no padding
    number = 16 * 32
    laplacian = np.zeros((number, number))
    for row in range(16):
        for column in range(32):
            here = row * 32 + column
            laplacian[here, here] = -4
            for down, right in ((1, 0), (-1, 0), (0, 1), (0, -1)):
                if 0 <= row + down < 16 and 0 <= column + right < 32:
                    laplacian[here, (row + down) * 32 + column + right] = 1
    wanted = np.linalg.solve(laplacian, sources.reshape(number, 3).astype(np.float64)).reshape(16, 32, 3)
    assert poisson._solve(sources) == pytest.approx(wanted, abs=2e-4)
