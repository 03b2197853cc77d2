"""Figures of a data set, against counts made by hand, by a slow loop, and published ones."""

import csv
import io
import json
from collections import Counter
from itertools import combinations
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from vision_cli.core.columns import ANNOTATION_COLUMNS, IMAGE_COLUMNS
from vision_cli.core.dataset import ClassMap, Dataset
from vision_cli.core.errors import DataError, UsageError
from vision_cli.core.origin import Origin
from vision_cli.stages.named_source import DataRequest
from vision_cli.stages.querying import stats as stage
from vision_cli.views.statistics import statistics
from vision_cli.views.statistics_boxes import spread


def no_project():
    raise AssertionError("a path needs no project file")


def of(path, **more):
    return stage.stats(DataRequest(str(path), no_project, need=stage.NEED, **more))


def data_set(labels, number, splits=(), boxes=None, pixels="exclusive", sizes=None, **metadata):
    """Return a data set of class ids a photo."""
    rows = [row for row, classes in enumerate(labels) for _ in classes]
    ids = [each for classes in labels for each in classes]
    count = len(labels)
    sizes = sizes or [(100, 50)] * count
    images = {
        "id": range(10, 10 + count),
        "source": ["s"] * count,
        "path": [f"{row}.jpg" for row in range(count)],
        "width": [width for width, _ in sizes],
        "height": [height for _, height in sizes],
        "split": list(splits) or [None] * count,
        "group": [None] * count,
    }
    columns = [pa.array(images[field.name], field.type) for field in IMAGE_COLUMNS]
    table = pa.table(columns, schema=IMAGE_COLUMNS)
    for name, values in metadata.items():
        table = table.append_column(name, pa.array(values))
    found = {
        "id": range(len(rows)),
        "image_id": [10 + row for row in rows],
        "class_id": ids,
        "value": [None] * len(rows),
    }
    labels_table = pa.table(
        [pa.array(found[field.name], field.type) for field in ANNOTATION_COLUMNS], schema=ANNOTATION_COLUMNS
    )
    for at, name in enumerate("xywh"):
        if boxes is not None:
            labels_table = labels_table.append_column(name, pa.array([box and box[at] for box in boxes], pa.float64()))
    names = ClassMap(tuple(f"c{at}" for at in range(number)))
    return Dataset(table, labels_table, names, {"s": Path()}, (), {"s": Origin("x", pixels)})


def test_counts_made_by_hand():
    found = statistics(data_set([[0, 0, 1], [1], [], [2, 1]], 4, ["train", "val", None, "train"]))
    assert (found.photos, found.annotations, found.classes, found.unlabelled, found.unused) == (4, 6, 4, 1, 1)
    assert list(found.splits.items()) == [("train", (2, 5)), ("val", (1, 1)), ("", (1, 0))]
    one = found.by_class[1]
    assert (one.name, one.photos, one.annotations) == ("c1", 3, 3)
    assert one.by_split == {"train": (2, 2), "val": (1, 1), "": (0, 0)}
    assert [(pair.first, pair.second, pair.photos) for pair in found.pairs] == [("c0", "c1", 1), ("c1", "c2", 1)]
    assert (found.pairs[0].share_first, found.pairs[0].share_second) == (1.0, pytest.approx(1 / 3))
    assert (found.per_photo.low, found.per_photo.median, found.per_photo.high) == (0, 1.5, 3)


@pytest.mark.parametrize("number", [3, 40, 3000])
def test_pairs_and_photos_of_classes_as_a_slow_loop_counts_them(number):
    rng = np.random.default_rng(number)
    labels = [rng.integers(0, number, rng.integers(0, 9)).tolist() for _ in range(120)]
    found = statistics(data_set(labels, number))
    pairs = Counter(pair for classes in labels for pair in combinations(sorted(set(classes)), 2))
    assert found.pair_count == len(pairs)
    for pair in found.pairs:
        assert pairs[int(pair.first[1:]), int(pair.second[1:])] == pair.photos
    assert [pair.photos for pair in found.pairs] == sorted(pairs.values(), reverse=True)[: len(found.pairs)]
    photos = Counter(each for classes in labels for each in set(classes))
    assert [line.photos for line in found.by_class] == [photos[at] for at in range(number)]


def test_box_sizes_by_the_bounds_of_coco():
    sides = [31.99, 32.0, 95.99, 96.0]
    boxes = [(0.0, 0.0, side, side) for side in sides]
    found = statistics(data_set([[0], [0], [0, 0]], 1, boxes=boxes, sizes=[(200, 200)] * 3)).boxes
    assert (found.count, found.small, found.medium, found.large, found.without_area) == (4, 1, 2, 1, 0)
    assert found.share.high == pytest.approx(96**2 / 200**2)
    assert (found.per_photo.low, found.per_photo.high) == (1, 2)


