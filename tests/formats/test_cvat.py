"""CVAT XML: real exports against a slow parser, every shape, tracks, and what is refused."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import rich_data as made
from defusedxml import ElementTree
from hypothesis import given, settings
from hypothesis import strategies as st

from vision_cli.core import outline
from vision_cli.core.dataset import ClassMap, Dataset
from vision_cli.core.errors import DataError
from vision_cli.formats import ReadOptions, WriteOptions, cvat

ASSETS = "datumaro_assets/tests/assets/cvat_dataset"
FILES = ("for_images/export_project/annotations.xml", "for_images/export_task/train.xml", "for_video/annotations.xml")
SHAPES = """
  <image id="0" name="a.jpg" width="20" height="10" subset="Train">
    <box label="car" source="manual" occluded="1" xtl="599.41" ytl="156.40" xbr="640.24" ybr="189.25" z_order="3"
 rotation="12.5">
      <attribute name="parked">true</attribute>
      <attribute name="wheels">4</attribute>
      <attribute name="plate">007</attribute>
    </box>
    <polygon label="car" occluded="0" points="1.50,2;3,4;6,5" group_id="2"/>
    <polygon label="car" occluded="0" points="7,7;9,7;9,9" group_id="2"/>
    <polyline label="road" occluded="0" points="1.0,2;3,4"/>
    <points label="road" occluded="0" points="1,2;3,4"/>
    <mask label="car" occluded="0" rle="1, 2, 1, 2" left="4" top="5" width="3" height="2"/>
    <ellipse label="car" occluded="0" cx="10" cy="5" rx="4" ry="2.5"/>
    <cuboid label="car" occluded="0" xtl1="1" ytl1="2" xbl1="1" ybl1="4" xtr1="3" ytr1="2" xbr1="3" ybr1="4"
 xtl2="5" ytl2="1" xbl2="5" ybl2="3" xtr2="6" ytr2="1" xbr2="6" ybr2="3"/>
    <skeleton label="man" z_order="0">
      <points label="head" occluded="0" outside="0" points="4,1"/>
      <points label="foot" occluded="1" outside="0" points="5,9"/>
      <points label="hand" occluded="0" outside="1" points="0,0"/>
    </skeleton>
    <tag label="night" source="manual">
    </tag>
  </image>
"""
META = """<meta><task><labels>
<label><name>road</name></label>
<label><name>car</name><attributes>
  <attribute><name>parked</name><input_type>checkbox</input_type></attribute>
  <attribute><name>wheels</name><input_type>number</input_type></attribute>
  <attribute><name>plate</name><input_type>number</input_type></attribute>
