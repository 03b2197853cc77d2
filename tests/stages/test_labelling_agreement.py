"""Several people's files about the same photos: coefficients, disputes, and what they agree on as a data set."""

from __future__ import annotations

import json

import labelling_sets_made as made
import numpy as np
import pytest

from vision_cli import formats
from vision_cli.core.errors import DataError, UsageError
from vision_cli.formats import ReadOptions
from vision_cli.stages.labelling.agreement import AgreementRequest, agree
from vision_cli.stages.labelling.task_writing import Target


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def people(tmp_path, said):
    """Write a CSV of classes a person, each in a folder of its own with the photos."""
    for who, labels in said.items():
        made.class_csv(tmp_path / who, labels)
    return tuple(f"{who}={tmp_path / who / 'labels.csv'}" for who in said)


def test_kappas_are_scikit_learns_and_the_dispute_names_who_said_what(tmp_path):
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(1)
    truth = rng.choice(["cat", "dog", "ox"], 30)
    noisy = {who: np.where(rng.random(30) < 0.25, rng.choice(["cat", "dog", "ox"], 30), truth) for who in "ab"}
    words = people(tmp_path, {who: {f"{n}.png": str(x) for n, x in enumerate(said)} for who, said in noisy.items()})
    result = agree(AgreementRequest(words))
    assert result.labels["cohen_kappa"].value == pytest.approx(metrics.cohen_kappa_score(noisy["a"], noisy["b"]))
    assert result.pairs[0].cohen_kappa == pytest.approx(result.labels["cohen_kappa"].value)
    low, high = result.labels["cohen_kappa"].interval
    assert low < result.labels["cohen_kappa"].value < high
    differ = np.flatnonzero(noisy["a"] != noisy["b"])
    assert {each.photo for each in result.disputes} == {f"{n}.png" for n in differ}
    first = result.disputes[0]
    number = int(first.photo.removesuffix(".png"))
    assert dict(first.said) == {"a": noisy["a"][number], "b": noisy["b"][number]}
    assert result.people[0].differs == pytest.approx(len(differ) / 30)


def test_fleiss_own_table_as_files_of_fourteen_people(tmp_path):
    counted = made.FLEISS_1971

    said = {f"r{n:02}": {} for n in range(14)}
    for photo, counts in enumerate(counted):
        for who, category in zip(said, np.repeat(list("abcde"), counts), strict=True):
            said[who][f"{photo}.png"] = str(category)
    result = agree(AgreementRequest(people(tmp_path, said)))
    assert result.labels["fleiss_kappa"].value == pytest.approx(0.210, abs=5e-4)


def test_boxes_of_two_people_in_one_label_studio_export(tmp_path):
    car, moved, far = (10, 10, 30, 30), (11, 10, 31, 30), (60, 40, 90, 70)
    file = made.studio_export(
        tmp_path / "ls/export.json",
        {
            "a.png": {"ann": [made.studio_box("car", car, "1")], "bob": [made.studio_box("car", moved, "2")]},
            "b.png": {"ann": [made.studio_box("car", car, "3"), made.studio_box("bike", far, "4")], "bob": []},
        },
    )
    result = agree(AgreementRequest((str(file),), target=Target(tmp_path / "agreed", "voc", frozenset({"unlabelled"}))))
    assert result.annotators == ("ann", "bob")
    assert result.shared == 2
    assert result.objects["f1"].value == pytest.approx(2 / 4)  # bob saw b.png and drew nothing
    assert result.objects["mean_iou"].value == pytest.approx(19 / 21)
    assert result.classes["bike"]["f1"] == 0
    assert [each.photo for each in result.disputes] == ["b.png"]
    assert dict(result.consensus) == {"labels": 0, "objects": 1, "ties": 0, "objects_of_too_few": 2}
    assert result.ok
    dataset = formats.FORMATS.load("voc").read(tmp_path / "agreed", ReadOptions("x"))
    rows = dataset.annotations.select(["x", "y", "w", "h"]).to_pylist()
    # VOC counts pixels from 1 to the last one: edges 10.5 .. 30.5 are written as 11.5 .. 30.5.
    assert rows == [{"x": 11.5, "y": 11.0, "w": 19.0, "h": 19.0}]
    assert sorted(path.name for path in (tmp_path / "agreed").rglob("*.png")) == ["a.png", "b.png"]


