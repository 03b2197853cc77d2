"""Intervals: against scipy, at their limits, and how often they hold the truth."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats
from simulated_predictions import answers, classified, labelled, names

from vision_cli.core.dataset import ClassMap
from vision_cli.core.kpi import parse
from vision_cli.core.measurement import Measurement
from vision_cli.core.predictions import Predictions
from vision_cli.metrics import MeasureRequest, measure
from vision_cli.metrics.bootstrap import Sums
from vision_cli.metrics.intervals import FScore, Percentile, Share, wilson


@pytest.mark.parametrize(("hits", "n"), [(0, 20), (1, 20), (10, 20), (59, 60), (60, 60)])
@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
def test_wilson_as_scipy_has_it(hits: int, n: int, confidence: float) -> None:
    expected = stats.binomtest(hits, n).proportion_ci(confidence, method="wilson")
    found = wilson(hits / n, n, confidence)
    assert (found.low, found.high) == (pytest.approx(expected.low), pytest.approx(expected.high))


def test_bca_as_scipy_has_it() -> None:
    sample = np.random.default_rng(0).exponential(2.0, 40)
    spread = Sums(sample[:, None], lambda sums: sums / len(sample)).spreads(20_000, np.random.default_rng(1))[0]
    assert spread is not None
    expected = stats.bootstrap((sample,), np.mean, n_resamples=20_000, rng=2, method="BCa").confidence_interval
    found = spread.at(0.95)
    assert found is not None
    assert (found.low, found.high) == (pytest.approx(expected.low, rel=0.01), pytest.approx(expected.high, rel=0.01))


@pytest.mark.parametrize(("n", "level"), [(30, 0.5), (101, 0.5), (400, 0.95)])
def test_percentile_intervals_as_scipy_has_them(n: int, level: float) -> None:
    sample = np.random.default_rng(n).normal(size=n)
    expected = stats.quantile_test(sample, p=level).confidence_interval(0.95)
    found = Percentile(np.sort(sample), level).at(0.95)
    assert found is not None
    assert (found.low, found.high) == (expected.low, expected.high)


def test_too_few_measurements_have_no_percentile_interval() -> None:
    assert Percentile(np.arange(5.0), 0.5).at(0.95) is None  # 2 * 0.5**5 = 6 % lie outside of all five
    assert Percentile(np.arange(6.0), 0.5).at(0.95) is not None


def test_the_f1_interval_carries_wilsons_over() -> None:
    inner, outer = wilson(8 / 10, 10, 0.9), FScore(8, 10).at(0.9)
    assert outer is not None
    assert outer.low == pytest.approx(2 * inner.low / (1 + inner.low))
    assert Share(0.5, 0).at(0.95) is None


def test_accuracy_gets_wilsons_interval() -> None:
    truth, predictions = classified(np.random.default_rng(0), 80, 4, 1.0)
    found = measure(MeasureRequest("classify", truth, predictions, names(4), resamples=50))
    hits = int((predictions.scores.argmax(axis=1) == truth).sum())
    expected = stats.binomtest(hits, 80).proportion_ci(0.95, method="wilson")
    for key in ("top1", "accuracy", "f1_micro", "recall_micro"):
        assert found.intervals[key].low == pytest.approx(expected.low)
        assert found.intervals[key].high == pytest.approx(expected.high)


def test_a_perfect_score_on_twenty_photos_proves_little() -> None:
    truth = np.arange(20) % 2
    found = measure(MeasureRequest("classify", truth, answers(truth, 2), names(2)))
    for key in set(found.values) - {"log_loss"}:
        interval = found.intervals[key]
        assert interval.high - interval.low > 0.1, key
    judged = found.judge(parse("f1>0.98", confidence=0.95), runtime="torch")
    assert judged.verdict == "not enough evidence"
    assert judged.more_photos is not None
    assert 100 < judged.more_photos < 400  # about 190 photos without an error show 0.98 (Wilson)


def test_a_perfect_multilabel_score_proves_little_either() -> None:
    truth = np.random.default_rng(0).random((20, 3)) < 0.5
    scores = np.where(truth, 0.9, 0.1)
    found = measure(MeasureRequest("multilabel", truth, Predictions(scores, scores), names(3)))
    assert all(each.high - each.low > 0.1 for each in found.intervals.values())
    assert found.intervals.keys() == found.values.keys()


def test_a_small_perfect_class_widens_the_macro_average() -> None:
    """Five photos of a class without an error leave its recall open down to 0.57, so the mean of two down to 0.78."""
    truth = np.array([0] * 200 + [1] * 5)
    answer = truth.copy()
    answer[:4] = 1
    found = measure(MeasureRequest("classify", truth, answers(answer, 2), names(2)))
    assert found.intervals["balanced_accuracy"].low < 0.8


def test_more_confidence_is_wider() -> None:
    truth, predictions = classified(np.random.default_rng(0), 80, 4, 1.0)
    found = measure(MeasureRequest("classify", truth, predictions, names(4), resamples=300))
    for key in found.intervals:
        narrow, middle, wide = (found.interval_at(key, confidence) for confidence in (0.8, 0.95, 0.99))
        assert narrow is not None
        assert middle == found.intervals[key]
        assert wide is not None
        assert wide.low <= middle.low <= narrow.low
        assert narrow.high <= middle.high <= wide.high


@pytest.mark.parametrize("n", [20, 60, 100, 500])
def test_wilson_holds_the_true_share_95_times_in_100(n: int) -> None:
    """Exact: the probabilities of the outcomes whose interval holds the share (Brown, Cai & DasGupta 2001)."""
    intervals = [wilson(hits / n, n, 0.95) for hits in range(n + 1)]
    coverages = []
    for share in np.linspace(0.02, 0.98, 97):
        held = [interval.low <= share <= interval.high for interval in intervals]
        coverages.append(stats.binom.pmf(np.flatnonzero(held), n, share).sum())
    assert min(coverages) > 0.89
    assert np.mean(coverages) == pytest.approx(0.95, abs=0.01)


def classify(rng: np.random.Generator, n: int, p: float) -> Measurement:
    """Measure n photos of two classes, each right with probability p."""
    truth = rng.integers(0, 2, n)
    return measure(
        MeasureRequest(
            "classify", truth, answers(np.where(rng.random(n) < p, truth, 1 - truth), 2), names(2), resamples=200
        )
    )


def three_classes(rng: np.random.Generator) -> Measurement:
    truth = rng.choice(3, 150, p=[0.5, 0.3, 0.2])
    answer = np.where(rng.random(150) < 0.85, truth, rng.integers(0, 3, 150))
    return measure(MeasureRequest("classify", truth, answers(answer, 3), names(3), resamples=200))


def true_macro_f1() -> float:
    """Return the F1 of `three_classes` from its cells: P(answer | truth) = 0.85 [equal] + 0.15 / 3."""
    prior = np.array([0.5, 0.3, 0.2])
    cells = prior[:, None] * (0.85 * np.eye(3) + 0.05)
    return float(np.mean(2 * np.diag(cells) / (cells.sum(axis=0) + cells.sum(axis=1))))


def errors(rng: np.random.Generator) -> Measurement:
    """Measure normal errors of standard deviation 2: the mean absolute one is 2 sqrt(2 / pi), the median 1.349."""
    truth = rng.normal(size=120)
    values = (truth + rng.normal(0, 2, 120))[:, None]
    return measure(MeasureRequest("regress", truth, Predictions(values, values), ClassMap(), resamples=400))


CASES: list[tuple[str, Callable[[np.random.Generator], Measurement], float]] = [
    ("top1", lambda rng: classify(rng, 150, 0.85), 0.85),
    ("top1", lambda rng: classify(rng, 60, 0.98), 0.98),
    ("f1", lambda rng: classify(rng, 60, 0.98), 0.98),
    ("f1", lambda rng: classify(rng, 200, 0.9), 0.9),
    ("recall[c0]", lambda rng: classify(rng, 120, 0.9), 0.9),
    ("f1[c1]", lambda rng: classify(rng, 120, 0.9), 0.9),
    ("f1", three_classes, true_macro_f1()),
    ("mae", errors, 2 * float(np.sqrt(2 / np.pi))),
    ("rmse", errors, 2.0),
    ("median_absolute_error", errors, 2 * float(stats.norm.ppf(0.75))),
]


@pytest.mark.parametrize(("key", "draw", "truth"), CASES)
def test_95_percent_intervals_hold_the_truth_95_times_in_100(
    key: str, draw: Callable[[np.random.Generator], Measurement], truth: float
) -> None:
    """400 test sets: 92 to 98.5 % leaves room for the simulation's own error of 1.1 %."""
    held = 0
    for seed in range(400):
        interval = draw(np.random.default_rng(seed)).intervals[key]
        held += interval.low <= truth <= interval.high
    assert 0.92 <= held / 400 <= 0.985