</attributes></label>
<label><name>man</name><type>skeleton</type></label><label><name>head</name><parent>man</parent></label>
<label><name>night</name></label></labels></task></meta>"""


def read(path: Path, **options: object) -> Dataset:
    return cvat.read(path, ReadOptions("data", **options))


def document(tmp_path: Path, inside: str, meta: str = META) -> Path:
    path = tmp_path / "annotations.xml"
    path.write_text(f'<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n  {meta}{inside}</annotations>\n')
    return path


def rows(dataset: Dataset) -> list[dict]:
    """Return annotations by class name, without nulls, ids and records."""
    names = dataset.classes.names
    skipped = {"id", "image_id", "record", "class_id"}
    return [
        {key: value for key, value in row.items() if value is not None and key not in skipped}
        | {"class": None if row["class_id"] is None else names[row["class_id"]]}
        for row in dataset.annotations.to_pylist()
    ]


def said(row: dict) -> dict:
    """Return a row with its attributes parsed: their order is that of XML attributes first."""
    return row | {"attributes": json.loads(row.get("attributes", "{}"))}


def written(dataset: Dataset, folder: Path) -> bytes:
    folder.mkdir()
    cvat.write(dataset, folder, WriteOptions())
    return (folder / "annotations.xml").read_bytes()


@pytest.mark.parametrize("name", FILES)
def test_real_exports_are_what_a_slow_parser_finds(name, shared_data):
    path = shared_data / ASSETS / name
    root = ElementTree.parse(path).getroot()
    shapes = [(image, shape) for image in root.iter("image") for shape in image]
    tracked = [(track, shape) for track in root.iter("track") for shape in track if shape.get("outside") == "0"]
    dataset = read(path)
    assert dataset.annotations.num_rows == len(shapes) + len(tracked) > 0
    frames = {shape.get("frame") for track in root.iter("track") for shape in track}
    assert len(dataset) == len(list(root.iter("image"))) + len(frames)
    expected = Counter(shape.get("label") for _, shape in shapes) + Counter(track.get("label") for track, _ in tracked)
    found = Counter(row["class"] or "" for row in rows(dataset))
    assert found == expected
    boxes = [shape for _, shape in [*shapes, *tracked] if shape.tag == "box"]
    edges = [[float(box.get(edge)) for edge in ("xtl", "ytl", "xbr", "ybr")] for box in boxes]
    plain = [row for row in rows(dataset) if "x" in row and "outline" not in row and "shape" not in row["attributes"]]
    assert [[row["x"], row["y"], row["x"] + row["w"], row["y"] + row["h"]] for row in plain] == edges
    assert all(path.exists() for path in dataset.paths())


@pytest.mark.parametrize("name", FILES)
def test_real_exports_come_back_byte_for_byte(name, shared_data, tmp_path):
    content = (shared_data / ASSETS / name).read_bytes()
    back = written(read(shared_data / ASSETS / name), tmp_path / "out")
    declaration = b'<?xml version="1.0" encoding="utf-8"?>\n'
    assert back.removeprefix(declaration) == content.removeprefix(declaration)


def test_every_shape(tmp_path):
    dataset = read(document(tmp_path, SHAPES))
    assert dataset.classes.names == ("road", "car", "man", "night")
    assert dataset.images["split"].to_pylist() == ["train"]
    box, polygon, line, points, mask, ellipse, cuboid, skeleton, tag = rows(dataset)
    assert (box["x"], box["w"], box["rotation_deg"], box["occluded"]) == (599.41, 40.83, 12.5, 1)
    attributes = {"source": "manual", "z_order": 3, "parked": True, "wheels": 4, "plate": "007"}
    assert json.loads(box["attributes"]) == attributes
    assert json.loads(polygon["outline"]) == [[1.5, 2, 3, 4, 6, 5], [7, 7, 9, 7, 9, 9]]
    assert json.loads(line["attributes"]) == {"shape": "polyline", "points": [[1, 2], [3, 4]]}
    assert json.loads(points["keypoints"]) == [1, 2, 2, 3, 4, 2]
    expected = np.zeros((10, 20), dtype=np.bool_)
    expected[5, 5:7] = expected[6, 5:7] = True  # rows of 3: 0 1 1 / 0 1 1
    assert (outline.mask(outline.parse(mask["outline"]), 20, 10) == expected).all()
    assert [ellipse[name] for name in "xywh"] == [6, 2.5, 8, 5]
    assert [cuboid[name] for name in "xywh"] == [1, 1, 5, 3]
    assert json.loads(skeleton["keypoints"]) == [4, 1, 2, 5, 9, 1, 0, 0, 0]
    assert json.loads(skeleton["attributes"])["labels"] == ["head", "foot", "hand"]
    assert tag == {"attributes": '{"source": "manual"}', "class": "night"}
    assert "1 polygons are further parts" in dataset.notes[0]


def test_every_shape_comes_back_as_it_was_and_built_anew(tmp_path):
    path = document(tmp_path, SHAPES)
    dataset = read(path)
    same = written(dataset, tmp_path / "same")
    assert same.replace(b"<version>1.1</version>\n  ", b"") == path.read_bytes().replace(b">\n  <image", b">\n  <image")
    bare = dataset.annotations.drop_columns(["record"])
    anew = replace(dataset, annotations=bare, images=dataset.images.drop_columns(["record"]), origins={})
    written(anew, tmp_path / "anew")
    back = read(tmp_path / "anew")
    assert [said(row) for row in rows(back)] == [said(row) for row in rows(dataset)]
    assert back.classes == dataset.classes


def test_only_what_changed_is_written_anew(tmp_path):
    dataset = read(document(tmp_path, SHAPES))
    classes = ClassMap(tuple(name.replace("car", "Auto") for name in dataset.classes.names))
    text = written(replace(dataset, classes=classes), tmp_path / "out").decode()
    assert 'label="Auto" source="manual" occluded="1" xtl="599.41" ytl="156.40" xbr="640.24"' in text
    assert 'points="1.50,2;3,4;6,5"' in text
    assert "<name>Auto</name>" in text
    assert "<name>car</name>" not in text
    moved = pa.array([x if x is None else x + 1 for x in dataset.annotations["x"].to_pylist()])
    table = dataset.annotations.set_column(dataset.annotations.column_names.index("x"), "x", moved)
    text = written(replace(dataset, annotations=table), tmp_path / "moved").decode()
    assert 'xtl="600.41" ytl="156.4" xbr="641.24" ybr="189.25"' in text
    assert 'name="parked">true' in text


def test_tracks(shared_data, tmp_path):
    dataset = read(shared_data / ASSETS / "for_video")
    assert dataset.images["frame"].to_pylist() == [10, 13, 16]
    assert dataset.images["path"].to_pylist()[0] == "images/frame_000010.png"
    assert dataset.annotations["track_id"].to_pylist() == [0, 1, 2]
    assert "4 frames of tracks are outside" in dataset.notes[0]
    less = dataset.select(np.array([True, False, True]))
    content = written(less, tmp_path / "less")
    assert content.count(b"<track ") == 2
    assert b'outside="1"' in content


def test_frames_without_a_file_are_called_as_cvat_calls_them(tmp_path):
    size = "<original_size><width>30</width><height>20</height></original_size>"
    place = 'xtl="1" ytl="1" xbr="2" ybr="2"'
    inside = f'<track id="4" label="car"><box frame="7" outside="0" occluded="0" keyframe="1" {place}/></track>'
    dataset = read(document(tmp_path, inside, f"<meta><task>{size}</task></meta>"))
    assert dataset.images.select(["path", "width", "height"]).to_pylist() == [
        {"path": "images/frame_000007.PNG", "width": 30, "height": 20}
    ]
    assert dataset.annotations["track_id"].to_pylist() == [4]


def test_photos_of_one_name_in_subsets(tmp_path):
    inside = "".join(f'<image id="0" name="x.jpg" width="4" height="4" subset="{name}"/>' for name in ("Train", "Test"))
    dataset = read(document(tmp_path, inside))
    assert dataset.images["path"].to_pylist() == ["images/x.jpg", "images/Test/x.jpg"]
    with pytest.raises(DataError, match="1 repeated photos"):
        read(document(tmp_path, '<image id="0" name="x" width="4" height="4"/>' * 2))


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ('<box label="a" xtl="1" ytl="1" xbr="nan" ybr="2"/>', "xbr is 'nan'"),
        ('<box label="a" xtl="1" ytl="1" xbr="1_0" ybr="2"/>', "xbr is '1_0'"),
        ('<box label="a" xtl="1" ytl="1" xbr="2"/>', "ybr missing"),
        ('<box label="a" xtl="5" ytl="1" xbr="2" ybr="2"/>', "before the left"),
        ('<box label="a" xtl="1" ytl="1" xbr="2" ybr="2" occluded="2"/>', "occluded is '2'"),
        ('<box label="a" xtl="1" ytl="1" xbr="2" ybr="2" rotation="x"/>', "rotation is 'x'"),
        ('<polygon label="a" points="1,2;3,4"/>', "4 values"),
        ('<polygon label="a" points="1,2;3,4;1e9,3"/>', "'1e9'"),
        ('<polygon label="a" points="1,2,3;3,4"/>', "not pairs"),
        ('<polygon label="a"/>', "points missing"),
        ('<mask label="a" rle="1, 2" left="4" top="5" width="3" height="2"/>', "make 3 pixels"),
        ('<mask label="a" rle="0, 6" left="18" top="5" width="3" height="2"/>', "does not fit its photo"),
        ('<mask label="a" rle="0, 6" left="0" top="0" width="99999999" height="2"/>', "does not fit"),
        ('<mask label="a" rle="-1, 7" left="0" top="0" width="3" height="2"/>', "-1"),
        ('<mask label="a" left="0" top="0" width="3" height="2"/>', "whole numbers"),
        ('<cuboid label="a" xtl1="1"/>', "ytl1"),
        ('<ellipse label="a" cx="1" cy="1" rx="-1" ry="2"/>', "radius is negative"),
        ('<skeleton label="a"/>', "without points"),
        ('<blob label="a"/>', "no shape of CVAT"),
    ],
)
def test_bad_shapes_are_refused_by_line(shape, message, tmp_path):
    path = document(tmp_path, f'\n<image id="0" name="a.jpg" width="20" height="10">\n{shape}\n</image>')
    with pytest.raises(DataError) as caught:
        read(path)
    assert message in caught.value.details[0]
    line = path.read_text().splitlines().index(shape) + 1
    assert caught.value.details[0].startswith(f"annotations.xml:{line}: ")


def test_all_that_is_bad_is_told_at_once(tmp_path):
    shapes = '<box label="a" xtl="x"/>' * 12 + '<polygon label="a"/>'
    with pytest.raises(DataError, match="12 bad box shapes, 1 bad polygon shapes") as caught:
        read(document(tmp_path, f'<image id="0" name="a.jpg" width="20" height="10">{shapes}</image>'))
    assert caught.value.details[-1] == "and 3 more"


@pytest.mark.parametrize("name", ["../x.jpg", "/etc/passwd", "..\\x.jpg", "", "a/../../x.jpg"])
def test_names_that_lead_out_are_refused(name, tmp_path):
    with pytest.raises(DataError, match="1 photo paths"):
        read(document(tmp_path, f'<image id="0" name="{name}" width="20" height="10"/>'))


BOMB = '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><annotations>&b;</annotations>'
OUTER = '<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/passwd">]><annotations><version>&a;</version></annotations>'


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (BOMB, "document types and entities"),
        (OUTER, "document types and entities"),
        ('<!DOCTYPE annotations SYSTEM "http://localhost/x.dtd"><annotations/>', "document types"),
        ("<annotations>" + "<a>" * 200_000, "nested deeper than 24"),
        ("<annotations><image>", "no well-formed"),
        ("", "no element found"),
        ("<annotation/>", "not <annotations>"),
        ("<annotations><strange/></annotations>", "1 unknown elements"),
        ("<annotations>&nbsp;</annotations>", "undefined entity"),
    ],
)
def test_dangerous_and_broken_xml(content, message, tmp_path):
    path = tmp_path / "a.xml"
    path.write_text(content)
    with pytest.raises(DataError) as caught:
        read(path)
    assert message in str(caught.value)


def test_encodings(tmp_path):
    path = document(tmp_path, SHAPES.replace("night", "Nächte"))
    expected = rows(read(path))
    text = path.read_text()
    for encoding in ("utf-8-sig", "utf-16"):
        path.write_bytes(text.encode(encoding))
        assert cvat.detect(path)
        assert rows(read(path)) == expected
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(DataError, match="no well-formed UTF-8 XML"):
        read(path)


def test_photos_without_a_size_must_be_there(tmp_path, write):
    path = document(tmp_path, '<image id="0" name="a.jpg"/>')
    with pytest.raises(DataError, match="1 missing photos"):
        read(path)
    write("a.jpg", size=(12, 34))
    assert read(path).images.select(["width", "height"]).to_pylist() == [{"width": 12, "height": 34}]


def test_a_folder_with_two_files(tmp_path):
    document(tmp_path, "").rename(tmp_path / "b.xml")
    document(tmp_path, "")
    with pytest.raises(DataError, match=r"found 2: annotations\.xml, b\.xml"):
        read(tmp_path)


def test_levels_of_occlusion_are_a_loss(tmp_path):
    table = made.annotations([{"image_id": 0, "class_id": 0, **made.box(1, 1, 2, 2), "occluded": 2}])
    dataset = replace(made.plain(tmp_path), annotations=table)
    assert [(loss.name, loss.rows.tolist()) for loss in cvat.losses(dataset)] == [("occluded", [True])]


def test_control_characters_have_no_way_into_xml(tmp_path):
    dataset = made.plain(tmp_path / "photos", classes=("a\x01", "b"))
    with pytest.raises(DataError, match="control characters"):
        cvat.write(dataset, tmp_path, WriteOptions())


_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
_NAMES = st.sampled_from(["score", "track_id", "shape", "points", "labels", "json:x", "label", "name", "iscrowd"])
_VALUES = st.one_of(
    st.booleans(), st.integers(-(10**15), 10**15), st.floats(-1e6, 1e6), _TEXT, st.none(), st.lists(_TEXT)
)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    attributes=st.dictionaries(_TEXT | _NAMES, _VALUES, max_size=4),
    box=st.tuples(*[st.floats(0, 1e5).map(lambda number: number + 0.0)] * 4),
)
def test_boxes_and_attributes_round_trip(attributes, box, tmp_path_factory):
    folder = tmp_path_factory.mktemp("cvat")
    if not all(char.isprintable() for name in attributes for char in name):
        attributes = {}
    rows_in = [
        {"image_id": 0, "class_id": 0, **made.box(*box), "attributes": json.dumps(attributes) if attributes else None}
    ]
    dataset = replace(made.plain(folder / "photos", ("a.jpg",)), annotations=made.annotations(rows_in))
    written(dataset, folder / "out")
    (back,) = rows(read(folder / "out"))
    assert [back[name] for name in "xywh"] == list(box)
    assert json.loads(back.get("attributes", "{}")) == attributes
