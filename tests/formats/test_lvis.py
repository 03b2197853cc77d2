"""LVIS: the members that COCO does not have are kept, and follow their classes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from coco_sets import SQUARE, save

from vision_cli.core.dataset import ClassMap, Dataset
from vision_cli.core.errors import DataError
from vision_cli.formats import ReadOptions, WriteOptions, coco, lvis


def content() -> dict[str, Any]:
    """Return a document as lvis_v1_val.json has it."""
    return {
        "info": {"description": "LVIS", "version": "v1.0"},
        "annotations": [
            {
                "area": 210.125,
                "id": 3,
                "segmentation": SQUARE,
                "image_id": 8,
                "bbox": [10.0, 10.0, 20.5, 10.25],
                "category_id": 5,
            },
        ],
        "images": [
            {
                "id": 8,
                "width": 64,
                "height": 48,
                "coco_url": "http://images.example.org/val2017/000000000008.jpg",
                "neg_category_ids": [2],
                "not_exhaustive_category_ids": [5, 2],
            },
            {
                "id": 9,
                "width": 64,
                "height": 48,
                "coco_url": "http://images.example.org/train2017/000000000009.jpg",
                "neg_category_ids": [],
                "not_exhaustive_category_ids": [],
            },
        ],
        "categories": [
            {
                "id": 2,
                "name": "aerosol_can",
                "synset": "aerosol.n.02",
                "frequency": "c",
                "def": "a can",
                "image_count": 1,
            },
            {
                "id": 5,
                "name": "alcohol",
                "synset": "alcohol.n.01",
                "frequency": "f",
                "def": "a liquor",
                "image_count": 2,
            },
        ],
        "licenses": [],
    }


def read(tmp_path: Path) -> Dataset:
    return lvis.read(save(tmp_path / "lvis_v1_val.json", content()), ReadOptions("s"))


def test_lvis_is_detected_and_coco_is_not(tmp_path: Path) -> None:
    path = save(tmp_path / "lvis_v1_val.json", content())
    assert "neg_category_ids" in str(lvis.detect(path))
    assert "neg_category_ids" in str(lvis.detect(tmp_path))
    assert coco.detect(path) is None
    assert coco.detect(tmp_path) is None


def test_paths_come_from_the_address(tmp_path: Path) -> None:
    data = read(tmp_path)
    assert data.images["path"].to_pylist() == ["val2017/000000000008.jpg", "train2017/000000000009.jpg"]
    assert data.images["split"].to_pylist() == ["val", "val"]
    assert data.images["neg_category_ids"].to_pylist() == [[2], []]
    assert data.origins["s"].format == "lvis"
    assert json.loads(data.origins["s"].class_records["alcohol"])["synset"] == "alcohol.n.01"


def test_a_file_comes_back(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    result = lvis.write(read(tmp_path), out, WriteOptions())
    assert json.loads((out / "annotations/lvis_val.json").read_bytes()) == content()
    assert list(result.photos) == ["val/val2017/000000000008.jpg", "val/train2017/000000000009.jpg"]
    assert dict(result.class_ids) == {"aerosol_can": 2, "alcohol": 5}
    again = lvis.read(out, ReadOptions("s"))
    assert again.images["neg_category_ids"].to_pylist() == [[2], []]


def test_lists_of_classes_follow_a_class_that_is_gone(tmp_path: Path) -> None:
    data = read(tmp_path).with_classes(ClassMap(("alcohol", "wine")))
    out = tmp_path / "out"
    out.mkdir()
    lvis.write(data, out, WriteOptions())
    found = json.loads((out / "annotations/lvis_val.json").read_bytes())
    assert [category["id"] for category in found["categories"]] == [5, 6]
    assert found["images"][0]["neg_category_ids"] == []
    assert found["images"][0]["not_exhaustive_category_ids"] == [5]
    assert found["annotations"] == content()["annotations"]


def test_lvis_becomes_coco_with_names_of_files(tmp_path: Path) -> None:
    data = read(tmp_path)
    data = replace(
        data, images=data.images.drop_columns(["record"]), annotations=data.annotations.drop_columns(["record"])
    )
    out = tmp_path / "out"
    out.mkdir()
    coco.write(data, out, WriteOptions())
    found = json.loads((out / "annotations/instances_val.json").read_bytes())
    assert [image["file_name"] for image in found["images"]] == ["000000000008.jpg", "000000000009.jpg"]
    assert found["annotations"][0]["iscrowd"] == 0


def test_an_unknown_class_in_an_annotation_is_refused(tmp_path: Path) -> None:
    bad = content()
    bad["annotations"][0]["category_id"] = 4
    with pytest.raises(DataError, match="1 dangling category ids"):
        lvis.read(save(tmp_path / "lvis_v1_val.json", bad), ReadOptions("s"))
