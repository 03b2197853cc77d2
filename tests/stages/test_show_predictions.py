"""Predictions on the page to browse photos: where they come from, and what is wrong with them."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from show_sets import coco_set, request, results, values

from vision_cli import formats
from vision_cli.core.errors import DataError
from vision_cli.core.progress import Silent
from vision_cli.stages.showing import layers, show_predictions
from vision_cli.stages.showing import show as stage


@pytest.fixture
def coco(tmp_path):
    return coco_set(tmp_path)


def test_coco_results_are_told_apart(coco, tmp_path):
    found = results(
        tmp_path,
        (1, 5, [11, 20, 30, 40], 0.9),  # right
        (1, 5, [0, 0, 9, 9], 0.8),  # a car where a van is
        (1, 8, [200, 100, 20, 20], 0.45),  # nothing is there
        (1, 8, [300, 100, 20, 20], 0.1),  # below the bound
        (2, 8, [0, 10, 1, 100], 0.7),  # within a crowd
        (77, 8, [0, 10, 1, 100], 0.7),  # another photo
    )
    shown = stage.show(request(coco / "labels.json", tmp_path / "page", predictions=found), Silent())
    assert shown.kinds == {"right": 1, "false positive": 1, "wrong class": 1, "missed": 0, "low confidence": 0}
    said = values(tmp_path / "page", "labels-0")["said"]
    assert [item[3] for item in said[0]] == [1, 3, 2]
    assert [item[3] for item in said[1]] == [0]
    assert values(tmp_path / "page", "photos-0")["confidence"] == [0.45, 0.7, None]
    assert sum("left out" in note for note in shown.notes) == 2


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ((1, 6, [0, 0, 1, 1], 0.9), "category ids are not of this data: 6"),
        ((1, 5, [0, 0, 1], 0.9), "no detections"),
        ((1, 5, [0, 0, -1, 1], 0.9), "no detections"),
        ((1, 5, [0, 0, 1, 1], 7), "not between 0 and 1"),
        ((9, 5, [0, 0, 1, 1], 0.9), "of these photos"),
        ((1, 5, "all", 0.9), "no list of results"),
    ],
)
def test_results_that_are_refused(coco, tmp_path, row, message):
    with pytest.raises(DataError, match=message):
        stage.show(request(coco / "labels.json", tmp_path / "page", predictions=results(tmp_path, row)), Silent())
    assert not (tmp_path / "page").exists()


@pytest.fixture
def folders(tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for at in range(2):
            Image.new("RGB", (30, 20)).save(tmp_path / "photos" / name / f"{at}.png")
    return tmp_path / "photos"


def test_an_evaluation_shows_what_was_wrong(folders, tmp_path):
    paths = sorted(folders.glob("*/*.png"))
    said = ["cat", "dog", "dog", "owl"]
    columns = {"path": list(map(str, paths)), "predicted": said, "confidence": [0.9, 0.8, 0.4, 0.6]}
    run = tmp_path / "runs" / "eval" / "one"
    run.mkdir(parents=True)
    pq.write_table(pa.table(columns), run / "predictions.parquet")
    shown = stage.show(request(folders, tmp_path / "page", predictions=run), Silent())
    assert shown.model == "eval one"
    assert shown.kinds == {"right": 1, "false positive": 0, "wrong class": 2, "missed": 0, "low confidence": 1}
    assert values(tmp_path / "page", "start")["classes"] == ["cat", "dog", "owl"]
    assert values(tmp_path / "page", "photos-0")["said"] == [[0], [1], [1], [2]]


def test_what_predict_wrote_as_csv(folders, tmp_path):
    lines = [f"{path},cat,0.900000,cat=0.9" for path in sorted(folders.glob("*/*.png"))]
    (tmp_path / "said.csv").write_text("\n".join(["path,answer,confidence,scores", *lines]) + "\n")
    shown = stage.show(request(folders, tmp_path / "page", predictions=tmp_path / "said.csv"), Silent())
    assert (shown.kinds["right"], shown.kinds["wrong class"]) == (2, 2)


def test_what_predict_wrote_as_json_of_other_photos(folders, tmp_path):
    document = {"predictions": [{"path": "/elsewhere/a.jpg", "answer": "cat", "confidence": 0.5, "scores": {}}]}
    (tmp_path / "said.json").write_text(json.dumps(document))
    with pytest.raises(DataError, match="none of its 1 predictions"):
        stage.show(request(folders, tmp_path / "page", predictions=tmp_path / "said.json"), Silent())


def test_predictions_that_are_not_there(folders, tmp_path):
    with pytest.raises(DataError, match="no such predictions"):
        stage.show(request(folders, tmp_path / "page", predictions=Path("yesterday")), Silent())


def test_judging_boxes_as_a_slow_loop_does():
    """The greedy matching of the COCO evaluation, written again without arrays."""
    from vision_cli.reports.browse_errors import LOW, RIGHT, judge
    from vision_cli.reports.browse_labels import Layer

    rng = np.random.default_rng(5)

    def made(count):
        boxes = np.concatenate([rng.uniform(0, 20, (count, 2)), rng.uniform(10, 30, (count, 2))], axis=1)
        return Layer(rng.integers(0, 12, count), rng.integers(0, 2, count), boxes, rng.uniform(0, 1, count))

    truth, said = made(60), made(90)
    _, kinds = judge(truth, said, 12)

    def iou(a, b):
        wide = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
        high = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
        joint = max(wide, 0) * max(high, 0)
        return joint / (a[2] * a[3] + b[2] * b[3] - joint)

    taken = set()
    for at in sorted(range(90), key=lambda at: -said.scores[at]):
        same = [
            row
            for row in range(60)
            if row not in taken and (truth.rows[row], truth.class_ids[row]) == (said.rows[at], said.class_ids[at])
        ]
        best = max(same, key=lambda row: iou(truth.boxes[row], said.boxes[at]), default=None)
        hit = best is not None and iou(truth.boxes[best], said.boxes[at]) >= 0.5
        if hit:
            taken.add(best)
        assert (kinds[at] in (RIGHT, LOW)) == hit
    assert 5 < len(taken) < 60


def test_results_of_a_set_in_another_format_meet_by_name(tmp_path):
    (tmp_path / "set").mkdir()
    Image.new("RGB", (60, 40)).save(tmp_path / "set" / "a.jpg")
    shape = {
        "label": "cat",
        "points": [[10, 10], [30, 10], [30, 30]],
        "shape_type": "polygon",
        "group_id": None,
        "flags": {},
    }
    document = {"version": "5.0.1", "flags": {}, "shapes": [shape], "imagePath": "a.jpg", "imageData": None}
    (tmp_path / "set" / "a.json").write_text(json.dumps({**document, "imageWidth": 60, "imageHeight": 40}))
    image = {"id": 1, "file_name": "a.jpg", "width": 60, "height": 40}
    (tmp_path / "said").mkdir()
    truth = {"images": [image], "annotations": [], "categories": [{"id": 3, "name": "cat"}]}
    (tmp_path / "said" / "truth.json").write_text(json.dumps(truth))
    said = results(tmp_path / "said", (1, 3, [10, 10, 20, 19], 0.9), (1, 3, [0, 0, 5, 5], 0.2))
    shown = stage.show(request(tmp_path / "set", tmp_path / "page", predictions=said, format="labelme"), Silent())
    assert (shown.kinds["right"], shown.kinds["missed"], shown.kinds["false positive"]) == (1, 0, 0)


def test_an_outline_alone_is_drawn_without_a_box_and_judged_with_one(coco):
    found = formats.FORMATS.load("coco").read(coco / "labels.json", formats.ReadOptions("data"))
    bare = replace(found, annotations=found.annotations.drop_columns(list("xywh")))
    assert layers.layer(bare).boxes is None
    assert layers.judged(bare).boxes[1:].round(2).tolist() == [[0, 0, 9.06, 9], [0, 0, 1, 300]]


def test_photos_that_nobody_predicted_are_not_missed(folders, tmp_path):
    paths = sorted(folders.glob("*/*.png"))[1:3]
    run = tmp_path / "runs" / "eval" / "part"
    run.mkdir(parents=True)
    columns = {"path": list(map(str, paths)), "predicted": ["cat", ""], "confidence": [0.9, 0.1]}
    pq.write_table(pa.table(columns), run / "predictions.parquet")
    shown = stage.show(request(folders, tmp_path / "page", predictions=run), Silent())
    assert (shown.kinds["right"], shown.kinds["missed"]) == (1, 1)
    assert any("Photos without predictions" in note and "2 of 4" in note for note in shown.notes)


def test_a_list_of_results_is_about_the_splits_it_names(tmp_path):
    for name in ("train", "val"):
        (tmp_path / "set" / name).mkdir(parents=True)
    rows = ["path,split,label,xmin,ymin,xmax,ymax"]
    for number, split in enumerate(("train", "train", "val", "val")):
        Image.new("RGB", (40, 30)).save(tmp_path / "set" / f"{number}.png")
        rows.append(f"{number}.png,{split},car,1,1,9,9")
    (tmp_path / "set/labels.csv").write_text("\n".join(rows))
    found = formats.read_as("csv", tmp_path / "set/labels.csv", formats.ReadOptions("data"))
    assert show_predictions._splits_of(found, [2]).tolist() == [False, False, True, True]
    assert show_predictions._splits_of(found, []).all()


def kept(tmp_path, columns):
    """Write the predictions of an evaluation, and return its name."""
    run = tmp_path / "runs" / "eval" / "one"
    run.mkdir(parents=True)
    pq.write_table(pa.table(columns), run / "predictions.parquet")
    return run


def test_an_evaluation_of_objects(coco, tmp_path):
    columns = {
        "path": [str(coco / "1.jpg"), str(coco / "3.jpg"), "/elsewhere/9.jpg"],
        "truth": [["car", "van"], [], ["car"]],
        "predicted": [["car", "bus"], [], ["car"]],
        "boxes": [[[11, 20, 30, 40], [200, 100, 20, 20]], [], [[0, 0, 9, 9]]],
        "confidence": [[0.9, 0.1], [], [0.9]],
    }
    run = kept(tmp_path, columns)
    shown = stage.show(request(coco / "labels.json", tmp_path / "page", predictions=run), Silent())
    assert shown.kinds == {"right": 1, "false positive": 1, "wrong class": 0, "missed": 1, "low confidence": 0}
    assert values(tmp_path / "page", "start")["classes"] == ["car", "van", "bus"]
    assert any("of other photos, left out: 1" in note for note in shown.notes)
    assert any("1 of 3" in note for note in shown.notes)  # nobody predicted on the second photo
    bounded = stage.show(request(coco / "labels.json", tmp_path / "sure", predictions=run, least=0.5), Silent())
    assert bounded.kinds["false positive"] == 0


def test_an_evaluation_of_pixels(coco, tmp_path):
    columns = {
        "path": [str(coco / f"{number}.jpg") for number in (1, 2, 3)],
        "truth": [["car", "van", "background"], ["van"], ["background"]],
        "predicted": [["car", "background"], ["van", "car"], ["background"]],
        "miou": [0.5, 0.25, 1.0],
    }
    shown = stage.show(request(coco / "labels.json", tmp_path / "page", predictions=kept(tmp_path, columns)), Silent())
    assert shown.kinds == {"right": 2, "false positive": 1, "wrong class": 0, "missed": 1, "low confidence": 0}


@pytest.mark.parametrize("boxes", [[[[0, 0, 9, 9]]], [[[0, 0, 9]]], [[7]]])
def test_an_evaluation_whose_lists_do_not_fit(coco, tmp_path, boxes):
    columns = {"path": [str(coco / "1.jpg")], "predicted": [["car", "car"]], "boxes": boxes, "confidence": [[0.9, 0.8]]}
    with pytest.raises(DataError, match="is no file of predictions"):
        stage.show(request(coco / "labels.json", tmp_path / "page", predictions=kept(tmp_path, columns)), Silent())
