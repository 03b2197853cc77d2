"""What formats cannot hold, from the columns: each reason on the row that it is about."""

import json

import numpy as np
import pytest
import rich_data as made

from vision_cli.core.dataset import ClassMap, Dataset
from vision_cli.core.origin import Origin
from vision_cli.formats import CARRIED, conserving

ALL = frozenset(CARRIED)
BOXES = frozenset({"box", "unlabelled"})
DEFECTS = frozenset(conserving.DEFECTS)


def found(dataset, carries):
    return {
        (loss.name, loss.reason): np.flatnonzero(loss.rows).tolist() for loss in conserving.losses(dataset, carries)
    }


def of_rows(*rows, pixels="exclusive", classes=made.CLASSES, photos=made.PATHS):
    table = made.images(photos, [None] * len(photos))
    origins = {"data": Origin("made", pixels)}
    return Dataset(table, made.annotations(list(rows)), ClassMap(tuple(classes)), {}, (), origins)


@pytest.fixture
def rich(tmp_path):
    return made.rich(tmp_path)


def test_a_format_for_everything_loses_only_defects(rich):
    assert found(rich, ALL) == {("no-area", "no area"): [9], ("out-of-frame", "out of frame"): [10]}
    assert found(rich, ALL | DEFECTS) == {}


def test_boxes_only(rich):
    assert found(rich, BOXES) == {
        ("crowd", "crowd"): [12],
        ("no-area", "no area"): [9],
        ("out-of-frame", "out of frame"): [10],
        ("polygons", "polygon -> box"): [3, 4],
        ("mask", "mask -> box"): [5, 12],
        ("truncated", "truncated left out"): [1],
        ("occluded", "occluded left out"): [1],
        ("3d", "box in 3D left out"): [0],
        ("difficult", "difficult left out"): [2],
        ("score", "score left out"): [7],
        ("annotator", "annotator left out"): [7],
        ("track", "track left out"): [7],
        ("attributes", "attributes left out"): [2],
        ("keypoints", "keypoints left out"): [6],
        ("rotation", "rotated box -> upright box"): [8],
        ("area", "area left out"): [11],
        ("split", "split left out"): [0, 1, 2, 3, 4, 5],
    }


def test_what_never_needs_a_word(rich):
    allowed = {loss.name for loss in conserving.losses(rich, BOXES) if loss.allowed}
    assert allowed == {"area"}


@pytest.mark.parametrize("missing", sorted(set(CARRIED) - {"unlabelled", "box", "class", "classes", "value", "order"}))
def test_each_name_is_reported_where_it_is_not_carried(rich, missing):
    named = {loss.name for loss in conserving.losses(rich, ALL - {missing})} - DEFECTS
    expected = {missing} if missing not in ("polygon", "ids", "group", "metadata") else set()
    assert named == expected


def test_several_polygons_to_one(rich):
    assert found(rich, ALL - {"polygons"})["polygons", "several polygons -> box"] == [4]


def test_outlines_only(rich):
    lost = found(rich, frozenset({"polygons", "polygon", "unlabelled", "split"}))
    assert lost["box", "a box without an outline"] == [0, 1, 2, 6, 7, 8, 9, 10, 11]
    assert lost["mask", "a mask without polygons"] == [5, 12]


def test_masks_only(rich):
    lost = found(rich, frozenset({"mask", "unlabelled", "split", "crowd"}))
    assert lost["polygons", "polygon -> mask"] == [3, 4]
    assert ("mask", "mask -> polygon") not in lost


def test_flags_at_their_default_are_no_loss():
    rows = {"image_id": 0, "class_id": 0, **made.box(1, 1, 2, 2), "truncated": 0.0, "occluded": 0, "difficult": False}
    assert found(of_rows({**rows, "iscrowd": False, "attributes": "{}", "rotation_deg": 0.0}), BOXES) == {}


def test_the_3d_box_is_told_where_any_of_its_numbers_is_said():
    boxes = made.box(1, 1, 2, 2)
    rows = of_rows(
        {"image_id": 0, "class_id": 0, **boxes, "alpha": -1.57},
        {"image_id": 0, "class_id": 0, **boxes, "z_m": 8.0},
        {"image_id": 0, "class_id": 0, **boxes},
    )
    assert found(rows, BOXES) == {("3d", "box in 3D left out"): [0, 1]}
    assert found(rows, BOXES | {"3d"}) == {}


def test_photos_without_labels_left():
    crowd = {"image_id": 0, "class_id": 0, **made.box(1, 1, 2, 2), "iscrowd": True}
    lost = found(of_rows(crowd, photos=("a.jpg", "b.jpg")), frozenset({"box"}))
    assert lost["unlabelled", "no label"] == [1]
    assert lost["unlabelled", "no label left"] == [0]


