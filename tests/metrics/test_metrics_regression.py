"""Figures of `regress` against scikit-learn; temperatures against scipy's minimiser."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.stats import norm
from simulated_predictions import classified, labelled, softmax
from sklearn import metrics as sk

from vision_cli.core.dataset import ClassMap
from vision_cli.core.errors import DataError, UsageError
from vision_cli.core.measurement import Measurement
from vision_cli.core.predictions import Predictions
from vision_cli.metrics import MeasureRequest, measure
from vision_cli.metrics.calibration import fit_temperature


def regressed(truth: np.ndarray, values: np.ndarray) -> Measurement:  # type: ignore[type-arg]
    return measure(
        MeasureRequest("regress", truth, Predictions(values[:, None], values[:, None]), ClassMap(), resamples=200)
    )


@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_as_scikit_learn_has_it(offset: float) -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(3, 2, 201) + offset
    values = truth + rng.normal(0.2, 0.5, 201)
    found = regressed(truth, values).values
    assert found["mae"] == pytest.approx(sk.mean_absolute_error(truth, values))
    assert found["rmse"] == pytest.approx(sk.root_mean_squared_error(truth, values))
    assert found["r2"] == pytest.approx(sk.r2_score(truth, values))
    assert found["median_absolute_error"] == pytest.approx(sk.median_absolute_error(truth, values))
    assert found["max_error"] == pytest.approx(sk.max_error(truth, values))


def test_equal_values_have_no_r2() -> None:
    found = regressed(np.full(10, 0.1), np.linspace(0, 1, 10))
    assert found.values["r2"] is None
    assert any("R²" in warning for warning in found.warnings)


def test_one_photo_and_a_perfect_model_have_no_interval() -> None:
    assert not regressed(np.array([1.0]), np.array([2.0])).intervals
    perfect = regressed(np.arange(20.0), np.arange(20.0))
    assert perfect.values["mae"] == 0.0
    assert not perfect.intervals


def prior(log_t: float) -> float:
    """-ln of a normal density of ln T with mean 0 and standard deviation 0.5, but for a constant."""
    return float(-norm.logpdf(log_t, scale=0.5))


def test_the_temperature_is_the_minimum_for_classify() -> None:
    truth, predictions = classified(np.random.default_rng(1), 400, 5, 2.0)
    raw = predictions.raw * 3

    def loss(log_t: float) -> float:
        return 400 * sk.log_loss(truth, softmax(raw / np.exp(log_t))) + prior(log_t)

    best = minimize_scalar(loss, bounds=(-3, 3), method="bounded")
    assert fit_temperature(raw, truth, "classify") == pytest.approx(np.exp(best.x), rel=1e-3)


def test_the_temperature_is_the_minimum_for_multilabel() -> None:
    truth, predictions = labelled(np.random.default_rng(1), 400, 3)
    raw = predictions.raw * 4

    def loss(log_t: float) -> float:
        return 400 * sk.log_loss(truth.ravel(), 1 / (1 + np.exp(-raw.ravel() / np.exp(log_t)))) + prior(log_t)

    best = minimize_scalar(loss, bounds=(-3, 3), method="bounded")
    assert fit_temperature(raw, truth, "multilabel") == pytest.approx(np.exp(best.x), rel=1e-3)


def test_with_many_photos_a_scaled_network_gets_the_scaled_temperature() -> None:
    truth, predictions = classified(np.random.default_rng(2), 30_000, 4, 1.0)
    one, seven = (fit_temperature(predictions.raw * scale, truth, "classify") for scale in (1.0, 7.0))
    assert seven == pytest.approx(7 * one, rel=5e-3)


def test_a_few_photos_that_all_are_right_do_not_buy_certainty() -> None:
    raw = np.tile([[1.0, -1.0], [-1.0, 1.0]], (10, 1))
    temperature = fit_temperature(raw, np.tile([0, 1], 10), "classify")
    assert 0.2 < temperature < 1


def test_the_temperature_stays_in_its_range() -> None:
    raw = np.array([[4.0, -4.0], [-4.0, 4.0]] * 5000)
    assert fit_temperature(raw / 100, np.array([0, 1] * 5000), "classify") == pytest.approx(0.05, rel=1e-3)
    assert fit_temperature(raw * 1e4, np.array([1, 0] * 5000), "classify") <= 20.0


def test_a_temperature_needs_photos_and_numbers() -> None:
    with pytest.raises(DataError, match="at least one photo"):
        fit_temperature(np.zeros((0, 3)), np.zeros(0, np.int64), "classify")
    with pytest.raises(DataError, match="finite"):
        fit_temperature(np.full((2, 3), np.nan), np.zeros(2, np.int64), "classify")
    with pytest.raises(UsageError, match="no temperature"):
        fit_temperature(np.zeros((2, 1)), np.zeros(2), "regress")
