"""Differences of two models on the same photos: against independent references, and how often they hold the truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, stats
from simulated_predictions import Array, names, softmax

from vision_cli.core.predictions import Predictions
from vision_cli.metrics import MeasureRequest
from vision_cli.metrics.paired import Difference, McNemar, differences, mcnemar, tango
from vision_cli.metrics.subject import checked
from vision_cli.metrics.weighted.photos import parts


@pytest.mark.parametrize(("one", "other"), [(0, 0), (1, 0), (5, 0), (3, 9), (20, 20), (40, 12)])
def test_mcnemar_as_scipys_binomial_test(one: int, other: int) -> None:
    expected = 1.0 if not one + other else stats.binomtest(one, one + other, 0.5).pvalue
    assert McNemar(one, other).p == pytest.approx(expected)


def test_mcnemar_counts_what_one_alone_gets_right() -> None:
    first, second = np.array([1, 1, 1, 0, 0], bool), np.array([1, 0, 0, 1, 0], bool)
    assert mcnemar(first, second) == McNemar(2, 1)


def score(one: int, other: int, n: int, difference: float) -> float:
    """Return the score statistic, its nuisance share found by maximising the likelihood numerically."""

    def unlikely(share: float) -> float:
        # share: of photos that the second alone gets right; the first alone: share + difference.
        both = 1 - 2 * share - difference
        terms = [(one, share + difference), (other, share), (n - one - other, both)]
        if any(p < 0 for _, p in terms):
            return np.inf
        return -sum(count * np.log(max(p, 1e-300)) for count, p in terms if count)

    low, high = max(0.0, -difference), (1 - difference) / 2
    share = optimize.minimize_scalar(unlikely, bounds=(low, high), method="bounded", options={"xatol": 1e-12}).x
    return float((one - other - n * difference) / np.sqrt(n * (2 * share + difference * (1 - difference))))


@pytest.mark.parametrize(("one", "other", "n"), [(9, 2, 44), (5, 1, 60), (12, 11, 100), (30, 8, 250)])
def test_tangos_interval_is_where_the_score_test_begins_to_reject(one: int, other: int, n: int) -> None:
    low, high = tango(one, other, n, 0.95)
    assert low < (one - other) / n < high
    assert score(one, other, n, low) == pytest.approx(stats.norm.ppf(0.975), abs=2e-3)
    assert score(one, other, n, high) == pytest.approx(-stats.norm.ppf(0.975), abs=2e-3)


def test_tangos_interval_without_a_difference() -> None:
    """By hand: no discordant photo among n leaves z² / (n + z²) on both sides."""
    z = stats.norm.ppf(0.975)
    assert tango(0, 0, 60, 0.95) == (pytest.approx(-(z**2) / (60 + z**2)), pytest.approx(z**2 / (60 + z**2)))


def two_models(
    rng: np.random.Generator, n: int, strengths: tuple[float, float], alike: float, classes: int
) -> tuple[Array, list[Predictions]]:
    """Draw two classifiers whose noise is alike by a correlation: what is hard for one is hard for the other."""
    truth, common = rng.integers(0, classes, n), rng.normal(size=(n, classes))
    found = []
    for strength in strengths:
        raw = np.sqrt(alike) * common + np.sqrt(1 - alike) * rng.normal(size=(n, classes))
        raw[np.arange(n), truth] += strength
        found.append(Predictions(softmax(raw), raw))
    return truth, found


def compared(
    truth: Array, two: list[Predictions], classes: int, metrics: set[str], resamples: int
) -> dict[str, Difference]:
    weighted = [parts(checked(MeasureRequest("classify", truth, said, names(classes))), metrics) for said in two]
    return differences(weighted[0], weighted[1], len(truth), resamples=resamples)


def test_accuracy_gets_tangos_interval() -> None:
    truth, two = two_models(np.random.default_rng(1), 120, (2.0, 2.4), 0.5, 3)
    found = compared(truth, two, 3, {"top1"}, 200)["top1"]
    test = mcnemar(*(said.scores.argmax(axis=1) == truth for said in two))
    interval = found.at(0.95)
    assert found.value == pytest.approx((test.only_first - test.only_second) / 120)
    expected = tango(test.only_first, test.only_second, 120, 0.95)
    # The bootstrap's standard error is that of so many resamples.
    assert (interval.low, interval.high) == (
        pytest.approx(expected[0], abs=0.012),
        pytest.approx(expected[1], abs=0.012),
    )


def test_a_model_beside_itself_differs_by_nothing_that_photos_could_tell() -> None:
    truth, two = two_models(np.random.default_rng(1), 50, (2.0, 2.0), 1.0, 3)
    found = compared(truth, two, 3, {"top1", "f1", "log_loss"}, 100)
    assert {each.value for each in found.values()} == {0.0}
    interval = found["top1"].at(0.95)
    assert interval.low == pytest.approx(-interval.high)
    assert 0.05 < interval.high < 0.1  # 50 photos without a difference leave 1 in 14 open.


def test_errors_have_intervals_in_their_own_unit() -> None:
    """Against the plain interval of a mean of paired differences."""
    rng = np.random.default_rng(5)
    truth = rng.normal(size=400)
    two = [(truth + rng.normal(0, scale, 400))[:, None] for scale in (10.0, 12.0)]
    weighted = [
        parts(checked(MeasureRequest("regress", truth, Predictions(said, said), names(0))), {"mae"}) for said in two
    ]
    found = differences(weighted[0], weighted[1], 400, resamples=1000)["mae"]
    off = np.abs(two[0][:, 0] - truth) - np.abs(two[1][:, 0] - truth)
    expected = stats.t.interval(0.95, 399, off.mean(), off.std(ddof=1) / 20)
    interval = found.at(0.95)
    assert (interval.low, interval.high) == (pytest.approx(expected[0], rel=0.12), pytest.approx(expected[1], rel=0.35))


CASES = [
    (100, (2.0, 2.2), 0.5, 3),
    (100, (2.0, 2.05), 0.95, 3),
    (150, (2.5, 2.5), 0.8, 4),
]
"""Photos, strengths, likeness, classes; in the second some five photos decide."""


@pytest.mark.parametrize(("n", "strengths", "alike", "classes"), CASES)
def test_paired_intervals_of_accuracy_hold_the_truth_95_times_in_100(
    n: int, strengths: tuple[float, float], alike: float, classes: int
) -> None:
    """1,000 simulated test sets: 93 to 97 %."""
    held = holding(1000, (n, strengths, alike, classes), {"top1"})["top1"]
    assert 0.93 <= held <= 0.975


@pytest.mark.slow
@pytest.mark.parametrize(("n", "strengths", "alike", "classes"), CASES)
def test_paired_intervals_hold_the_truth_95_times_in_100(
    n: int, strengths: tuple[float, float], alike: float, classes: int
) -> None:
    """1,000 simulated test sets. Means of average precisions that a handful of photos decide hold it more often."""
    found = holding(1000, (n, strengths, alike, classes), {"f1", "balanced_accuracy", "map", "log_loss"})
    for key, held in found.items():
        assert 0.93 <= held <= (0.99 if key == "map" else 0.975), (key, held)


def test_a_handful_of_photos_proves_nothing() -> None:
    """Percentiles of the plain bootstrap hold the truth 31 times in 100 here: one photo or none decides."""
    assert holding(200, (60, (3.0, 3.0), 0.9, 2), {"top1"})["top1"] >= 0.95


def holding(sets: int, case: tuple[int, tuple[float, float], float, int], metrics: set[str]) -> dict[str, float]:
    """Return how often the interval of a difference holds what 300,000 photos give."""
    n, strengths, alike, classes = case
    truth, two = two_models(np.random.default_rng(10**6), 300_000, strengths, alike, classes)
    one = np.ones((1, len(truth)))
    whole = []
    for said in two:
        found = parts(checked(MeasureRequest("classify", truth, said, names(classes))), metrics)
        whole.append({key: each for part in found for key, each in zip(part.keys, part.figures(one)[0], strict=True)})
    held = dict.fromkeys(metrics, 0)
    for seed in range(sets):
        truth, two = two_models(np.random.default_rng(seed), n, strengths, alike, classes)
        found_here = compared(truth, two, classes, metrics, 200)
        for key in metrics:
            interval = found_here[key].at(0.95)
            held[key] += interval.low <= whole[0][key] - whole[1][key] <= interval.high
    return {key: number / sets for key, number in held.items()}
