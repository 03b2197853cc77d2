"""Label Studio: real exports against a slow parser, each kind of result, its brush, ids, and what is refused."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import rich_data as made
from hypothesis import given, settings
from hypothesis import strategies as st
from test_labelstudio_brush import PEER_RLE

from vision_cli.core import outline
from vision_cli.core.dataset import ClassMap, Dataset
from vision_cli.core.errors import DataError
from vision_cli.formats import ReadOptions, WriteOptions, conserving, labelstudio

FOLDER = "ls_converter_tests/tests/data"
READ = {
    "test_export_csv/csv_test.json": (2, 3),
    "test_export_json_min/data.json": (1, 1),
    "test_export_yolo/data.json": (2, 6),
    "test_export_yolo/data_obb.json": (3, 25),
    "test_export_yolo/data_polygons.json": (1, 1),
}
REFUSED = {
    "test_export_csv/csv_test2.json": "task 4: no member of `data` names one photo",
    "test_export_csv/csv_test_history.json": "task 6141: no member of `data` names one photo",
    "test_export_json_min/data_repeater.json": "task 86: no member of `data` names one photo",
}


def read(path: Path, **options: object) -> Dataset:
    return labelstudio.read(path, ReadOptions("data", **options))


def rows(dataset: Dataset) -> list[dict]:
    """Return annotations by class name, without nulls and ids of ours."""
    names = dataset.classes.names
    return [
        {key: value for key, value in row.items() if value is not None and key not in ("id", "image_id", "class_id")}
        | ({} if row["class_id"] is None else {"class": names[row["class_id"]]})
        for row in dataset.annotations.to_pylist()
    ]


def written(dataset: Dataset, folder: Path) -> list[dict]:
    folder.mkdir()
    labelstudio.write(dataset, folder, WriteOptions())
    return json.loads((folder / "tasks.json").read_bytes())


def task(*results: dict, **more: Any) -> dict:
    annotation = {"id": 5, "completed_by": 9, "result": list(results)}
    return {"id": 1, "data": {"image": "a.jpg"}, "annotations": [annotation], "predictions": [], **more}


def result(kind: str, value: dict, **more: Any) -> dict:
    size = {"original_width": 200, "original_height": 100}
    return {"id": f"r-{kind}", "type": kind, "from_name": "f", "to_name": "image", "value": value, **size, **more}


def tasks(tmp_path: Path, *found: Any) -> Path:
    path = tmp_path / "tasks.json"
    path.write_text(json.dumps(list(found)))
    return path


def one(tmp_path: Path, *results: dict) -> list[dict]:
    return rows(read(tasks(tmp_path, task(*results))))


@pytest.mark.parametrize("name", READ)
def test_real_exports_are_what_a_slow_parser_finds(name, shared_data):
    path = shared_data / FOLDER / name
    dataset = read(path)
    assert (len(dataset), dataset.annotations.num_rows) == READ[name]
    assert labelstudio.detect(path) is not None
    expected = []
    for each in json.loads(path.read_bytes()):
        for annotation in each["annotations"]:
            for found in annotation["result"]:
                expected.append((found["id"], found["value"][found["type"]][0], annotation["id"], found))
    seen = [(row["source_id"], row["class"], json.loads(row["attributes"])["annotation_id"]) for row in rows(dataset)]
    assert seen == [line[:3] for line in expected]
    for row, (*_, found) in zip(rows(dataset), expected, strict=True):
        for x, y in _corners(found):
            assert any(math.hypot(x - a, y - b) < 1e-6 for a, b in _row_corners(row))


def _corners(found: dict) -> list[tuple[float, float]]:
    """Return corners in pixels, by the rule of Label Studio: turned about the left top corner."""
    value, width, height = found["value"], found["original_width"], found["original_height"]
    if "points" in value:
        return [(x * width / 100, y * height / 100) for x, y in value["points"]]
    x, y, w, h = (
        value[name] * side / 100 for name, side in zip(("x", "y", "width", "height"), (width, height) * 2, strict=True)
    )
    turn = math.radians(value["rotation"])
    return [
        (x + a * math.cos(turn) - b * math.sin(turn), y + a * math.sin(turn) + b * math.cos(turn))
        for a in (0, w)
        for b in (0, h)
    ]


def _row_corners(row: dict) -> list[tuple[float, float]]:
    """Return corners in pixels, turned about the centre."""
    if "outline" in row:
        ring = json.loads(row["outline"])[0]
        return list(zip(ring[::2], ring[1::2], strict=True))
    turn, cx, cy = math.radians(row.get("rotation_deg", 0)), row["x"] + row["w"] / 2, row["y"] + row["h"] / 2
    sides = [(a * row["w"] / 2, b * row["h"] / 2) for a in (-1, 1) for b in (-1, 1)]
    return [
        (cx + a * math.cos(turn) - b * math.sin(turn), cy + a * math.sin(turn) + b * math.cos(turn)) for a, b in sides
    ]


@pytest.mark.parametrize("name", READ)
def test_real_exports_come_back_as_they_were_and_built_anew(name, shared_data, tmp_path):
    dataset = read(shared_data / FOLDER / name)
    assert written(dataset, tmp_path / "same") == json.loads((shared_data / FOLDER / name).read_bytes())
    bare = replace(dataset, images=dataset.images.drop_columns(["record"]))
    written(bare, tmp_path / "anew")
    back = read(tmp_path / "anew")
    assert rows(back) == rows(dataset)
    assert back.images["source_id"].to_pylist() == dataset.images["source_id"].to_pylist()


@pytest.mark.parametrize("name", REFUSED)
def test_tasks_without_one_photo_are_refused(name, shared_data):
    with pytest.raises(DataError) as caught:
        read(shared_data / FOLDER / name)
    assert REFUSED[name] in caught.value.details[0]


def test_annotators_of_real_exports(shared_data):
    dataset = read(shared_data / FOLDER / "test_export_yolo/data.json")
    assert {row["annotator"] for row in rows(dataset)} == {"1", "2"}
    assert dataset.images["annotators"].to_pylist() == ['["2","1"]', '["1"]']
    assert dataset.classes.names == ("parasites", "white")


def test_every_region(tmp_path):
    box, polygon, brush, point, ellipse = one(
        tmp_path,
        result(
            "rectanglelabels", {"x": 10, "y": 20, "width": 5, "height": 10, "rotation": 0, "rectanglelabels": ["car"]}
        ),
        result("polygonlabels", {"points": [[0, 0], [10, 0], [10, 10]], "polygonlabels": ["car"]}),
        result(
            "brushlabels",
            {"format": "rle", "rle": PEER_RLE, "brushlabels": ["sky"]},
            original_width=9,
            original_height=6,
        ),
        result("keypointlabels", {"x": 50, "y": 50, "width": 1, "keypointlabels": ["tip"]}),
        result(
            "ellipselabels", {"x": 50, "y": 50, "radiusX": 10, "radiusY": 5, "rotation": 30, "ellipselabels": ["car"]}
        ),
    )
    assert [box[name] for name in "xywh"] == [20, 20, 10, 10]
    assert json.loads(polygon["outline"]) == [[0, 0, 20, 0, 20, 10]]
    assert outline.area(outline.parse(brush["outline"])) == 16
    assert json.loads(point["keypoints"]) == [100, 50, 2]
    assert [ellipse[name] for name in "xywh"] == [80, 45, 40, 10]
    assert ellipse["rotation_deg"] == 30
    assert json.loads(ellipse["attributes"]) == {"annotation_id": 5, "shape": "ellipse"}
    assert {row["annotator"] for row in (box, polygon, brush, point, ellipse)} == {"9"}


def test_a_turned_box_turns_about_its_corner_there_and_its_centre_here(tmp_path):
    value = {"x": 50, "y": 50, "width": 10, "height": 10, "rotation": 90, "rectanglelabels": ["car"]}
    (box,) = one(tmp_path, result("rectanglelabels", value))
    # 20 x 10 px, its left top corner at 100, 50: turned right, it lies left of the corner, from 90 to 100 and 50 to 70.
    assert [box[name] for name in "xywh"] == [85, 55, 20, 10]
    assert box["rotation_deg"] == 90


def test_labels_of_the_whole_photo(tmp_path):
    found = one(
        tmp_path,
        result("choices", {"choices": ["rain", "night"]}),
        result("number", {"number": 3.5}),
        result("rating", {"rating": 4}),
        result("taxonomy", {"taxonomy": [["animal", "cat"]]}),
        result("textarea", {"text": ["free"]}),
    )
    assert [row.get("class", row.get("value")) for row in found] == ["rain", "night", 3.5, 4.0, "animal/cat"]
    assert json.loads(found[0]["attributes"]) == {"annotation_id": 5, "from_name": "f"}
    dataset = read(tmp_path)
    assert dataset.notes == (
        "1 results of type textarea are no labels of photos; they are kept as they are, in `other_results`.",
    )


def test_what_is_said_of_a_region_and_regions_with_labels_apart(tmp_path):
    place = {"x": 10, "y": 20, "width": 5, "height": 10, "rotation": 0}
    (row,) = one(
        tmp_path,
        result("rectangle", place, id="r"),
        result("labels", {**place, "labels": ["car"]}, id="r"),
        result("choices", {**place, "choices": ["parked"]}, id="r", from_name="state"),
    )
    assert row["class"] == "car"
    assert json.loads(row["attributes"]) == {"annotation_id": 5, "state": "parked"}


def test_states_of_tasks(tmp_path):
    value = {"x": 1, "y": 1, "width": 2, "height": 2, "rotation": 0, "rectanglelabels": ["car"]}
    answer = {"result": [result("rectanglelabels", value, score=0.5)]}
    path = tasks(
        tmp_path,
        task(id=1, predictions=[answer]),
        task(id=2, data={"image": "b.jpg"}, annotations=[{"id": 3, "was_cancelled": True, **answer}]),
        task(
            id=3,
            data={"image": "c.jpg"},
            annotations=[],
            predictions=[{"id": 4, "model_version": "v1", "score": 0.9, **answer}],
        ),
        task(id=4, annotations=[], data={"image": "d.jpg", "width": 4, "height": 4}),
        task(
            result("rectanglelabels", value),
            id=5,
            data={"image": "e.jpg"},
            annotations=[{"id": 6, "ground_truth": True, **answer}],
        ),
    )
    made.photos(tmp_path, ("a.jpg",))
    dataset = read(path)
    assert dataset.images["labelling"].to_pylist() == ["done", "skipped", "predicted", "open", "done"]
    predicted, gold = rows(dataset)
    assert (predicted["score"], predicted["annotator"]) == (0.5, "v1")
    assert json.loads(predicted["attributes"]) == {"prediction_id": 4}
    assert json.loads(gold["attributes"]) == {"annotation_id": 6, "ground_truth": True}
    assert dataset.notes[0] == "1 annotations were skipped by their annotator and are not read."
    assert json.loads(path.read_bytes()) == written(dataset, tmp_path / "out")


def test_only_what_changed_is_written_anew(tmp_path):
    value = {"x": 1, "y": 1, "width": 2, "height": 2, "rotation": 0, "rectanglelabels": ["car"]}
    text = result("textarea", {"text": ["free"]}, id="t")
    path = tasks(
        tmp_path,
        task(result("rectanglelabels", value, id="a"), text, file_upload="x"),
        task(text, id=2, data={"image": "b.jpg"}),
    )
    dataset = read(path)
    renamed = replace(dataset, classes=ClassMap(("Auto",)))
    first, second = written(renamed, tmp_path / "out")
    assert second == json.loads(path.read_bytes())[1]
    assert first["file_upload"] == "x"
    region, kept = first["annotations"][0]["result"]
    assert region["value"] == {**value, "rectanglelabels": ["Auto"]}
    assert (region["id"], first["annotations"][0]["id"], first["annotations"][0]["completed_by"]) == ("a", 5, 9)
    assert kept == text


def test_a_text_about_a_region_is_an_attribute_called_as_its_control(tmp_path):
    place = {"x": 10, "y": 20, "width": 5, "height": 10, "rotation": 0}
    (row,) = one(
        tmp_path,
        result("rectanglelabels", {**place, "rectanglelabels": ["car"]}, id="r"),
        result("textarea", {**place, "text": ["B-XY 1"]}, id="r", from_name="plate"),
    )
    assert json.loads(row["attributes"])["plate"] == "B-XY 1"


RELATION = {"type": "relation", "from_id": "a", "to_id": "b", "direction": "right", "labels": ["tows"]}


def test_relations_and_texts_travel_through_formats_that_hold_metadata(tmp_path):
    place = {"x": 10, "y": 20, "width": 5, "height": 10, "rotation": 0, "rectanglelabels": ["car"]}
    text = result("textarea", {"text": ["blurred"]}, id="t", from_name="note")
    path = tasks(
        tmp_path,
        task(result("rectanglelabels", place, id="a"), result("rectanglelabels", place, id="b"), RELATION, text),
        task(text, id=2, data={"image": "b.jpg"}),
    )
    dataset = read(path)
    bare = replace(dataset, images=dataset.images.drop_columns(["record"]), origins={})
    first, second = written(bare, tmp_path / "out")
    (answer,) = first["annotations"]
    assert [each["type"] for each in answer["result"]] == ["rectanglelabels"] * 2 + ["relation", "textarea"]
    assert answer["result"][2:] == [RELATION, text]
    assert [each["result"] for each in second["annotations"]] == [[text]]
    assert "other_results" not in first["data"]
    only = dataset.images.drop_columns(["record", "labelling", "annotators"])
    lost = conserving.losses(replace(dataset, images=only), frozenset({"box", "class", "classes", "unlabelled"}))
    assert [loss.rows.tolist() for loss in lost if loss.name == "metadata"] == [[True, True]]


def test_a_foreign_column_called_other_results_is_data(tmp_path):
    dataset = made.plain(tmp_path / "photos")
    images = dataset.images.append_column("other_results", [["[1]", "x"]])
    found = written(replace(dataset, images=images), tmp_path / "out")
    assert [each["data"]["other_results"] for each in found] == ["[1]", "x"]


def test_ids_survive_a_labelling_round(tmp_path):
    """Tasks are exported, get new ids and answers in Label Studio, and are read back."""
    dataset = made.plain(tmp_path / "photos")
    images = dataset.images.append_column("source_id", [["img-7", "img-8"]])
    for index, each in enumerate(exported := written(replace(dataset, images=images), tmp_path / "out")):
        each["id"] = 900 + index
        each["annotations"] = [{"id": index, "completed_by": 3, "result": each["annotations"][0]["result"]}]
    path = tasks(tmp_path / "out", *exported)
    back = read(path)
    assert back.images["source_id"].to_pylist() == ["img-7", "img-8"]
    assert [row["annotator"] for row in rows(back)] == ["3", "3"]


def test_json_min(tmp_path):
    box = {"x": 10, "y": 20, "width": 5, "height": 10, "rotation": 0, "rectanglelabels": ["car"]}
    box |= {"original_width": 200, "original_height": 100}
    end = {"created_at": "2024", "updated_at": "2024", "lead_time": 1.5}
    first = {
        "image": "/data/upload/2/ab12-a.jpg",
        "note": "n",
        "id": 7,
        "label": [box],
        "weather": "rain",
        "annotator": 1,
    }
    second = {**first, "label": [], "weather": {"choices": ["rain", "fog"]}, "annotator": 2}
    path = tasks(tmp_path, {**first, "annotation_id": 4, **end}, {**second, "annotation_id": 5, **end})
    assert "JSON-MIN" in labelstudio.detect(path)
    dataset = read(path)
    assert len(dataset) == 1
    assert [(row["class"], row["annotator"]) for row in rows(dataset)] == [
        ("car", "1"),
        ("rain", "1"),
        ("rain", "2"),
        ("fog", "2"),
    ]
    assert dataset.images["note"].to_pylist() == ["n"]
    assert written(dataset, tmp_path / "out") == json.loads(path.read_bytes())
    renamed = replace(dataset, classes=ClassMap(("Auto", "fog", "rain")))
    (changed,) = written(renamed, tmp_path / "changed")
    assert [answer["id"] for answer in changed["annotations"]] == [4, 5]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("/data/local-files/?d=set/M%C3%BCnchen.jpg", "set/München.jpg"),
        ("/data/local-files/?d=images/x.jpg&y=1", "images/x.jpg"),
        ("/data/upload/3/8a1b-cat.jpg", "cat.jpg"),
        ("https://example.com/a/b%20c.jpg?token=1", "b c.jpg"),
        ("s3://bucket/key/d.jpg", "d.jpg"),
        ("sub\\e.jpg", "sub/e.jpg"),
        ("/home/me/f.jpg", "f.jpg"),
    ],
)
def test_names_of_photos(text, path, tmp_path):
    made.photos(tmp_path, ("cat.jpg",))
    dataset = read(tasks(tmp_path, task(data={"image": text})))
    assert dataset.images["path"].to_pylist() == [path]


@pytest.mark.parametrize(
    "text",
    [
        "../a.jpg",
        "/data/local-files/?d=../../etc/x.jpg",
        "x/../../a.jpg",
        "data:image/png;base64,AA==.jpg",
        "a\0.jpg",
        "http://[bad/../x.jpg",
    ],
)
def test_names_that_lead_out_are_refused(text, tmp_path):
    with pytest.raises(DataError, match="1 bad tasks"):
        read(tasks(tmp_path, task(data={"image": text})))


def test_a_link_out_is_refused(tmp_path):
    (tmp_path / "secret.jpg").write_bytes(b"x")
    (tmp_path / "set").mkdir()
    (tmp_path / "set/a.jpg").symlink_to(tmp_path / "secret.jpg")
    with pytest.raises(DataError, match="1 bad tasks"):
        read(tasks(tmp_path / "set", task()))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    box=st.tuples(*[st.floats(0, 60).map(lambda number: number + 0.0)] * 4),
    turn=st.one_of(st.just(0.0), st.floats(0.5, 359)),
    polygon=st.lists(st.floats(0, 60).map(lambda number: number + 0.0), min_size=6, max_size=6),
)
def test_places_come_back_to_the_last_bit(box, turn, polygon, tmp_path_factory):
    folder = tmp_path_factory.mktemp("ls")
    found = [
        {"image_id": 0, "class_id": 0, **made.box(*box), "rotation_deg": turn or None},
        {"image_id": 0, "class_id": 0, **made.box(*box), **made.polygons(polygon)},
        {"image_id": 0, "class_id": 0, "keypoints": json.dumps([*polygon[:2], 2]).encode()},
    ]
    dataset = replace(made.plain(folder / "photos", ("a.jpg",)), annotations=made.annotations(found))
    written(dataset, folder / "out")
    turned, outlined, point = rows(read(folder / "out"))
    assert [turned[name] for name in "xywh"] == list(box)
    assert turned.get("rotation_deg", 0) == turn
    assert json.loads(outlined["outline"]) == [polygon]
    assert json.loads(point["keypoints"]) == [*polygon[:2], 2]


def test_a_column_called_image_stays_a_column(tmp_path):
    dataset = made.plain(tmp_path / "photos")
    images = dataset.images.append_column("image", [["x", "y"]])
    written(replace(dataset, images=images), tmp_path / "out")
    assert read(tmp_path / "out").images["image"].to_pylist() == ["x", "y"]


def test_a_size_that_is_true_is_no_size(tmp_path):
    found = task(data={"image": "a.jpg", "width": True, "height": True})
    assert read(tasks(tmp_path, found)).images["width"].to_pylist() == [None]
