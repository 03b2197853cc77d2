"""Deliveries against labels that are right."""

from __future__ import annotations

from pathlib import Path

import labelling_sets_made as made
import pytest

from vision_cli.core.errors import DataError, UsageError
from vision_cli.core.project import load
from vision_cli.stages.labelling.gold import GoldRequest, mark, score

PROJECT = """version: 1
# by hand
data:
  sources: {checked: {path: gold/boxes.csv}}   # kept
"""


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def project():
    return load(None, ())


def delivery(tmp_path, changes):
    """Write Label Studio's export of ann and bob; a change gives bob's boxes of a photo."""
    said = {}
    for number in range(4):
        right = [made.studio_box(name, box, f"{number}{name}") for name, box in made.BOXES.items()]
        said[f"p{number}.png"] = {"ann": right, "bob": changes.get(number, right)}
    return made.studio_export(tmp_path / "delivery/export.json", said, "images/photos")


def test_each_person_and_the_whole_are_scored(tmp_path):
    made.box_csv(tmp_path / "gold")
    car = made.studio_box("car", made.BOXES["car"], "1")
    wrong = made.studio_box("car", made.BOXES["bike"], "2")
    file = delivery(tmp_path, {0: [car], 1: [car, wrong], 2: [car, made.studio_box("bike", (0, 0, 5, 5), "3")]})
    result = score(GoldRequest(project(), (f"acme={file}",), "gold/boxes.csv", bounds=("f1>0.7", "recall[bike]>=0.9")))
    (found,) = result.deliveries
    ann, bob = found.people
    assert (ann.name, bob.name) == ("ann", "bob")
    assert ann.values["f1"] == 1
    # bob: 4 cars and 1 bike of 8 right; drew 1 + 2 + 2 + 2
    assert bob.values["precision"] == pytest.approx(5 / 7)
    assert bob.values["recall"] == pytest.approx(5 / 8)
    assert bob.values["f1"] == pytest.approx(2 * 5 / 15)
    assert bob.values["class_accuracy"] == pytest.approx(5 / 6)
    assert bob.values["recall[bike]"] == pytest.approx(1 / 4)
    assert found.whole.values["precision"] == pytest.approx((8 + 5) / (8 + 7))
    assert found.whole.values["coverage"] == 1
    low, high = bob.intervals["f1"]
    assert low < bob.values["f1"] < high <= 1
    assert [each.verdict for each in found.whole.judgements] == ["pass", "fail"]
    assert not found.whole.accepted
    assert not result.ok
    assert ann.accepted


def test_labels_of_photos_are_scored_with_wilsons_interval(tmp_path):
    right = {f"{n}.png": "cat" if n % 2 else "dog" for n in range(10)}
    made.class_csv(tmp_path / "gold", right)
    made.class_csv(tmp_path / "sent", {**right, "0.png": "cat", "10.png": "cat"})
    result = score(GoldRequest(project(), ("sent/labels.csv",), "gold/labels.csv", bounds=("label_accuracy>=0.9",)))
    whole = result.deliveries[0].whole
    assert whole.values["label_accuracy"] == pytest.approx(0.9)
    assert whole.intervals["label_accuracy"] == pytest.approx((0.5958, 0.9821), abs=2e-3)  # Wilson of 9 of 10
    assert result.ok
    sure = GoldRequest(
        project(), ("sent/labels.csv",), "gold/labels.csv", bounds=("label_accuracy>=0.9",), confidence=0.95
    )
    assert score(sure).deliveries[0].whole.judgements[0].verdict == "not enough evidence"


def test_missing_photos_lower_the_coverage_alone(tmp_path):
    right = {f"{n}.png": "cat" for n in range(4)}
    made.class_csv(tmp_path / "gold", right)
    made.class_csv(tmp_path / "sent", {"0.png": "cat"})
    result = score(GoldRequest(project(), ("sent/labels.csv",), "gold/labels.csv", bounds=("coverage.min=1",)))
    whole = result.deliveries[0].whole
    assert (whole.photos, whole.missing, whole.values["coverage"], whole.values["label_accuracy"]) == (1, 3, 0.25, 1)
    assert not result.ok


def test_marking_changes_one_line_and_scoring_finds_it(tmp_path):
    made.box_csv(tmp_path / "gold")
    Path("vision.yaml").write_text(PROJECT)
    result = mark(project(), "checked", dry_run=True)
    assert (result.photos, result.annotations, result.written) == (4, 8, False)
    assert Path("vision.yaml").read_text() == PROJECT
    mark(project(), "checked")
    text = Path("vision.yaml").read_text()
    assert text == PROJECT.replace("data:\n", "data:\n  gold: checked\n")
    mark(project(), "all")
    assert Path("vision.yaml").read_text() == text.replace("gold: checked", "gold: all")
    assert project().config.data.gold == "all"
    found = score(GoldRequest(project(), (str(delivery(tmp_path, {})),)))
    assert found.gold == "all"
    assert found.deliveries[0].whole.values["f1"] == 1


def test_refusals(tmp_path):
    made.box_csv(tmp_path / "gold")
    made.class_csv(tmp_path / "other", {"z.png": "cat"})
    with pytest.raises(UsageError, match="no gold standard is named"):
        score(GoldRequest(project(), ("gold/boxes.csv",)))
    with pytest.raises(UsageError, match="nothing is called 'f2'"):
        score(GoldRequest(project(), ("gold/boxes.csv",), "gold/boxes.csv", bounds=("f2>0.5",)))
    with pytest.raises(DataError, match=r"labels: answers none of 4 gold photos"):
        score(GoldRequest(project(), ("other/labels.csv",), "gold/boxes.csv"))
    with pytest.raises(UsageError, match=r"there is no vision\.yaml"):
        mark(project(), "checked")
    Path("vision.yaml").write_text("data: [1\n")
    with pytest.raises(UsageError):
        project()


@pytest.mark.parametrize(
    ("bound", "message", "hint"),
    [
        ("recall[bikes]>0.99", "no class is called 'bikes'", "Did you mean 'bike'?"),
        ("recall[WBK]>0.99", "no class is called 'WBK'", "Classes: "),
        ("coverage[bike]>0.5", "'coverage' is not measured a class", "Leave the"),
    ],
)
def test_a_bound_on_a_class_that_is_none(tmp_path, bound, message, hint):
    made.box_csv(tmp_path / "gold")
    file = delivery(tmp_path, {})
    with pytest.raises(UsageError, match=message) as caught:
        score(GoldRequest(project(), (f"acme={file}",), "gold/boxes.csv", bounds=(bound,)))
    assert hint in caught.value.hint
