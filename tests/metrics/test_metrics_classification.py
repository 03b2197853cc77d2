"""Figures of `classify` against scikit-learn and by hand."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from simulated_predictions import answers, classified, names
from sklearn import metrics as sk

from vision_cli.core.predictions import Predictions
from vision_cli.metrics import MeasureRequest, measure


@pytest.mark.parametrize(("n", "n_classes", "strength"), [(300, 7, 1.0), (300, 2, 0.7), (40, 12, 0.3), (500, 3, 3.0)])
def test_as_scikit_learn_has_it(n: int, n_classes: int, strength: float) -> None:
    truth, predictions = classified(np.random.default_rng(n_classes), n, n_classes, strength)
    found = measure(MeasureRequest("classify", truth, predictions, names(n_classes), resamples=5)).values
    scores, answer = predictions.scores, predictions.scores.argmax(axis=1)
    present, labels = np.unique(truth), np.arange(n_classes)
    for average, suffix, among in (("macro", "", present), ("micro", "_micro", labels)):
        expected = sk.precision_recall_fscore_support(truth, answer, average=average, labels=among, zero_division=0)
        for key, value in zip(("precision", "recall", "f1"), expected[:3], strict=True):
            assert found[f"{key}{suffix}"] == pytest.approx(value)
    each = sk.precision_recall_fscore_support(truth, answer, labels=labels, zero_division=0)
    for key, column in zip(("precision", "recall", "f1"), each[:3], strict=True):
        for label in present:
            value = found[f"{key}[c{label}]"]
            assert value == pytest.approx(column[label]) or (key == "precision" and label not in answer)
    assert found["top1"] == found["accuracy"] == pytest.approx(sk.accuracy_score(truth, answer))
    assert found["balanced_accuracy"] == pytest.approx(sk.balanced_accuracy_score(truth, answer))
    assert found["log_loss"] == pytest.approx(sk.log_loss(truth, scores, labels=labels))
    areas = [sk.roc_auc_score(truth == label, scores[:, label]) for label in present]
    assert found["auc"] == pytest.approx(np.mean(areas))
    assert found[f"auc[c{present[0]}]"] == pytest.approx(areas[0])


def test_auc_is_scikit_learns_one_against_the_rest() -> None:
    truth, predictions = classified(np.random.default_rng(3), 400, 5, 1.0)
    found = measure(MeasureRequest("classify", truth, predictions, names(5), resamples=5)).values
    assert found["auc"] == pytest.approx(sk.roc_auc_score(truth, predictions.scores, multi_class="ovr"))


@pytest.mark.parametrize("decimals", [1, 2])
def test_ranking_figures_with_ties(decimals: int) -> None:
    truth, predictions = classified(np.random.default_rng(4), 300, 4, 1.0, decimals=decimals)
    found = measure(MeasureRequest("classify", truth, predictions, names(4), resamples=5)).values
    for label in range(4):
        own = predictions.scores[:, label]
        assert found[f"auc[c{label}]"] == pytest.approx(sk.roc_auc_score(truth == label, own))
        assert found[f"ap[c{label}]"] == pytest.approx(sk.average_precision_score(truth == label, own))


def test_top5_as_scikit_learn_has_it() -> None:
    truth, predictions = classified(np.random.default_rng(6), 500, 20, 0.7)
    found = measure(MeasureRequest("classify", truth, predictions, names(20), resamples=5)).values
    assert found["top5"] == pytest.approx(sk.top_k_accuracy_score(truth, predictions.scores, k=5))
    assert found["top5_error"] == pytest.approx(1 - (found["top5"] or 0))
    assert found["top1_error"] == pytest.approx(1 - (found["top1"] or 0))


def test_equal_scores_put_the_lower_class_first() -> None:
    scores = np.full((8, 8), 0.125)
    found = measure(MeasureRequest("classify", np.arange(8), Predictions(scores, scores), names(8), resamples=5)).values
    assert (found["top1"], found["top5"]) == (1 / 8, 5 / 8)


def test_top5_of_few_classes_is_all_and_says_so() -> None:
    found = measure(
        MeasureRequest("classify", np.array([0, 1, 2]), answers(np.array([1, 2, 0]), 3), names(3), resamples=5)
    )
    assert (found.values["top5"], found.values["top5_error"]) == (1.0, 0.0)
    assert any("top5 says nothing with 3 classes" in warning for warning in found.warnings)


def test_confusion_has_the_truth_in_rows() -> None:
    truth, predictions = classified(np.random.default_rng(8), 200, 5, 1.0)
    found = measure(MeasureRequest("classify", truth, predictions, names(5), resamples=5))
    assert found.confusion is not None
    assert found.confusion.dtype == np.int64
    np.testing.assert_array_equal(found.confusion, sk.confusion_matrix(truth, predictions.scores.argmax(axis=1)))


def test_a_class_without_photos_is_not_measured_and_left_out() -> None:
    truth, answer = np.array([0, 0, 1, 1]), np.array([0, 2, 1, 1])
    found = measure(MeasureRequest("classify", truth, answers(answer, 3), names(3), resamples=20))
    for key in ("f1", "precision", "recall", "auc", "ap"):
        assert found.values[f"{key}[c2]"] is None
        assert f"{key}[c2]" not in found.intervals
    assert found.values["recall"] == pytest.approx((1 / 2 + 1) / 2)
    assert found.values["f1"] == pytest.approx((2 / 3 + 1) / 2)
    assert any("no test photo of 'c2'" in warning and "2 of 3" in warning for warning in found.warnings)


def test_a_class_never_predicted_has_no_precision_and_counts_as_zero() -> None:
    found = measure(
        MeasureRequest("classify", np.array([0, 0, 1, 1]), answers(np.zeros(4, np.int64), 2), names(2), resamples=20)
    )
    assert found.values["precision[c1]"] is None
    assert (found.values["recall[c1]"], found.values["f1[c1]"]) == (0.0, 0.0)
    assert found.values["precision"] == pytest.approx(1 / 4)
    assert any("never predicted: 'c1'" in warning for warning in found.warnings)


def test_one_class_only_has_no_area() -> None:
    found = measure(
        MeasureRequest("classify", np.zeros(4, np.int64), answers(np.zeros(4, np.int64), 2), names(2), resamples=20)
    )
    assert found.values["auc"] is None
    assert found.values["map"] == 1.0


def test_no_numerical_warning_leaks() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        measure(MeasureRequest("classify", np.array([0]), answers(np.array([1]), 3), names(3), resamples=50))


def test_ece_by_hand() -> None:
    """Guo et al. 2017, equation 3: four photos in the bin of 0.8, half right; one in that of 1.0, right."""
    scores = np.array([[0.8, 0.2]] * 4 + [[0.0, 1.0]])
    truth = np.array([0, 0, 1, 1, 1])
    found = measure(MeasureRequest("classify", truth, Predictions(scores, scores), names(2), resamples=20))
    assert found.values["ece"] == pytest.approx(4 / 5 * abs(0.8 - 0.5) + 1 / 5 * 0)


def test_ece_bins_are_closed_above() -> None:
    """0.6 is the upper edge of bin 9 of 15, 0.61 lies in bin 10: two bins, whose gaps do not cancel."""
    scores = np.array([[0.6, 0.4], [0.61, 0.39]])
    found = measure(MeasureRequest("classify", np.array([0, 1]), Predictions(scores, scores), names(2), resamples=20))
    assert found.values["ece"] == pytest.approx((0.4 + 0.61) / 2)


def test_ece_against_a_slow_reference() -> None:
    truth, predictions = classified(np.random.default_rng(2), 400, 4, 1.5)
    confidence, right = predictions.scores.max(axis=1), predictions.scores.argmax(axis=1) == truth
    expected = 0.0
    for low in range(15):
        inside = (confidence > low / 15) & (confidence <= (low + 1) / 15)
        if inside.any():
            expected += inside.mean() * abs(confidence[inside].mean() - right[inside].mean())
    found = measure(MeasureRequest("classify", truth, predictions, names(4), resamples=5))
    assert found.values["ece"] == pytest.approx(expected)
