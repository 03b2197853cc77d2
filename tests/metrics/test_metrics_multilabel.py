"""Figures of `multilabel` against scikit-learn, and the choice of thresholds against a slow search."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulated_predictions import labelled, names
from sklearn import metrics as sk

from vision_cli.core.errors import DataError
from vision_cli.core.predictions import Predictions
from vision_cli.metrics import MeasureRequest, measure
from vision_cli.metrics.multilabel import choose_thresholds


@pytest.mark.parametrize(("n", "n_classes", "decimals"), [(300, 5, 12), (200, 3, 1), (60, 9, 2)])
def test_as_scikit_learn_has_it(n: int, n_classes: int, decimals: int) -> None:
    truth, predictions = labelled(np.random.default_rng(n), n, n_classes, decimals)
    limits = tuple(np.linspace(0.3, 0.7, n_classes))
    found = measure(
        MeasureRequest("multilabel", truth, predictions, names(n_classes), thresholds=limits, resamples=5)
    ).values
    said = predictions.scores >= np.array(limits)
    for average, suffix in (("macro", ""), ("micro", "_micro")):
        expected = sk.precision_recall_fscore_support(truth, said, average=average, zero_division=0)
        for key, value in zip(("precision", "recall", "f1"), expected[:3], strict=True):
            assert found[f"{key}{suffix}"] == pytest.approx(value)
    for label, value in enumerate(sk.f1_score(truth, said, average=None)):
        assert found[f"f1[c{label}]"] == pytest.approx(value)
    assert found["exact_match"] == pytest.approx(sk.accuracy_score(truth, said))
    assert found["hamming_loss"] == pytest.approx(sk.hamming_loss(truth, said))
    assert found["map"] == pytest.approx(sk.average_precision_score(truth, predictions.scores, average="macro"))
    assert found["auc"] == pytest.approx(sk.roc_auc_score(truth, predictions.scores, average="macro"))
    for label, value in enumerate(sk.average_precision_score(truth, predictions.scores, average=None)):
        assert found[f"ap[c{label}]"] == pytest.approx(value)


def test_without_thresholds_a_half_decides_and_counts_as_yes() -> None:
    scores = np.array([[0.5, 0.49]])
    found = measure(
        MeasureRequest("multilabel", np.array([[True, False]]), Predictions(scores, scores), names(2), resamples=5)
    )
    assert found.values["exact_match"] == 1.0


def test_a_class_without_positives_is_not_measured() -> None:
    truth, predictions = labelled(np.random.default_rng(0), 100, 3)
    truth[:, 1] = False
    found = measure(MeasureRequest("multilabel", truth, predictions, names(3), resamples=20))
    assert [found.values[f"{key}[c1]"] for key in ("f1", "recall", "precision", "ap", "auc")] == [None] * 5
    kept = [0, 2]
    expected = sk.average_precision_score(truth[:, kept], predictions.scores[:, kept], average="macro")
    assert found.values["map"] == pytest.approx(expected)
    assert any("'c1'" in warning for warning in found.warnings)


def test_no_positive_at_all() -> None:
    scores = np.full((5, 2), 0.1)
    found = measure(
        MeasureRequest("multilabel", np.zeros((5, 2), bool), Predictions(scores, scores), names(2), resamples=20)
    )
    assert [found.values[key] for key in ("f1", "f1_micro", "recall_micro", "map", "auc")] == [None] * 5
    assert found.values["exact_match"] == 1.0


def best_f1(truth: np.ndarray, scores: np.ndarray) -> float:  # type: ignore[type-arg]
    """Return the best F1 that any threshold gives, by trying all."""
    limits = [*np.unique(scores), 2.0]
    return max(float(sk.f1_score(truth, scores >= limit, zero_division=0)) for limit in limits)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 12)), min_size=1, max_size=25))
def test_no_threshold_gives_a_better_f1(rows: list[tuple[bool, int]]) -> None:
    truth = np.array([[positive] for positive, _ in rows])
    scores = np.array([[level / 12] for _, level in rows])
    (limit,) = choose_thresholds(truth, scores)
    if not truth.any():
        assert limit == 0.5
    else:
        reached = sk.f1_score(truth[:, 0], scores[:, 0] >= limit, zero_division=0)
        assert reached == pytest.approx(best_f1(truth[:, 0], scores[:, 0]))


def test_thresholds_lie_between_scores_and_near_a_half() -> None:
    truth = np.array([[True, False], [True, False], [False, False]])
    scores = np.array([[0.9, 0.4], [0.6, 0.3], [0.2, 0.1]])
    assert choose_thresholds(truth, scores) == (pytest.approx(0.4), 0.5)


def test_neighbouring_floats_are_told_apart() -> None:
    low = 0.3
    high = float(np.nextafter(low, 1))
    truth, scores = np.array([[True], [False]]), np.array([[high], [low]])
    (limit,) = choose_thresholds(truth, scores)
    assert (scores[:, 0] >= limit).tolist() == [True, False]


def test_thresholds_refuse_what_does_not_fit() -> None:
    with pytest.raises(DataError, match="thresholds need"):
        choose_thresholds(np.zeros((3, 2), bool), np.zeros((3, 1)))
    with pytest.raises(DataError, match="finite"):
        choose_thresholds(np.zeros((3, 1), bool), np.full((3, 1), np.nan))
