"""LabelMe: each shape, groups, flags, photos inside and outside, and what is refused."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rich_data as made
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from vision_cli.core import outline
from vision_cli.core.dataset import ClassMap, Dataset
from vision_cli.core.errors import DataError
from vision_cli.formats import ReadOptions, WriteOptions, labelme

MASK = np.array([[1, 0, 1], [0, 1, 1]], dtype=np.uint8)


def read(path: Path, **options: object) -> Dataset:
    return labelme.read(path, ReadOptions("data", **options))


def rows(dataset: Dataset) -> list[dict]:
    """Return annotations by class name, without nulls and ids of ours."""
    names = dataset.classes.names
    return [
        {key: value for key, value in row.items() if value is not None and key not in ("id", "image_id", "class_id")}
        | ({} if row["class_id"] is None else {"class": names[row["class_id"]]})
        for row in dataset.annotations.to_pylist()
    ]


def png(pixels: np.ndarray) -> str:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def shape(kind: str, points: list, label: str = "car", **more: object) -> dict:
    base = {"label": label, "points": points, "group_id": None, "description": "", "shape_type": kind, "flags": {}}
    return {**base, "mask": None, **more}


def document(*shapes: dict, **more: object) -> dict:
    size = {"imageHeight": 48, "imageWidth": 64}
    base = {"version": "5.5.0", "flags": {}, "shapes": list(shapes), "imagePath": "a.jpg", "imageData": None}
    return {**base, **size, **more}


def label(folder: Path, found: object, name: str = "a.json") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(found if isinstance(found, str) else json.dumps(found, indent=2, ensure_ascii=False))
    return path


def written(dataset: Dataset, folder: Path) -> dict[str, bytes]:
    folder.mkdir()
    labelme.write(dataset, folder, WriteOptions())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.json")}


EVERY = document(
    shape("polygon", [[1.5, 2], [9, 2], [9, 8]]),
    shape("rectangle", [[20.41, 30.5], [10.0, 5.25]], flags={"occluded": True}, description="near"),
    shape("circle", [[30, 20], [33, 24]]),
    shape("line", [[1, 2], [3, 4]], "road"),
    shape("linestrip", [[1, 2], [3, 4], [5, 1]], "road"),
    shape("point", [[7, 8]], "tip"),
    shape("mask", [[4.0, 5.0], [6.0, 6.0]], mask=png(MASK)),
    shape("polygon", [[40, 2], [45, 2], [45, 8]], "man", group_id=1),
    shape("rectangle", [[1, 2], [3, 4]], "man", group_id=1),
    shape("polygon", [[50, 2], [55, 2], [55, 8]], "man", group_id=1),
    flags={"night": True, "rain": False},
    camera="left",
)


def test_every_shape(tmp_path):
    made.photos(tmp_path, ("a.jpg",))
    label(tmp_path, EVERY)
    dataset = read(tmp_path)
    polygon, box, circle, line, strip, point, mask, man, other, night = rows(dataset)
    assert json.loads(polygon["outline"]) == [[1.5, 2, 9, 2, 9, 8]]
    assert [box[name] for name in "xywh"] == [10, 5.25, 10.41, 25.25]
    assert json.loads(box["attributes"]) == {"flags": {"occluded": True}, "description": "near"}
    assert [circle[name] for name in "xywh"] == [25, 15, 10, 10]
    assert json.loads(line["attributes"]) == {"shape": "line", "points": [[1, 2], [3, 4]]}
    assert [strip[name] for name in "xywh"] == [1, 1, 4, 3]
    assert json.loads(point["keypoints"]) == [7, 8, 2]
    expected = np.zeros((48, 64), dtype=np.bool_)
    expected[5:7, 4:7] = MASK.astype(bool)
    assert (outline.mask(outline.parse(mask["outline"]), 64, 48) == expected).all()
    assert json.loads(man["outline"]) == [[40, 2, 45, 2, 45, 8], [50, 2, 55, 2, 55, 8]]
    assert (other["class"], other["w"], json.loads(other["attributes"])) == ("man", 2, {"group_id": 1})
    assert night == {"class": "night"}
    assert dataset.classes.names == ("car", "man", "night", "road", "tip")
    assert dataset.images["camera"].to_pylist() == ["left"]


def test_files_come_back_byte_for_byte_and_shapes_built_anew_say_the_same(tmp_path):
    made.photos(tmp_path / "in", ("a.jpg", "sub/b.jpg"))
    label(tmp_path / "in", EVERY)
    label(tmp_path / "in", document(shape("point", [[1, 1]]), imagePath="..\\sub\\b.jpg"), "labels/other.json")
    dataset = read(tmp_path / "in")
    same = written(dataset, tmp_path / "same")
    assert same == {name: (tmp_path / "in" / name).read_bytes() for name in ("a.json", "labels/other.json")}
    bare = replace(dataset, images=dataset.images.drop_columns(["record"]), origins={})
    written(bare, tmp_path / "anew")
    found, back = rows(dataset), rows(read(tmp_path / "anew"))
    assert len(back) == len(found)
    for one, other in zip(found, back, strict=True):
        assert _said(one) == _said(other)


def _said(row: dict) -> dict:
    return row | {"attributes": json.loads(row.get("attributes", "{}")) | {"group_id": 0}}


def test_only_what_changed_is_written_anew(tmp_path):
    made.photos(tmp_path / "in", ("a.jpg", "b.jpg"))
    label(tmp_path / "in", document(shape("point", [[1, 1]], "man"), imagePath="b.jpg"), "b.json")
    label(tmp_path / "in", EVERY)
    dataset = read(tmp_path / "in")
    renamed = replace(dataset, classes=ClassMap(tuple(name.replace("car", "Auto") for name in dataset.classes.names)))
    found = written(renamed, tmp_path / "out")
    assert found["b.json"] == (tmp_path / "in/b.json").read_bytes()
    changed = json.loads(found["a.json"])
    assert changed["camera"] == "left"
    assert changed["flags"] == {"night": True, "rain": False}
    assert {each["label"] for each in changed["shapes"]} == {"Auto", "road", "tip", "man"}


def test_a_photo_inside_of_the_file_is_left_out_or_refused(tmp_path):
    found = document(shape("point", [[1, 1]]), imageData="QUJD" * 1000)
    path = label(tmp_path, found)
    with pytest.raises(DataError) as caught:
        read(tmp_path)
    assert "only inside of the file" in caught.value.details[0]
    made.photos(tmp_path, ("a.jpg",))
    dataset = read(tmp_path)
    assert dataset.notes == ("1 files hold their photo as imageData as well; it is left out.",)
    assert dataset.images["record"][0].as_py() == path.read_bytes().replace(b'"' + b"QUJD" * 1000 + b'"', b"null")


def test_photos_that_are_not_there_and_those_without_labels(tmp_path):
    made.photos(tmp_path, ("b.jpg", "masks/c.jpg"))
    label(tmp_path, document(shape("point", [[1, 1]])))
    (tmp_path / "other.json").write_text("{}")
    dataset = read(tmp_path)
    assert dataset.images["path"].to_pylist() == ["a.jpg", "b.jpg"]
    assert dataset.images["width"].to_pylist() == [64, made.WIDTH_PX]
    assert dataset.notes == (
        "1 photos are not there; their labels are read without: a.jpg.",
        "1 photos have no JSON: nobody has labelled them.",
        "1 JSON files without `shapes` are left out.",
    )
    assert sorted(written(dataset, tmp_path / "out")) == ["a.json"]


def test_sizes_from_the_photo_and_other_folders(tmp_path):
    made.photos(tmp_path / "photos", ("a.jpg",))
    path = label(tmp_path / "labels", document(shape("mask", [[4, 5], [6, 6]], mask=png(MASK)), imageHeight=None))
    assert read(tmp_path / "labels", images=tmp_path / "photos").images["height"].to_pylist() == [made.HEIGHT_PX]
    with pytest.raises(DataError):
        read(tmp_path / "labels")
    assert labelme.detect(path)
    assert labelme.detect(tmp_path / "labels")
    assert labelme.detect(tmp_path / "photos") is None


@pytest.mark.parametrize(
    "name", ["../a.jpg", "..\\..\\a.jpg", "/etc/a.jpg", "C:\\a.jpg", "x/../../a.jpg", "a\0.jpg", "", 3]
)
def test_names_that_lead_out_are_refused(name, tmp_path):
    label(tmp_path, document(imagePath=name))
    with pytest.raises(DataError, match="1 bad files"):
        read(tmp_path)


def test_the_same_photo_twice(tmp_path):
    label(tmp_path, document())
    label(tmp_path, document(), "b.json")
    with pytest.raises(DataError) as caught:
        read(tmp_path)
    assert "b.json: a.jpg is the photo of a.json already" in caught.value.details[0]


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (document(shape("polygon", [[1, 2], [3, 4]])), "shape 1 ('car'): polygon 1 of 1 has 4 values"),
        (document(shape("rectangle", [[1, 2]])), "a rectangle has 2 points, not 1"),
        (document(shape("line", [])), "without points"),
        (document(shape("point", [[1, "2"]])), "not pairs of numbers"),
        (document(shape("point", [[1, 1e9]])), "not pairs of numbers"),
        (document(shape("mask", [[1, 1], [2, 2]], mask="!")), "not base64"),
        (document(shape("mask", [[1, 1], [2, 2]], mask="QUJD")), "mask"),
        (document(shape("mask", [[63, 1], [2, 2]], mask=png(np.ones((9, 65), np.uint8)))), "does not fit"),
        (document(shape("mask", [[1, 1], [2, 2]])), "without its picture"),
        (document(shape("point", [[1, 1]], label=None)), "no text"),
        (document(shapes={}), "`shapes` is no list"),
        (document(shapes=[], flags=[1]), "`flags` is no object"),
        ('["shapes"]', "a list where an object belongs"),
        ('{"shapes": [], "shapes": []}', "twice in one object"),
        ('{"shapes": [NaN]}', "malformed"),
        ('{"shapes": ' + "[" * 100_000, "nested too deeply"),
        ('{"shapes": [], "imagePath": "\\ud800.jpg"}', "half of a character"),
    ],
)
def test_bad_files_are_refused(found, message, tmp_path):
    label(tmp_path, found)
    with pytest.raises(DataError) as caught:
        read(tmp_path)
    assert message in caught.value.details[0]
    assert caught.value.details[0].startswith("a.json: ")


def test_old_xml_of_the_web_tool_is_not_read(shared_data):
    """LabelMe's web tool of MIT wrote another format of the same name."""
    folder = shared_data / "datumaro_assets/tests/assets/labelme_dataset"
    assert labelme.detect(folder) is None
    with pytest.raises(DataError, match="no file of LabelMe is there"):
        read(folder)


