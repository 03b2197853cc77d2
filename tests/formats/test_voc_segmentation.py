"""VOC's masks: objects of annotations get their pixels, and pictures come back."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from vision_cli.core import outline
from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError
from vision_cli.formats import ReadOptions, WriteOptions
from vision_cli.formats.voc import segmentation as voc_segmentation

OPTIONS = ReadOptions("pets")
CLASSES = np.array([[0, 8, 8, 255], [0, 8, 8, 255], [15, 15, 0, 0]], dtype=np.uint8)
OBJECTS = np.array([[0, 1, 1, 255], [0, 1, 1, 255], [2, 2, 0, 0]], dtype=np.uint8)
XML = """<annotation><object><name>cat</name><bndbox><xmin>2</xmin><ymin>1</ymin><xmax>3</xmax><ymax>2</ymax></bndbox>
</object></annotation>"""


def picture(path: Path, values: np.ndarray, palette: bool = True) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(values)
    if palette and values.ndim == 2:
        image.putpalette([channel for index in range(256) for channel in (index, 0, 0)])
    image.save(path)


@pytest.fixture
def folder(write, tmp_path: Path) -> Path:
    root = tmp_path / "set"
    write("set/Annotations/a.xml", content=XML.encode())
    write("set/JPEGImages/a.jpg", size=(4, 3))
    picture(root / "SegmentationClass/a.png", CLASSES)
    picture(root / "SegmentationObject/a.png", OBJECTS)
    return root


def written(dataset: Dataset, target: Path) -> Path:
    target.mkdir()
    voc_segmentation.write(dataset, target, WriteOptions())
    return target


def masks(dataset: Dataset) -> list[np.ndarray]:
    return [outline.mask(outline.parse(data), 4, 3) for data in dataset.annotations["outline"].to_pylist()]


def test_objects_get_their_pixels_and_others_rows_of_their_own(folder: Path) -> None:
    dataset = voc_segmentation.read(folder, OPTIONS)
    assert dataset.classes.names == ("cat", "person")
    rows = dataset.annotations.select(["class_id", "x", "y", "w", "h", "outline_parts"]).to_pylist()
    assert rows == [
        {"class_id": 0, "x": 2.0, "y": 1.0, "w": 1.0, "h": 1.0, "outline_parts": -1},
        {"class_id": 1, "x": 1.0, "y": 3.0, "w": 1.0, "h": 0.0, "outline_parts": -1},
    ]
    for mask, number in zip(masks(dataset), (1, 2), strict=True):
        np.testing.assert_array_equal(mask, number == OBJECTS)
    assert dataset.images["mask"].to_pylist() == ["SegmentationClass/a.png"]


def test_unchanged_masks_come_back_byte_for_byte_borders_too(folder: Path, tmp_path: Path) -> None:
    out = written(voc_segmentation.read(folder, OPTIONS), tmp_path / "out")
    names = sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())
    assert names == ["Annotations/a.xml", "SegmentationClass/a.png", "SegmentationObject/a.png"]
    for name in names:
        assert (out / name).read_bytes() == (folder / name).read_bytes()


def test_changed_masks_are_painted_in_vocs_colours(folder: Path, tmp_path: Path) -> None:
    dataset = voc_segmentation.read(folder, OPTIONS)
    changed = outline.of_mask(OBJECTS == 255)
    table = dataset.annotations
    column = pa.array([changed, table["outline"][1].as_py()], pa.binary())
    table = table.set_column(table.schema.get_field_index("outline"), "outline", column)
    out = written(replace(dataset, annotations=table), tmp_path / "out")
    with Image.open(out / "SegmentationClass/a.png") as image:
        np.testing.assert_array_equal(np.asarray(image), [[0, 0, 0, 8], [0, 0, 0, 8], [15, 15, 0, 0]])
        # From VOClabelcolormap.m: cat is (64, 0, 0), person (192, 128, 128).
        assert (image.getpalette()[24:27], image.getpalette()[45:48]) == ([64, 0, 0], [192, 128, 128])


def test_other_formats_masks_come_back_with_a_label_map(folder: Path, tmp_path: Path) -> None:
    dataset = voc_segmentation.read(folder, OPTIONS)
    foreign = replace(dataset, origins={}, annotations=dataset.annotations.drop_columns(["record"]))
    foreign = replace(foreign, classes=replace(dataset.classes, names=("zebra fish", "ape")))
    again = voc_segmentation.read(written(foreign, tmp_path / "out"), OPTIONS)
    assert again.classes.names == ("zebra fish", "ape")
    assert again.annotations["outline"].to_pylist() == foreign.annotations["outline"].to_pylist()
    assert again.annotations["class_id"].to_pylist() == [0, 1]


def test_masks_alone_are_a_set_and_classes_alone_are_regions(write, tmp_path: Path) -> None:
    write("JPEGImages/a.jpg", size=(4, 3))
    picture(tmp_path / "SegmentationClass/a.png", CLASSES, palette=False)
    assert voc_segmentation.detect(tmp_path) == "SegmentationClass/a.png and no XML"
    dataset = voc_segmentation.read(tmp_path, OPTIONS)
    assert [dataset.classes.names[number] for number in dataset.annotations["class_id"].to_pylist()] == [
        "cat",
        "person",
    ]
    np.testing.assert_array_equal(masks(dataset)[0], CLASSES == 8)


@pytest.mark.parametrize(
    ("values", "what"),
    [
        (np.where(CLASSES == 8, 77, CLASSES), r"SegmentationClass/a.png: indices of no class: 77 \(4 pixels\)"),
        (CLASSES[:2], "SegmentationClass/a.png: has 4 x 2 pixels, its photo 4 x 3"),
        (np.where(OBJECTS == 1, 0, CLASSES), "object 1 has 4 pixels, none of them of a class"),
        (np.full((3, 4, 3), (1, 2, 3), dtype=np.uint8), "12 pixels have 1 colours that are none of VOC's"),
    ],
)
def test_bad_masks_are_refused_with_pixel_counts(folder: Path, values: np.ndarray, what: str) -> None:
    picture(folder / "SegmentationClass/a.png", values.astype(np.uint8))
    with pytest.raises(DataError, match="1 bad pictures of 1: 1 masks") as refused:
        voc_segmentation.read(folder, OPTIONS)
    assert re.search(what, refused.value.details[0])


def test_a_cut_mask_is_refused(folder: Path) -> None:
    file = folder / "SegmentationClass/a.png"
    file.write_bytes(file.read_bytes()[:60])
    with pytest.raises(DataError, match="1 masks"):
        voc_segmentation.read(folder, OPTIONS)
