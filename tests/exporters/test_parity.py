"""Figures are worked out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from vision_cli.core.errors import DataError
from vision_cli.exporters.parity import Limits, Outputs, compare


def _outputs(rows: list[list[float]]) -> Outputs:
    values = np.array(rows)
    return Outputs(values, values)


def test_equal_outputs_pass() -> None:
    scores = _outputs([[0.9, 0.1], [0.2, 0.8]])
    result = compare(scores, scores, Limits("classify"))
    assert (result.passed, result.agreement, result.disagreements, result.ties) == (True, 1.0, (), ())
    assert (result.max_raw_difference, result.max_score_difference, result.n_photos) == (0, 0, 2)


def test_one_flipped_decision_of_four() -> None:
    reference = _outputs([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3], [0.6, 0.4]])
    exported = _outputs([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3], [0.4, 0.6]])
    result = compare(reference, exported, Limits("classify", tolerance=0.1, agreement=0.7))
    assert (result.agreement, result.disagreements) == (0.75, (3,))
    assert result.max_score_difference == pytest.approx(0.2)
    assert not result.passed
    assert "75.00% of 4 photos" in result.reason
    assert compare(reference, exported, Limits("classify", tolerance=0.2001, agreement=0.75)).ties == (3,)


def test_a_tie_has_no_decision_to_keep() -> None:
    reference = _outputs([[0.5005, 0.4995], [0.9, 0.1]])
    exported = _outputs([[0.4999, 0.5001], [0.9, 0.1]])
    result = compare(reference, exported, Limits("classify", tolerance=2e-3))
    assert (result.passed, result.ties, result.disagreements) == (True, (0,), ())
    assert "1 tie within 0.002" in result.reason


def test_too_large_a_difference_fails_though_all_agree() -> None:
    result = compare(_outputs([[0.9, 0.1]]), _outputs([[0.8, 0.2]]), Limits("classify", tolerance=0.05))
    assert (result.passed, result.agreement) == (False, 1.0)


def test_multilabel_decides_by_threshold() -> None:
    reference = _outputs([[0.30, 0.9], [0.29, 0.1], [0.6, 0.6999]])
    exported = _outputs([[0.26, 0.9], [0.29, 0.1], [0.6, 0.7001]])
    limits = Limits("multilabel", thresholds=(0.28, 0.7), tolerance=0.001, agreement=0.6)
    result = compare(reference, exported, limits)
    assert (result.disagreements, result.ties) == ((0,), (2,))
    assert result.agreement == pytest.approx(2 / 3)
    assert not result.passed


def test_regress_is_judged_on_standardised_outputs() -> None:
    reference = Outputs(np.array([[1.0], [2.0]]), np.array([[1000.0], [2000.0]]))
    exported = Outputs(np.array([[1.0005], [2.01]]), np.array([[1000.5], [2010.0]]))
    result = compare(reference, exported, Limits("regress", tolerance=1e-3))
    assert (result.disagreements, result.passed) == ((1,), False)
    assert result.max_score_difference == pytest.approx(10)
    assert compare(reference, exported, Limits("regress", tolerance=0.02)).passed


@pytest.mark.parametrize("task", ["classify", "multilabel", "regress"])
def test_nan_never_passes(task: str) -> None:
    reference = _outputs([[0.9, 0.1]])
    result = compare(reference, _outputs([[np.nan, 0.1]]), Limits(task, tolerance=1.0, agreement=0.0))
    assert not result.passed
    assert result.disagreements == (0,)


@pytest.mark.parametrize(
    ("reference", "exported", "limits", "message"),
    [
        ([[0.1, 0.9]], [[0.1]], Limits("classify"), r"the network gives \(1, 2\), the exported file \(1, 1\)"),
        (np.empty((0, 2)), np.empty((0, 2)), Limits("classify"), "no photos to compare on"),
        ([[0.1, 0.9]], [[0.1, 0.9]], Limits("multilabel", thresholds=(0.5,) * 3), "3 thresholds for 2 classes"),
        ([[0.1, 0.9]], [[0.1, 0.9]], Limits("detect"), "task 'detect'"),
    ],
)
def test_refusals(reference: Any, exported: Any, limits: Limits, message: str) -> None:
    with pytest.raises(DataError, match=message):
        compare(_outputs(reference), _outputs(exported), limits)