def test_labels_txt_orders_the_classes(tmp_path):
    label(tmp_path, EVERY)
    made.photos(tmp_path, ("a.jpg",))
    (tmp_path / "labels.txt").write_text("__ignore__\n_background_\ntip\nroad\nunused\nnight\nman\ncar\n")
    assert read(tmp_path).classes.names == ("tip", "road", "unused", "night", "man", "car")
    (tmp_path / "labels.txt").write_text("tip\n")
    assert read(tmp_path).classes.names == ("car", "man", "night", "road", "tip")


_NAMES = st.sampled_from(["label", "points", "shape", "mask", "keypoints", "box", "score", "area", "member:label"])


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    box=st.tuples(*[st.floats(0, 1e5).map(lambda number: number + 0.0)] * 2, *[st.floats(0, 1e5)] * 2),
    attributes=st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8) | _NAMES, st.integers(), max_size=3
    ),
    score=st.floats(0, 1),
)
def test_boxes_and_members_round_trip(box, attributes, score, tmp_path_factory):
    folder = tmp_path_factory.mktemp("labelme")
    box = tuple(round(number, 6) for number in box)
    text = json.dumps(attributes) if attributes else None
    found = [{"image_id": 0, "class_id": 0, **made.box(*box), "attributes": text, "score": score, "track_id": 2**60}]
    dataset = replace(made.plain(folder / "photos", ("a.jpg",)), annotations=made.annotations(found))
    written(dataset, folder / "out")
    (back,) = rows(read(folder / "out"))
    assert [back[name] for name in "xywh"] == list(box)
    assert (back["score"], back["track_id"]) == (score, 2**60)
    assert json.loads(back.get("attributes", "{}")) == attributes


def test_columns_called_like_members_of_its_own_stay_columns(tmp_path):
    dataset = made.plain(tmp_path / "photos")
    images = dataset.images.append_column("flags", [["x", "y"]]).append_column("shapes", [["1", None]])
    written(replace(dataset, images=images), tmp_path / "out")
    back = read(tmp_path / "out").images
    assert back.select(["flags", "shapes"]).to_pylist() == images.select(["flags", "shapes"]).to_pylist()
