"""Objects as columns: what is refused, and what a data set's truth is."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from vision_cli.core import rle, rle_columns
from vision_cli.core.columns import IMAGE_COLUMNS
from vision_cli.core.dataset import ClassMap, Dataset
from vision_cli.core.detections import Detections, Truth, of_edges
from vision_cli.core.errors import DataError
from vision_cli.core.origin import Origin
from vision_cli.core.truth import truth_of

SIZES = np.array([[10, 8], [6, 4]])


def said(**changes: object) -> Detections:
    found = Detections(
        SIZES,
        np.array([0, 1]),
        np.array([0, 1]),
        np.array([[1.0, 1, 2, 2], [0, 0, 6, 4]]),
        scores=np.array([0.5, 1.0]),
    )
    return replace(found, **changes)  # type: ignore[arg-type]


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"photo": np.array([0, 2])}, "a photo is not one of 2, 1 time in 2 objects"),
        ({"photo": np.array([-1, 2])}, "a photo is not one of 2, 2 times"),
        ({"class_id": np.array([0, 2])}, "a class is not one of 2"),
        ({"class_id": np.array([-1, 1])}, "a class is not one of 2"),
        ({"scores": np.array([0.5, 1.1])}, "a score is no number between 0 and 1"),
        ({"scores": np.array([NAN, 1.0])}, "a score is no number between 0 and 1"),
        ({"boxes": np.array([[1.0, 1, 0, 2], [0, 0, 6, 4]])}, "a box has no area or no finite size"),
        ({"boxes": np.array([[1.0, 1, 2, -2], [0, 0, 6, 4]])}, "a box has no area"),
        ({"boxes": np.array([[NAN, 1, 2, 2], [0, 0, 6, 4]])}, "a box has no area or no finite size"),
        ({"boxes": np.array([[1.0, 1, 2, INF], [0, 0, 6, 4]])}, "no finite size"),
        ({"boxes": np.array([[1e9, 1, 2, 2], [0, 0, 6, 4]])}, "no finite size"),
        ({"sizes": np.array([[10, 8], [0, 4]])}, "a photo has no size"),
        ({"sizes": np.array([[10, 8], [100_000, 100_000]])}, "over 100 megapixels"),
        ({"masks": rle_columns.of_texts([rle.to_text([80]).encode(), b"\xff"])}, "a mask does not make up its photo"),
        ({"masks": rle_columns.of_texts([rle.to_text([80]).encode(), rle.to_text([25]).encode()])}, "a mask"),
        ({"keypoints": np.full((2, 17, 3), NAN)}, "a keypoint is no number of pixels"),
    ],
)
def test_numbers_that_no_detection_has(changes: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        said(**changes).check(2)
    assert caught.value.exit_code == 3
    assert caught.value.details or "size" in message or "megapixels" in message


def test_sound_detections_pass() -> None:
    said().check(2)
    said(boxes=np.zeros((2, 4)), masks=rle_columns.of_texts([rle.to_text([n]).encode() for n in (80, 24)])).check(2)


@pytest.mark.parametrize(
    "changes",
    [
        {"scores": np.ones(3)},
        {"scores": None},
        {"class_id": np.zeros(3)},
        {"boxes": np.zeros((2, 5))},
        {"sizes": np.zeros(2)},
    ],
)
def test_columns_that_do_not_fit(changes: dict[str, object]) -> None:
    with pytest.raises(DataError):
        said(**changes)


def test_ten_are_shown() -> None:
    many = Detections(SIZES, np.zeros(30, np.int64), np.zeros(30, np.int64), np.zeros((30, 4)), scores=np.ones(30))
    with pytest.raises(DataError, match="30 times in 30 objects") as caught:
        many.check(1)
    assert len(caught.value.details) == 10
    assert caught.value.details[3] == "object 3 of photo 0: x, y, width, height [0.0, 0.0, 0.0, 0.0]"


def test_edges_there_and_back() -> None:
    boxes = said()
    assert boxes.xyxy().tolist() == [[1, 1, 3, 3], [0, 0, 6, 4]]
    assert of_edges(boxes.xyxy()).tolist() == boxes.boxes.tolist()


def test_some_of_them() -> None:
    masks = rle_columns.of_texts([b"a", b"b"])
    chosen = said(masks=masks).select(np.array([False, True]))
    assert (chosen.photo.tolist(), chosen.scores.tolist(), chosen.masks.to_pylist()) == ([1], [1.0], [b"b"])


def dataset(rows: list[dict[str, object]], names: tuple[str, ...] = ("car", "dog"), **more: object) -> Dataset:
    images = pa.table(
        {
            "id": [7, 9],
            "source": ["s", "s"],
            "path": ["a.jpg", "b.jpg"],
            "width": [10, 6],
            "height": [8, 4],
            "split": [None, None],
            "group": [None, None],
        },
        schema=IMAGE_COLUMNS,
    )
    types = {
        "id": pa.int64(), "image_id": pa.int64(), "class_id": pa.int32(), "value": pa.float64(),
        "x": pa.float64(), "y": pa.float64(), "w": pa.float64(), "h": pa.float64(), "area": pa.float64(),
        "outline": pa.binary(), "iscrowd": pa.bool_(), "difficult": pa.bool_(), "keypoints": pa.binary(),
    }  # fmt: skip
    columns = {name: pa.array([row.get(name) for row in rows], kind) for name, kind in types.items()}
    return Dataset(images, pa.table(columns), ClassMap(names), {"s": Path()}, **more)  # type: ignore[arg-type]


BOX = {"x": 1.0, "y": 1.0, "w": 4.0, "h": 2.0}


def test_the_truth_of_a_data_set() -> None:
    rows = [
        {"image_id": 9, "class_id": 1, **BOX, "area": 3.5},
        {"image_id": 7, "class_id": 0, **BOX, "iscrowd": True},
        {"image_id": 7, "class_id": 0, **BOX, "difficult": True},
        {"image_id": 7, "class_id": 0, **BOX, "w": 0.0},
        {"image_id": 7, "class_id": 0},
        {"image_id": 7, "class_id": None, "value": 3.0},
    ]
    truth = truth_of(dataset(rows), ClassMap(("dog", "cat", "car")))
    assert truth.photo.tolist() == [1, 0, 0]
    assert truth.class_id.tolist() == [0, 2, 2]
    assert truth.areas.tolist() == [3.5, 8.0, 8.0]
    assert (truth.crowd.tolist(), truth.difficult.tolist()) == ([False, True, False], [False, False, True])
    assert truth.sizes.tolist() == [[10, 8], [6, 4]]
    assert truth.notes == ("2 labels with no box with an area left out of the truth.",)
    truth.check(3)


def test_labels_of_other_classes_are_left_out_and_dont_care_is_a_crowd_of_all() -> None:
    rows = [{"image_id": 7, "class_id": name, **BOX} for name in (0, 1, 2)]
    loaded = dataset(rows, ("DontCare", "dog", "bird"))
    truth = truth_of(loaded, ClassMap(("cat", "dog", "car")))
    assert (truth.class_id.tolist(), truth.crowd.tolist()) == ([1, 0, 1, 2], [False, True, True, True])
    own = truth_of(loaded, ClassMap(("DontCare", "dog")))
    assert (own.class_id.tolist(), own.crowd.tolist()) == ([0, 1], [False, False])


def test_outlines_are_filled() -> None:
    square = json.dumps([[1, 1, 5, 1, 5, 3, 1, 3]]).encode()
    mask = json.dumps({"size": [4, 6], "counts": [0, 24]}).encode()
    rows = [
        {"image_id": 7, "class_id": 0, **BOX, "outline": square},
        {"image_id": 9, "class_id": 0, **BOX, "outline": mask},
        {"image_id": 9, "class_id": 0, **BOX},
    ]
    truth = truth_of(dataset(rows), ClassMap(("car",)), masks=True)
    assert truth.areas.tolist() == [8.0, 24.0]
    assert truth.masks is not None
    assert rle.decode(rle.from_text(truth.masks[0].as_py()), 8, 10)[1:3, 1:5].all()
    assert truth.notes == ("1 label with no box with an area or no outline left out of the truth.",)
    truth.check(1)
    assert truth_of(dataset(rows), ClassMap(("car",))).masks is None


def test_keypoints_are_read() -> None:
    points = json.dumps([1, 2, 2, 3, 4, 0]).encode()
    rows = [{"image_id": 7, "class_id": 0, **BOX, "keypoints": points}, {"image_id": 7, "class_id": 0, **BOX}]
    truth = truth_of(dataset(rows), ClassMap(("car",)), keypoints=True)
    assert truth.keypoints is not None
    assert truth.keypoints.tolist() == [[[1, 2, 2], [3, 4, 0]], [[0, 0, 0], [0, 0, 0]]]
    rows[1]["keypoints"] = json.dumps([1, 2, 2]).encode()
    with pytest.raises(DataError, match="numbers of keypoints"):
        truth_of(dataset(rows), ClassMap(("car",)), keypoints=True)


def test_boxes_that_count_pixels_are_refused() -> None:
    counted = dataset([{"image_id": 7, "class_id": 0, **BOX}], origins={"s": Origin("voc", "inclusive-1")})
    with pytest.raises(DataError, match="count pixels"):
        truth_of(counted, ClassMap(("car",)))


def test_a_photo_of_unknown_size_is_named() -> None:
    loaded = dataset([])
    images = loaded.images.set_column(3, "width", pa.array([None, 6], pa.int32()))
    with pytest.raises(DataError, match="1 photos have no known size") as caught:
        truth_of(replace(loaded, images=images), ClassMap(("car",)))
    assert caught.value.details == ("a.jpg",)


def test_areas_that_are_none() -> None:
    truth = truth_of(dataset([{"image_id": 7, "class_id": 0, **BOX, "area": -1.0}]), ClassMap(("car",)))
    with pytest.raises(DataError, match="an area is no number of square pixels"):
        truth.check(1)
    with pytest.raises(DataError, match="as many areas"):
        Truth(
            SIZES,
            truth.photo,
            truth.class_id,
            truth.boxes,
            areas=np.zeros(0),
            crowd=truth.crowd,
            difficult=truth.difficult,
        )