def test_values_have_an_interval_alpha(tmp_path):
    for who, numbers in {"a": (1.0, 2.0, 9.0), "b": (1.5, 2.0, 8.0)}.items():
        made.class_csv(tmp_path / who, {f"{n}.png": str(x) for n, x in enumerate(numbers)})
        file = tmp_path / who / "labels.csv"
        file.write_text(file.read_text().replace("path,label", "path,value"))
    result = agree(AgreementRequest(tuple(f"{who}={tmp_path / who / 'labels.csv'}" for who in "ab")))
    # by hand: n=6, sum of squared differences within 2*(0.25+0+1), by chance over all 15 pairs
    every = np.array([1.0, 1.5, 2.0, 2.0, 9.0, 8.0])
    chance = ((every[:, None] - every[None]) ** 2).sum() / 30
    assert result.values["krippendorff_alpha_interval"].value == pytest.approx(1 - (2 * 1.25 / 6) / chance)


def test_a_task_nobody_answered_does_not_count(tmp_path):
    box = made.studio_box("car", (10, 10, 30, 30), "1")
    file = made.studio_export(tmp_path / "ls/export.json", {"a.png": {"ann": [box], "bob": [box]}, "b.png": {}})
    result = agree(AgreementRequest((str(file),)))
    assert (result.photos, result.shared, result.objects["f1"].value) == (2, 1, 1.0)
    document = json.loads(file.read_text())
    document[0]["annotations"][1]["was_cancelled"] = True
    file.write_text(json.dumps(document))
    with pytest.raises(DataError, match="no photo has answers of two people; 2 photos, 1 people: ann"):
        agree(AgreementRequest((str(file),)))


def test_refusals(tmp_path):
    words = people(tmp_path, {"a": {"1.png": "x"}, "b": {"2.png": "x"}})
    with pytest.raises(DataError, match="no photo has answers of two people"):
        agree(AgreementRequest(words))
    with pytest.raises(UsageError, match="--iou 0"):
        agree(AgreementRequest(words, iou=0))
    with pytest.raises(UsageError, match="several answers are called a"):
        agree(AgreementRequest((words[0], words[0])))
    with pytest.raises(DataError, match="there is no such file"):
        agree(AgreementRequest((words[0], "b=nowhere")))


def test_a_real_export_of_two_annotators(shared_data):
    """Label Studio's own test export: overlaps are those of its percents, worked out without our reader."""
    file = shared_data / "ls_converter_tests/tests/data/test_export_yolo/data.json"
    result = agree(AgreementRequest((str(file),)))
    task = json.loads(file.read_text())[0]
    one, other = (each["result"][0]["value"] for each in task["annotations"])
    assert (one["rectanglelabels"], other["rectanglelabels"]) == (["parasites"], ["parasites"])

    def common(low, side):
        ends = min(one[low] + one[side], other[low] + other[side])
        return ends - max(one[low], other[low])

    both = common("x", "width") * common("y", "height")
    iou = both / (one["width"] * one["height"] + other["width"] * other["height"] - both)
    assert (result.photos, result.shared, result.annotators) == (2, 1, ("1", "2"))
    assert result.objects["mean_iou"].value == pytest.approx(iou, rel=1e-6)
    assert result.objects["f1"].value == 0.5  # the other two boxes lie apart
    assert agree(AgreementRequest((str(file),), iou=round(iou, 2) + 0.01)).objects["f1"].value == 0


def test_masks_of_people_in_labelme_and_cvat_files(tmp_path):
    """Polygons of two tools meet by photo, and their agreed mask is what both cover."""
    made.box_csv(tmp_path, photos=1, boxes={"car": (10, 10, 30, 30)})
    square = [[10, 10], [30, 10], [30, 30], [10, 30]]
    for who, points in {"ann": square, "bob": [[x + 2, y] for x, y in square]}.items():
        folder = tmp_path / who
        made.photo(folder / "p0.png")
        shape = {"label": "car", "points": points, "group_id": None, "shape_type": "polygon", "flags": {}}
        document = {"version": "5.5.0", "flags": {}, "shapes": [shape], "imagePath": "p0.png", "imageData": None}
        (folder / "p0.json").write_text(json.dumps({**document, "imageHeight": 80, "imageWidth": 100}))
    (tmp_path / "c.xml").write_text(
        '<annotations><version>1.1</version><image id="0" name="p0.png" width="100" height="80">'
        '<polygon label="car" points="10,10;30,10;30,30;10,30"/></image></annotations>'
    )
    words = (f"ann={tmp_path / 'ann'}", f"bob={tmp_path / 'bob'}", f"cvat={tmp_path / 'c.xml'}")
    result = agree(AgreementRequest(words, target=Target(tmp_path / "agreed", "vision")))
    assert result.objects["mean_iou"].value == pytest.approx((18 / 22 + 1 + 18 / 22) / 3, abs=0.01)
    assert result.objects["f1"].value == 1
    dataset = formats.FORMATS.load("vision").read(tmp_path / "agreed", ReadOptions("x"))
    (row,) = dataset.annotations.select(["x", "y", "w", "h"]).to_pylist()
    assert row == {"x": 10, "y": 10, "w": 20, "h": 20}  # two of three people cover these pixels
