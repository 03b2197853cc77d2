"""Krippendorff's alpha, Fleiss' and Cohen's kappa against published worked examples and scikit-learn."""

import numpy as np
import pytest

from vision_cli.metrics import agreement
from vision_cli.metrics.alpha import interval_alpha, ordinal_alpha

X = np.nan
KRIPPENDORFF_2011_C = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, X, X, X],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, X, 3],
        [X, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, X],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, X],
    ]
).T
"""Example C of Computing Krippendorff's Alpha-Reliability: four observers, twelve units, missing data."""
FLEISS_1971 = np.array(
    [
        [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
    ]
)  # fmt: skip
"""The worked example of Fleiss' kappa: ten subjects, fourteen raters, five categories."""


def figure(sums):
    return float(sums.values()[0])


def test_krippendorffs_own_example():
    counts = np.stack([(level == KRIPPENDORFF_2011_C).sum(axis=1) for level in range(1, 6)], axis=1)
    assert figure(agreement.krippendorff_alpha(counts)) == pytest.approx(0.743, abs=5e-4)
    assert figure(ordinal_alpha(KRIPPENDORFF_2011_C)) == pytest.approx(0.815, abs=5e-4)
    assert figure(interval_alpha(KRIPPENDORFF_2011_C)) == pytest.approx(0.849, abs=5e-4)


def test_fleiss_example():
    assert figure(agreement.fleiss_kappa(FLEISS_1971)) == pytest.approx(0.210, abs=5e-4)


def test_cohens_textbook_table_and_scikit_learn():
    one, other = np.repeat([0, 0, 1, 1], [20, 5, 10, 15]), np.repeat([0, 1, 0, 1], [20, 5, 10, 15])
    assert figure(agreement.cohen_kappa(one, other, 2)) == pytest.approx(0.4)
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    one, other = rng.integers(0, 4, (2, 90))
    assert figure(agreement.cohen_kappa(one, other, 4)) == pytest.approx(metrics.cohen_kappa_score(one, other))


def slow_alpha(values, distance):
    """Krippendorff's coincidences, pair by pair."""
    units = [[value for value in row if value == value] for row in values]
    units = [unit for unit in units if len(unit) > 1]
    every = [value for unit in units for value in unit]
    observed = sum(
        distance(a, b) / (len(unit) - 1)
        for unit in units
        for i, a in enumerate(unit)
        for j, b in enumerate(unit)
        if i != j
    )
    expected = sum(distance(a, b) for i, a in enumerate(every) for j, b in enumerate(every) if i != j)
    return 1 - (observed / len(every)) / (expected / (len(every) * (len(every) - 1)))


def test_any_numbers_pair_by_pair():
    rng = np.random.default_rng(7)
    values = 1e6 + rng.integers(0, 6, (15, 1)) + rng.integers(0, 3, (15, 4))
    values = np.where(rng.random(values.shape) < 0.3, np.nan, values.astype(float))
    assert figure(interval_alpha(values)) == pytest.approx(slow_alpha(values, lambda a, b: (a - b) ** 2))
    paired = values[(~np.isnan(values)).sum(axis=1) > 1]
    levels, counts = np.unique(paired[~np.isnan(paired)], return_counts=True)

    def ordinal(a, b):
        low, high = sorted((a, b))
        inside = counts[(levels >= low) & (levels <= high)].sum()
        return (inside - (counts[levels == a][0] + counts[levels == b][0]) / 2) ** 2 if a != b else 0.0

    assert figure(ordinal_alpha(values)) == pytest.approx(slow_alpha(values, ordinal))


def test_nothing_to_compare():
    assert interval_alpha(np.array([[1.0, X], [X, 2.0]])) is None
    assert ordinal_alpha(np.array([[1.0, X]])) is None
    assert np.isnan(figure(interval_alpha(np.ones((3, 2)))))
