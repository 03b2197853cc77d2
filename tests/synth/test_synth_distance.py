"""Distances against independent implementations, and against sets whose distance is known by construction."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from vision_cli.synth import distance as measuring
from vision_cli.synth.distance import Pairs, Parameter


def rows(seed: int, number: int, shift: float = 0.0, size: int = 12) -> np.ndarray:
    return (np.random.default_rng(seed).normal(size=(number, size)) + shift).astype(np.float32)


def slow_kernel_distance(one: np.ndarray, other: np.ndarray, first: list[int], second: list[int]) -> float:
    """Sum over pairs, one by one, as the formula is written."""

    def k(x, y):
        return (float(np.dot(x.astype(np.float64), y.astype(np.float64))) / len(x) + 1) ** 3

    def within(values, groups):
        pairs = [(a, b) for a, b in itertools.permutations(range(len(values)), 2) if groups[a] != groups[b]]
        return sum(k(values[a], values[b]) for a, b in pairs) / len(pairs)

    across = sum(k(x, y) for x in one for y in other) / (len(one) * len(other))
    return within(one, first) + within(other, second) - 2 * across


def test_kernel_distance_is_the_formula_pair_by_pair():
    one, other = rows(1, 9), rows(2, 11, 0.4)
    groups = [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 4]
    wanted = slow_kernel_distance(one, other, list(range(9)), groups)
    found = measuring.kernel_distance(one, other, (np.arange(9), np.array(groups)))
    assert found == pytest.approx(wanted, rel=1e-9)
    wanted = slow_kernel_distance(one, other, list(range(9)), list(range(11)))
    assert measuring.kernel_distance(one, other) == pytest.approx(wanted, rel=1e-9)


def test_frechet_distance_agrees_with_scipy():
    from scipy.linalg import sqrtm
    from sklearn.covariance import LedoitWolf

    one, other = rows(1, 60), rows(2, 50, 0.3) * np.linspace(0.5, 2, 12, dtype=np.float32)
    first, second = (LedoitWolf().fit(each.astype(np.float64)) for each in (one, other))
    root = sqrtm(first.covariance_ @ second.covariance_).real
    gap = first.location_ - second.location_
    wanted = gap @ gap + np.trace(first.covariance_ + second.covariance_ - 2 * root)
    assert measuring.frechet_distance(one, other) == pytest.approx(wanted, rel=1e-6)


def test_frechet_distance_of_known_gaussians():
    one, other = np.diag([1.0, 4.0, 9.0]), np.diag([4.0, 4.0, 1.0])
    assert measuring.frechet_of(one, other) == pytest.approx(1 + 0 + 4)  # sum of (s1 - s2)^2
    assert measuring.frechet_of(one, one) == pytest.approx(0, abs=1e-9)


def test_the_distance_falls_as_photos_get_more_alike():
    real = rows(0, 120)
    found = [
        measuring.distance(real, rows(1, 120, shift), np.arange(120), np.random.default_rng(0))
        for shift in (1.0, 0.5, 0.25, 0.0)
    ]
    kernels, frechets = [each.kernel for each in found], [each.frechet for each in found]
    assert kernels == sorted(kernels, reverse=True)
    assert frechets == sorted(frechets, reverse=True)
    assert found[0].times_noise > 10
    assert found[-1].kernel < 2 * found[-1].kernel_noise
    assert found[-1].frechet == pytest.approx(found[-1].frechet_noise, rel=0.6)


def test_alike_sets_are_within_the_noise_most_of_the_time():
    inside = [
        (lambda one: one.kernel <= one.kernel_noise)(
            measuring.distance(rows(seed, 60), rows(seed + 500, 60), np.arange(60), np.random.default_rng(seed))
        )
        for seed in range(20)
    ]
    assert sum(inside) >= 16


def test_using_a_background_often_is_no_distance():
    real = rows(0, 200)
    backgrounds = rows(1, 25)
    made = np.repeat(backgrounds, 8, axis=0) + 0.05 * rows(2, 200)
    groups = np.repeat(np.arange(25), 8)
    naive = measuring.kernel_distance(real, made)
    fair = measuring.kernel_distance(real, made, (np.arange(200), groups))
    assert abs(fair) < naive / 2


def test_the_parameter_that_moves_photos_is_found_and_others_are_not():
    rng = np.random.default_rng(4)
    scenes = np.repeat(np.arange(60), 4)
    strong = np.repeat(rng.integers(0, 3, 60), 4)
    idle = np.repeat(rng.integers(0, 3, 60), 4)
    blend = np.tile(np.arange(4), 60)
    real = rows(5, 150)
    made = rows(6, 240) + 0.35 * strong[:, None].astype(np.float32) + np.float32(0.3) * (blend == 2)[:, None]
    asked = [
        Parameter("idle", ("a", "b", "c"), idle),
        Parameter("strong", ("none", "some", "much"), strong),
        Parameter("blend", ("w", "x", "y", "z"), blend),
        Parameter("rare", ("a", "b"), np.where(np.arange(240) < 3, 0, 1)),
    ]
    found = {each.name: each for each in measuring.drivers(Pairs.of(real, made, scenes), asked, scenes, rng)}
    assert "rare" not in found
    assert found["strong"].p < 0.02
    assert found["blend"].p < 0.02
    assert found["idle"].p > 0.05
    distances = [each.kernel for each in found["strong"].bins]
    assert distances == sorted(distances)
    assert max(found["blend"].bins, key=lambda each: each.kernel).name == "y"


def test_a_bin_s_distance_is_that_of_its_photos_alone():
    real, made, groups = rows(1, 30), rows(2, 40, 0.2), np.arange(40) // 2
    of = np.arange(40) % 3
    found = Pairs.of(real, made, groups).distances(of, 3)
    for each in range(3):
        mine = of == each
        wanted = measuring.kernel_distance(real, made[mine], (np.arange(30), groups[mine]))
        assert found[each] == pytest.approx(wanted, rel=1e-6)
