"""Warnings of counts, with their figures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from vision_cli.advice import duplicates
from vision_cli.advice.plan import Finding, warn


@pytest.fixture(autouse=True)
def _no_photos(monkeypatch: pytest.MonkeyPatch) -> None:
    """These data sets have no files."""
    monkeypatch.setattr(duplicates, "across_splits", lambda *_: [])


@pytest.fixture
def data(labelled):
    """Return a function that builds a data set from counts {split: {class: number}}."""

    def make(counts: dict[str, dict[str, int]]):
        rows = [(split, name) for split, of in counts.items() for name, number in of.items() for _ in range(number)]
        return labelled(Path(), [f"{n}.jpg" for n in range(len(rows))], [s for s, _ in rows], [[c] for _, c in rows])

    return make


@pytest.fixture
def valued(labelled):
    """Return a function that builds a data set from values {split: [value]}."""

    def make(values: dict[str, list[float]]):
        rows = [(split, value) for split, found in values.items() for value in found]
        whole = labelled(Path(), [f"{n}.jpg" for n in range(len(rows))], [split for split, _ in rows])
        annotations = whole.annotations.set_column(3, "value", pa.array([value for _, value in rows], pa.float64()))
        return replace(whole, annotations=annotations)

    return make


def by_code(findings: list[Finding]) -> dict[str, Finding]:
    assert len({finding.code for finding in findings}) == len(findings)
    return {finding.code: finding for finding in findings}


def test_enough_of_everything_is_silent(data) -> None:
    each = {"cat": 20, "dog": 25}
    assert warn(data({"train": each, "val": each, "test": each}), "classify") == []


def test_few_test_photos_names_classes_and_counts(data) -> None:
    found = by_code(
        warn(
            data(
                {
                    "train": {"a": 20, "b": 20, "c": 20},
                    "val": dict.fromkeys("abc", 9),
                    "test": {"a": 11, "b": 4, "c": 12},
                }
            ),
            "classify",
        )
    )
    assert set(found) == {"few-test-photos"}
    finding = found["few-test-photos"]
    assert finding.figure == 4
    assert "2 classes have fewer than 12 test photos (b 4, a 11)" in finding.message
    assert "by 25 points" in finding.message


def test_classes_missing_from_a_split(data) -> None:
    counts = {"train": {"a": 20, "b": 20}, "val": {"b": 20, "a": 20}, "test": {"a": 20, "c": 20}}
    found = by_code(warn(data(counts), "classify"))
    assert "1 of 3 classes have no train photo" in found["class-missing-in-train"].message
    assert found["class-missing-in-train"].message.endswith(": c.")
    assert found["class-missing-in-test"].message.endswith(": b.")
    assert found["class-missing-in-val"].figure == 1


def test_few_photos_to_learn_from(data) -> None:
    counts = {"train": {"a": 9, "b": 10}, "val": {"a": 9, "b": 10}, "test": {"a": 20, "b": 20}}
    assert by_code(warn(data(counts), "classify"))["few-train-photos"].message.endswith("learn from: a 9.")


def test_splits_without_photos(data) -> None:
    found = warn(data({"train": {"a": 20, "b": 20}}), "classify")
    assert [finding.message for finding in found] == [
        "The split val has no photo: nothing chooses the best epoch.",
        "The split test has no photo: nothing can be judged.",
    ]


@pytest.mark.parametrize(("large", "warns"), [(73, False), (76, True), (98, True)])
def test_imbalance_tells_what_the_largest_class_scores(data, large: int, warns: bool) -> None:
    counts = {"train": {"a": 50, "b": 50}, "val": {"a": 50, "b": 50}, "test": {"a": large, "b": 100 - large}}
    found = by_code(warn(data(counts), "classify"))
    assert ("imbalanced" in found) == warns
    if warns:
        assert found["imbalanced"].figure == pytest.approx(large / 100)
        assert f"always saying 'a' scores {large / 100:.3f}" in found["imbalanced"].message


def test_multilabel_counts_labels_and_tells_of_rare_ones(labelled) -> None:
    names = [f"c{index:02}" for index in range(30)]
    rows = [[names[n % 30]] for n in range(1080)]
    splits = ["train", "val", "test"] * 360
    whole = labelled(Path(), [f"{n}.jpg" for n in range(1080)], splits, rows)
    found = by_code(warn(whole, "multilabel"))
    assert found["imbalanced"].figure == pytest.approx(29 / 30)
    assert found["class-missing-in-train"].figure == 20


def test_constant_values_and_few_of_them(valued) -> None:
    found = by_code(warn(valued({"train": [3.5] * 49, "val": [1.0, 2.0], "test": [1.0, 2.0] * 5}), "regress"))
    assert set(found) == {"constant-values-in-train", "few-train-photos", "few-test-photos"}
    assert found["constant-values-in-train"].figure == 3.5
    assert (found["few-train-photos"].figure, found["few-test-photos"].figure) == (49, 10)
    fine = {"train": [float(n) for n in range(50)], "val": [1.0, 2.0], "test": [float(n) for n in range(12)]}
    assert warn(valued(fine), "regress") == []


def test_a_finding_is_json(data) -> None:
    document = warn(data({"train": {"a": 20, "b": 20}}), "classify")[0].as_json()
    assert document == {
        "code": "empty-split",
        "message": "The split val has no photo: nothing chooses the best epoch.",
        "figure": 0.0,
        "files": [],
    }
