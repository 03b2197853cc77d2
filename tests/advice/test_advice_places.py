"""Warnings of labels of places: objects are counted, not photos, and the metrics named are the task's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from scipy.stats import binomtest

from vision_cli import metrics
from vision_cli.advice import duplicates
from vision_cli.advice.plan import Finding, warn
from vision_cli.core.dataset import ClassMap, Dataset
from vision_cli.core.tasks import PLACE_TASKS

PHOTOS = 30
"""In each split; more objects a photo make the counts."""


@pytest.fixture(autouse=True)
def _no_photos(monkeypatch: pytest.MonkeyPatch) -> None:
    """These data sets have no files."""
    monkeypatch.setattr(duplicates, "across_splits", lambda *_: [])


@pytest.fixture
def data(labelled) -> Callable[..., Dataset]:
    """Return a function that deals objects {split: {class: number}} over photos."""

    def make(counts: dict[str, dict[str, int]]) -> Dataset:
        rows: list[list[str]] = [[] for _ in range(PHOTOS * len(counts))]
        for first, of in zip(range(0, len(rows), PHOTOS), counts.values(), strict=True):
            for name, number in of.items():
                for each in range(number):
                    rows[first + each % PHOTOS].append(name)
        splits = [split for split in counts for _ in range(PHOTOS)]
        return labelled(Path(), [f"{n}.jpg" for n in range(len(rows))], splits, rows)

    return make


def by_code(findings: list[Finding]) -> dict[str, Finding]:
    assert len({finding.code for finding in findings}) == len(findings)
    return {finding.code: finding for finding in findings}


FEW = {"train": {"red": 300, "white": 40}, "val": {"red": 50, "white": 35}, "test": {"red": 60, "white": 7}}


def test_objects_are_counted_and_what_they_can_prove(data) -> None:
    found = by_code(warn(data(FEW), "detect"))
    assert set(found) == {"few-test-objects", "few-train-objects", "imbalanced"}
    few = found["few-test-objects"]
    assert few.figure == 7
    assert "1 class has fewer than 36 test objects (train / val / test: white 40 / 35 / 7)" in few.message
    exact = binomtest(7, 7).proportion_ci(method="exact").low
    assert f"finding all 7 of 'white' proves a recall of no more than {exact:.2f}" in few.message
    assert found["few-train-objects"].message == "1 class has fewer than 50 objects to learn from: white 40."
    assert "'red' is 90% of the objects" in found["imbalanced"].message


def test_the_bound_is_the_first_that_proves_a_recall_of_nine_in_ten() -> None:
    from vision_cli.advice.places import MIN_TEST

    low = [binomtest(n, n).proportion_ci(method="exact").low for n in (MIN_TEST - 1, MIN_TEST)]
    assert low[0] < 0.9 <= low[1]


def test_crowds_are_no_objects(data) -> None:
    whole = data({"train": {"a": 60}, "val": {"a": 60}, "test": {"a": 60}})
    assert warn(whole, "instance") == []
    crowd = pa.array([row >= 150 for row in range(180)])
    crowds = replace(whole, annotations=whole.annotations.append_column("iscrowd", crowd))
    assert by_code(warn(crowds, "instance"))["few-test-objects"].figure == 30


def test_classes_of_pixels_are_counted_in_photos_that_show_them(data) -> None:
    whole = data({"train": {"road": 90, "sky": 9}, "val": {"road": 30, "sky": 30}, "test": {"road": 30}})
    found = by_code(warn(whole.with_classes(ClassMap(("road", "sky", "background"))), "semantic"))
    assert set(found) == {"class-missing-in-test", "few-test-photos", "few-train-photos"}
    assert found["class-missing-in-test"].message.endswith("test photo, nothing is known of them there: sky.")
    assert "road 30 / 30 / 30" in found["few-test-photos"].message
    assert found["few-train-photos"].message.endswith("to learn from: sky 9.")


@pytest.mark.parametrize("task", PLACE_TASKS)
def test_metrics_that_are_named_are_the_tasks(data, task: str) -> None:
    said = " ".join(finding.message for finding in warn(data(FEW), task))
    words = {word.strip(",.;:()").partition("[")[0] for word in said.split()}
    named = {word for word in words if word in metrics.METRICS.cards()} - {"recall"}
    assert named
    assert named <= set(metrics.names_of(task))


def test_enough_of_everything_is_silent(data) -> None:
    each = {"a": 100, "b": 90}
    assert warn(data({"train": each, "val": each, "test": each}), "panoptic") == []