def test_boxes_that_count_their_last_pixel_are_a_pixel_larger():
    boxes = [(1.0, 1.0, 9.0, 19.0), (5.0, 5.0, 0.0, 0.0)]
    found = statistics(data_set([[0, 0]], 1, boxes=boxes, pixels="inclusive-1")).boxes
    assert (found.width_px.high, found.height_px.high) == (10, 20)
    assert found.without_area == 1


def test_photo_sizes_and_those_without():
    found = statistics(data_set([[0]] * 4, 1, sizes=[(100, 50), (100, 50), (30, 60), (None, None)])).sizes
    assert found.common == ((100, 50, 2), (30, 60, 1))
    assert (found.sizes, found.unknown) == (2, 1)
    assert (found.aspect.low, found.aspect.high) == (0.5, 2.0)


def test_metadata_columns_have_types_and_ranges():
    found = statistics(
        data_set([[0]] * 3, 1, speed=[1.5, None, 9.0], scene=["city", "city", "road"], wet=[True, False, True])
    )
    speed, scene, wet = found.columns
    assert (speed.type, speed.known, speed.low, speed.high) == ("number", 2, "1.5", "9")
    assert (scene.type, scene.distinct, scene.common) == ("text", 2, (("city", 2), ("road", 1)))
    assert wet.common == (("true", 2), ("false", 1))


def test_a_set_of_nothing():
    found = statistics(data_set([], 0))
    assert (found.photos, found.annotations, found.boxes, found.pairs) == (0, 0, None, ())
    assert found.sizes.width_px == spread(np.empty(0))


def test_quartiles_leave_out_what_is_no_number():
    found = spread(np.array([1.0, 2.0, 3.0, 4.0, 5.0, np.nan, np.inf]))
    assert (found.low, found.quarter, found.median, found.three_quarters, found.high, found.mean) == (1, 2, 3, 4, 5, 3)


def test_published_counts_of_real_boxes(shared_data):
    expected = json.loads((shared_data / "expected.json").read_text())["bccd_voc"]
    found = of(shared_data / "bccd_voc" / "BCCD").figures
    assert (found.photos, found.annotations) == (expected["images"], expected["boxes"])
    assert {line.name: line.annotations for line in found.by_class} == expected["per_class"]
    assert found.boxes.without_area == len(expected["degenerate_boxes"])


def test_published_counts_of_real_folders(shared_data):
    expected = json.loads((shared_data / "expected.json").read_text())["clothing_small"]
    found = of(shared_data / "clothing_small").figures
    names = {"train": "train", "val": "validation", "test": "test"}
    counts = {
        f"{names[split]}/{line.name}": photos for line in found.by_class for split, (photos, _) in line.by_split.items()
    }
    assert counts == expected


def test_json_and_csv_say_the_same(tmp_path):
    (tmp_path / "labels.json").write_text(json.dumps(coco()))
    found = of(tmp_path / "labels.json")
    document = found.as_json()
    rows = list(csv.DictReader(io.StringIO(stage.class_table(found))))
    assert {row["class"] for row in rows} == {line["name"] for line in document["by_class"]} == {'a"b', "<c>"}
    whole = {row["class"]: int(row["annotations"]) for row in rows if row["split"] == "*"}
    assert whole == {'a"b': 2, "<c>": 1}
    assert document["boxes"].small == 3
    assert document["format"] == "coco"


def coco():
    annotations = [
        {"id": at, "image_id": image, "category_id": of_class, "bbox": [0, 0, 4, 5], "area": 20, "iscrowd": 0}
        for at, (image, of_class) in enumerate([(1, 7), (1, 9), (2, 7)], start=1)
    ]
    return {
        "images": [{"id": at, "file_name": f"{at}.jpg", "width": 64, "height": 48} for at in (1, 2, 3)],
        "annotations": annotations,
        "categories": [{"id": 7, "name": 'a"b'}, {"id": 9, "name": "<c>"}],
    }


def test_a_word_that_is_neither_view_nor_path(tmp_path):
    from vision_cli.core import project

    (tmp_path / "vision.yaml").write_text(
        "version: 1\nname: x\ndata: {sources: {a: {path: photos}}, views: {dusk: {from: [a]}}}\n"
    )
    loaded = project.load(tmp_path / "vision.yaml", ())
    with pytest.raises(UsageError, match="no path here and no view") as caught:
        stage.stats(DataRequest("dawn", lambda: loaded))
    assert "dusk" in caught.value.hint
    with pytest.raises(DataError, match="no such file"):
        stage.stats(DataRequest("./dawn", no_project))


def test_a_word_that_is_a_view_and_a_path(tmp_path, monkeypatch):
    from vision_cli.core import project

    monkeypatch.chdir(tmp_path)
    Path("dusk").mkdir()
    Path("vision.yaml").write_text(
        "version: 1\nname: x\ndata: {sources: {a: {path: dusk}}, views: {dusk: {from: [a]}}}\n"
    )
    with pytest.raises(UsageError, match="a view and a path"):
        stage.stats(DataRequest("dusk", lambda: project.load(None, ())))