def test_ranking_intervals_hold_the_truth() -> None:
    """Normal scores, positives 2 higher: the area is the normal distribution's value at sqrt(2)."""
    held = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        truth = rng.random(100) < 0.5
        raw = (rng.normal(size=100) + 2 * truth)[:, None]
        found = measure(
            MeasureRequest(
                "multilabel", truth[:, None], Predictions(1 / (1 + np.exp(-raw)), raw), names(1), resamples=5
            )
        )
        interval = found.intervals["auc[c0]"]
        held += interval.low <= stats.norm.cdf(np.sqrt(2)) <= interval.high
    assert 0.92 <= held / 300 <= 0.985


def test_the_derivatives_give_the_bootstraps_error() -> None:
    """The infinitesimal jackknife of area and average precision against plain resampling."""
    from vision_cli.metrics import ranking

    rng = np.random.default_rng(0)
    truth, predictions = labelled(rng, 300, 1)
    has, scores = truth[:, 0], predictions.scores[:, 0]
    for formula in (ranking.area_under_roc, ranking.average_precision):
        result = formula(has, scores)
        assert result is not None
        rows = rng.integers(0, 300, (600, 300))
        samples = [(formula(has[row], scores[row]) or (np.nan,))[0] for row in rows]
        assert np.linalg.norm(result[1]) == pytest.approx(np.std(samples), rel=0.12)


def test_a_thousand_resamples_of_ten_thousand_photos_take_seconds() -> None:
    truth, predictions = classified(np.random.default_rng(0), 10_000, 10, 2.0)
    start = time.process_time()
    measure(MeasureRequest("classify", truth, predictions, names(10), resamples=1000))
    assert time.process_time() - start < 8