def test_objects_become_classes_of_their_photo_once(tmp_path):
    dataset = of_rows(
        {"image_id": 0, "class_id": 0, **made.box(1, 1, 2, 2)},
        {"image_id": 0, "class_id": 0, **made.box(5, 5, 2, 2)},
        {"image_id": 1, "class_id": 0, **made.box(1, 1, 2, 2)},
        {"image_id": 1, "class_id": 1, **made.box(5, 5, 2, 2)},
        {"image_id": 2, "class_id": 1, **made.box(5, 5, 2, 2)},
        {"image_id": 2, "class_id": 1},
    )
    lost = found(dataset, frozenset({"class", "unlabelled"}))
    assert lost == {
        ("classes", "several classes"): [1],
        ("box", "the class again"): [1, 4],
        ("box", "box -> class of the photo"): [0, 2, 3],
    }
    several = found(dataset, frozenset({"class", "classes", "unlabelled"}))
    assert ("classes", "several classes") not in several


def test_whole_photo_labels_need_their_own_place(tmp_path):
    labels, numbers = made.rich(tmp_path, "labels"), made.rich(tmp_path, "values")
    assert found(labels, BOXES | {"split"}) == {("class", "a class without a box"): [0, 1, 2, 3, 4, 5]}
    assert found(numbers, BOXES | {"split"}) == {("value", "a number of the whole photo"): [0, 1, 2, 3, 4, 5]}
    assert found(numbers, frozenset({"value", "split"})) == {}
    assert found(labels, frozenset({"value", "split", "unlabelled"}))["class", "a class without a box"]
    assert found(labels, frozenset({"class", "split"})) == {
        ("classes", "several classes"): [1],
        ("unlabelled", "no label"): [4],
    }


@pytest.mark.parametrize(
    ("pixels", "x", "out"),
    [
        ("exclusive", 63.5, False),
        ("exclusive", 64, True),
        ("exclusive", -9.5, False),
        ("exclusive", -10, True),
        ("inclusive-0", 63, False),
        ("inclusive-0", 64, True),
        ("inclusive-0", -10, False),
        ("inclusive-0", -11, True),
        ("inclusive-1", 64, False),
        ("inclusive-1", 65, True),
        ("inclusive-1", -9, False),
        ("inclusive-1", -10, True),
    ],
)
def test_out_of_frame_counts_as_the_source_counts(pixels, x, out):
    dataset = of_rows({"image_id": 0, "class_id": 0, **made.box(x, 2, 10, 3)}, pixels=pixels)
    assert (("out-of-frame", "out of frame") in found(dataset, BOXES)) == out


def test_photos_of_unknown_size_have_everything():
    dataset = of_rows({"image_id": 0, "class_id": 0, **made.box(1e6, 2, 10, 3)})
    names = dataset.images.column_names
    images = dataset.images.set_column(names.index("width"), "width", made.pa.nulls(len(dataset), made.pa.int32()))
    assert found(Dataset(images, dataset.annotations, dataset.classes, {}), BOXES) == {}


def test_keypoints_alone_and_nothing_at_all():
    pose = json.dumps([1.0, 2.0, 2]).encode()
    dataset = of_rows({"image_id": 0, "class_id": 0, "keypoints": pose}, {"image_id": 0, **made.box(1, 1, 2, 2)})
    lost = found(dataset, BOXES)
    assert lost["keypoints", "keypoints without a box"] == [0]
    assert lost["no-class", "no class"] == [1]


def test_an_empty_set_loses_nothing():
    assert found(of_rows(photos=()), BOXES) == {}
    assert found(of_rows(photos=()), frozenset({"class"})) == {}


def test_fast_enough_for_big_sets():
    rng, count = np.random.default_rng(0), 200_000
    photos = made.images([f"{at}.jpg" for at in range(20_000)], [None] * 20_000)
    columns = {name: made.pa.array(rng.uniform(0, 40, count)) for name in "xywh"}
    table = made.pa.table(
        {
            "id": np.arange(count),
            "image_id": rng.integers(0, 20_000, count),
            "class_id": made.pa.array(rng.integers(0, 4, count), type=made.pa.int32()),
            "value": made.pa.nulls(count, made.pa.float64()),
            "outline_parts": made.pa.array(rng.integers(-1, 4, count), type=made.pa.int16()),
            "iscrowd": made.pa.array(rng.random(count) < 0.01),
            **columns,
        }
    )
    import time

    start = time.process_time()
    lost = conserving.losses(Dataset(photos, table, ClassMap(made.CLASSES), {}), BOXES)
    assert time.process_time() - start < 1.0
    assert sum(loss.rows.sum() for loss in lost) > count / 2
