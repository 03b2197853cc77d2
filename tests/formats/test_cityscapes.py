"""Cityscapes: polygons, instance pictures and class pictures, written again, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from vision_cli.core import outline, rle
from vision_cli.core.dataset import ClassMap, Dataset
from vision_cli.core.errors import DataError
from vision_cli.formats import ReadOptions, WriteOptions, cityscapes, panoptic

SHARED = Path(__file__).parents[3] / "shared/data"
ASSETS = SHARED / "datumaro_assets/tests/assets/cityscapes_dataset"
real = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data are not here")
OPTIONS = ReadOptions("data")

OBJECTS = [
    {"label": "road", "polygon": [[0, 4], [9, 4], [9, 7], [0, 7]]},
    {"label": "car", "polygon": [[1, 1], [5, 1], [5, 5], [1, 5]], "user": "me"},
    {"label": "old", "polygon": [[0, 0], [1, 0], [1, 1]], "deleted": 1},
    {"label": "car", "polygon": [[4, 2], [8, 2], [8, 6], [4, 6]]},
    {"label": "cargroup", "polygon": [[0, 0], [3, 0], [3, 1], [0, 1]]},
    {"label": "license plate", "polygon": [[2, 2], [4, 2], [4, 3], [2, 3]]},
    {"label": "polegroup", "polygon": [[7, 0], [9, 0], [9, 1.5]]},
]
DOCUMENT = {"imgHeight": 7, "imgWidth": 9, "objects": OBJECTS}


def make(root: Path, document: Any = None, *, name: str = "ulm_000000_000019", photo: bool = True) -> Path:
    """Write one frame of the city Ulm."""
    labels = root / "gtFine/val/ulm"
    labels.mkdir(parents=True, exist_ok=True)
    document = DOCUMENT if document is None else document
    text = document if isinstance(document, bytes) else json.dumps(document).encode()
    (labels / f"{name}_gtFine_polygons.json").write_bytes(text)
    if photo:
        (root / "leftImg8bit/val/ulm").mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (9, 7)).save(root / f"leftImg8bit/val/ulm/{name}_leftImg8bit.png")
    return root


def make_picture(root: Path, values: np.ndarray, ending: str = "instanceIds") -> Path:
    folder = root / "gtFine/train/bonn"
    folder.mkdir(parents=True)
    Image.fromarray(values).save(folder / f"bonn_1_gtFine_{ending}.png")
    return root


def written(data: Dataset, folder: Path, workers: int = 1) -> Path:
    folder.mkdir()
    cityscapes.write(data, folder, WriteOptions(workers))
    return folder


def labels(data: Dataset) -> list[tuple[str, bool | None]]:
    table = data.annotations
    if not len(table):
        return []
    ids, crowd = table["class_id"].to_pylist(), table["iscrowd"].to_pylist()
    return [(data.classes.names[number], flag) for number, flag in zip(ids, crowd, strict=True)]


def test_polygons_are_objects_in_drawing_order(tmp_path):
    data = cityscapes.read(make(tmp_path), OPTIONS)
    assert cityscapes.detect(tmp_path) == "labels below gtFine"
    photo = data.images.to_pylist()[0]
    assert photo["path"] == "leftImg8bit/val/ulm/ulm_000000_000019_leftImg8bit.png"
    assert (photo["width"], photo["height"], photo["split"], photo["group"]) == (9, 7, "val", "ulm")
    assert labels(data) == [
        *(("road", False), ("car", False), ("car", False), ("car", True)),
        *(("license plate", False), ("polegroup", False)),
    ]
    assert data.annotations["attributes"].to_pylist() == [None, '{"user":"me"}', None, None, None, None]
    shape = outline.parse(data.annotations["outline"][5].as_py())
    assert isinstance(shape, outline.Polygons)
    assert shape.rings[0].tolist() == [[7, 0], [9, 0], [9, 1.5]]


def test_the_same_document_comes_out(tmp_path):
    data = cityscapes.read(make(tmp_path / "in", {**DOCUMENT, "scene": "street"}), OPTIONS)
    folder = written(data, tmp_path / "out")
    found = json.loads((folder / "gtFine/val/ulm/ulm_000000_000019_gtFine_polygons.json").read_bytes())
    assert found == {**DOCUMENT, "scene": "street"}


def test_pictures_are_painted_as_cityscapes_numbers_them(tmp_path):
    """The rule of cityscapesScripts: id * 1000 + number of the class so far; groups the id; plates nothing."""
    folder = written(cityscapes.read(make(tmp_path / "in"), OPTIONS), tmp_path / "out")
    start = folder / "gtFine/val/ulm/ulm_000000_000019_gtFine"
    instances = np.asarray(Image.open(f"{start}_instanceIds.png"))
    classes = np.asarray(Image.open(f"{start}_labelIds.png"))
    wanted = np.zeros((7, 9), dtype=int)
    wanted[4:7, 0:9] = 7
    wanted[1:5, 1:5] = 26_000
    wanted[2:6, 4:8] = 26_001
    wanted[0, 0:3] = 26
    assert instances.dtype == np.uint16
    assert (instances[:, :7] == wanted[:, :7]).all()
    assert set(instances[:, 7:].ravel().tolist()) <= {0, 7, 18, 26_001}
    assert (classes == np.where(instances >= 1000, instances // 1000, instances)).all()


def test_instance_pictures_are_read_where_there_are_no_polygons(tmp_path):
    values = np.array([[0, 7, 7, 26], [26_000, 26_001, 26_001, 26]], dtype=np.uint16)
    data = cityscapes.read(make_picture(tmp_path / "in", values), OPTIONS)
    assert labels(data) == [("road", False), ("car", True), ("car", False), ("car", False)]
    assert data.annotations["source_id"].to_pylist() == ["7", "26", "26000", "26001"]
    assert data.annotations["area"].to_pylist() == [2, 2, 1, 2]
    for row in data.annotations.to_pylist():
        mask = outline.mask(outline.parse(row["outline"]), 4, 2)
        assert (mask == (values == int(row["source_id"]))).all()
    assert data.images["mask"].to_pylist() == ["gtFine/train/bonn/bonn_1_gtFine_instanceIds.png"]
    assert data.notes == ("1 of 1 photos are not in leftImg8bit.",)
    lazy = cityscapes.read(tmp_path / "in", replace(OPTIONS, need=frozenset({"class"})))
    assert "outline" not in lazy.annotations.column_names
    assert labels(lazy) == labels(data)


def test_class_pictures_are_read_last(tmp_path):
    values = np.array([[0, 7, 24]], dtype=np.uint8)
    data = cityscapes.read(make_picture(tmp_path, values, "labelIds"), OPTIONS)
    assert labels(data) == [("road", False), ("person", False)]


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({**DOCUMENT, "imgWidth": 0}, r"imgWidth and imgHeight are \(0, 7\)"),
        ({**DOCUMENT, "imgWidth": True}, "imgWidth and imgHeight"),
        ({"imgHeight": 7, "imgWidth": 9}, "or there are no objects"),
        ([], "imgWidth and imgHeight"),
        ({**DOCUMENT, "objects": [{"polygon": [[0, 0], [1, 0], [1, 1]]}]}, r"objects\[0\]: it has no label"),
        ({**DOCUMENT, "objects": [3]}, r"objects\[0\]: it has no label"),
        ({**DOCUMENT, "objects": [{"label": "car"}]}, r"objects\[0\]: its polygon is no list of points"),
        ({**DOCUMENT, "objects": [{"label": "car", "polygon": [[1, 2, 3]]}]}, "no list of points"),
        ({**DOCUMENT, "objects": [{"label": "car", "polygon": [[0, 0], [1, 1]]}]}, "polygon 1 of 1 has 4 values"),
        ({**DOCUMENT, "objects": [{"label": "car", "polygon": [[0, 0], [1, 1], [1, 1e9]]}]}, "no number of pixels"),
        ({**DOCUMENT, "objects": [{"label": "car", "polygon": [[0, 0], [1, 1], [1, "2"]]}]}, "no number of pixels"),
        (b'{"imgHeight": NaN}', "malformed"),
        (b'{"imgHeight": 7, "imgHeight": 7}', "twice in one object"),
        (b"", "is empty"),
        (b"[" * 100_000, "nested too deeply|ends too early"),
        (json.dumps(DOCUMENT).encode()[:-4], "ends too early"),
    ],
)
def test_bad_label_files_are_refused_with_file_and_object(tmp_path, document, message):
    make(tmp_path, document)
    with pytest.raises(DataError, match="1 bad label files of 1 photos") as caught:
        cityscapes.read(tmp_path, OPTIONS)
    assert "ulm_000000_000019_gtFine_polygons.json" in caught.value.details[0]
    with pytest.raises(AssertionError, match=message):
        raise AssertionError(caught.value.details[0])


def test_values_of_no_class_are_refused_with_their_pixels(tmp_path):
    values = np.array([[99, 99, 99, 7], [26_000, 34_001, 99, 7]], dtype=np.uint16)
    with pytest.raises(DataError, match="2 values of no class") as caught:
        cityscapes.read(make_picture(tmp_path, values), OPTIONS)
    assert "4 pixels are 99, which is no class of Cityscapes" in caught.value.details[0]
    assert "1 pixels are 34001" in caught.value.details[1]


def test_coloured_pictures_and_no_labels_are_refused(tmp_path):
    colours = np.zeros((2, 2, 3), dtype=np.uint8)
    with pytest.raises(DataError, match="1 bad pictures"):
        cityscapes.read(make_picture(tmp_path / "a", colours), OPTIONS)
    (tmp_path / "b/gtFine/train").mkdir(parents=True)
    assert cityscapes.detect(tmp_path / "b") is None
    with pytest.raises(DataError, match="no gtFine or gtCoarse with label files"):
        cityscapes.read(tmp_path / "b", OPTIONS)


def test_photos_without_labels_and_splits_of_other_names(tmp_path):
    make(tmp_path)
    for place in ("train_extra/bonn/b", "demoVideo/c"):
        path = tmp_path / f"leftImg8bit/{place}_leftImg8bit.png"
        path.parent.mkdir(parents=True)
        Image.new("RGB", (3, 2)).save(path)
    data = cityscapes.read(tmp_path, OPTIONS)
    assert data.images["split"].to_pylist() == [None, "train", "val"]
    assert data.images["group"].to_pylist() == [None, "bonn", "ulm"]
    assert data.images["width"].to_pylist() == [3, 3, 9]
    assert "2 photos have no labels." in data.notes


def test_coarse_labels(tmp_path):
    make(tmp_path)
    (tmp_path / "gtFine").rename(tmp_path / "gtCoarse")
    for path in list((tmp_path / "gtCoarse").rglob("*.json")):
        path.rename(path.with_name(path.name.replace("gtFine", "gtCoarse")))
    assert cityscapes.read(tmp_path, OPTIONS).annotations.num_rows == 6
    make(tmp_path)
    assert "gtCoarse is left out: gtFine is there." in cityscapes.read(tmp_path, OPTIONS).notes


def test_masks_of_several_parts_with_holes_become_one_polygon_of_the_same_pixels(tmp_path):
    mask = np.zeros((7, 9), dtype=bool)
    mask[0:5, 0:5] = True
    mask[1:3, 1:3] = mask[3, 4] = False
    mask[6, 6:] = True
    data = cityscapes.read(make(tmp_path / "in", {**DOCUMENT, "objects": OBJECTS[:1]}), OPTIONS)
    table = data.annotations.drop_columns(["outline"]).append_column("outline", pa.array([outline.of_mask(mask)]))
    back = cityscapes.read(written(replace(data, annotations=table), tmp_path / "out"), OPTIONS)
    shape = outline.parse(back.annotations["outline"][0].as_py())
    assert isinstance(shape, outline.Polygons)
    assert (outline.mask(shape, 9, 7) == mask).all()


def test_overlapping_polygons_of_one_object_do_not_cancel_out(tmp_path):
    parts = outline.of_polygons([[0, 0, 5, 0, 5, 5, 0, 5], [3, 3, 8, 3, 8, 7, 3, 7]])
    data = cityscapes.read(make(tmp_path / "in", {**DOCUMENT, "objects": OBJECTS[:1]}), OPTIONS)
    table = data.annotations.drop_columns(["outline"]).append_column("outline", pa.array([parts]))
    back = cityscapes.read(written(replace(data, annotations=table), tmp_path / "out"), OPTIONS)
    found = outline.mask(outline.parse(back.annotations["outline"][0].as_py()), 9, 7)
    assert (found == outline.mask(outline.parse(parts), 9, 7)).all()


def test_losses_are_said(tmp_path):
    data = cityscapes.read(make(tmp_path), OPTIONS)
    names = (*data.classes.names, *(f"new {number}" for number in range(40)))
    rows = data.annotations.num_rows
    ids = pa.array([len(names) - 1, *[4] * (rows - 1)], pa.int32())
    crowd = pa.array([True] * rows)
    table = data.annotations.drop_columns(["class_id", "iscrowd"])
    table = table.append_column("class_id", ids).append_column("iscrowd", crowd)
    said = cityscapes.losses(replace(data, annotations=table, classes=ClassMap(names)))
    assert [(loss.name, loss.kind, int(loss.rows.sum())) for loss in said] == [
        ("class", "detail", 1),
        ("crowd", "detail", rows),
    ]
    assert cityscapes.losses(data) == []


def test_hostile_cities_and_names_stay_in_the_folder(tmp_path):
    names = ("<script>", "[/]", "a\nb", "🚗", "../x", "cargroup")
    data = cityscapes.read(make(tmp_path / "in"), OPTIONS)
    groups = data.images.set_column(6, "group", pa.array(["../../.hidden"]))
    data = replace(data, images=groups, classes=ClassMap(names[: len(data.classes)]))
    folder = written(data, tmp_path / "out")
    assert {path.name for path in tmp_path.iterdir()} == {"in", "out"}
    back = cityscapes.read(folder, OPTIONS)
    assert back.annotations.num_rows == data.annotations.num_rows
    assert set(back.classes.names) <= {*names, "car"}


@settings(max_examples=25, deadline=None)
@given(arrays.arrays(np.uint16, st.tuples(st.integers(1, 6), st.integers(1, 6)), elements=st.integers(0, 9)))
def test_pixels_of_any_picture_come_back(tmp_path_factory, places):
    root = tmp_path_factory.mktemp("c")
    values = np.array([0, 1, 7, 11, 24, 26, 24_000, 26_000, 26_001, 33_999], dtype=np.uint16)[places]
    data = cityscapes.read(make_picture(root / "in", values), OPTIONS)
    back = cityscapes.read(written(data, root / "out", workers=8), OPTIONS)
    assert labels(back) == labels(data)
    height, width = values.shape
    outlines = [each.annotations["outline"] if labels(data) else [] for each in (data, back)]
    for one, other in zip(*outlines, strict=True):
        counts = [outline.runs(outline.parse(each.as_py()), width, height).tolist() for each in (one, other)]
        assert counts[0] == counts[1]
        assert rle.area(counts[0])


@real
@pytest.mark.parametrize(("name", "objects"), [("dataset", 9), ("train_dataset", 10)])
def test_assets_are_read(name, objects):
    data = cityscapes.read(ASSETS / name, OPTIONS)
    assert (len(data), data.annotations.num_rows) == (4, objects)
    assert sorted(data.images["split"].to_pylist()) == ["test", "test", "train", "val"]
    assert set(data.images["group"].to_pylist()) == {"defaultcity"}
    assert all(path.is_file() for path in data.paths())


@real
def test_real_panoptic_data_keep_every_pixel(tmp_path):
    data = panoptic.read(SHARED / "panopticapi_sample/sample_data/panoptic_examples.json", OPTIONS)
    back = cityscapes.read(written(data, tmp_path / "out"), OPTIONS)
    sizes = list(zip(data.images["width"].to_pylist(), data.images["height"].to_pylist(), strict=True))
    photos = data.annotations["image_id"].to_pylist()
    names = [path.rpartition("/")[2] for path in data.images["path"].to_pylist()]
    assert names == sorted(names)
    for photo, one, other in zip(photos, data.annotations["outline"], back.annotations["outline"], strict=True):
        counts = [outline.runs(outline.parse(each.as_py()), *sizes[photo]) for each in (one, other)]
        assert np.array_equal(*counts)
