"""Flags that COCO has no members for: kept among the attributes, and back again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vision_cli.core.dataset import Dataset
from vision_cli.formats import FORMATS, ReadOptions, WriteOptions, conserving
from vision_cli.formats.coco import flags

KITTI = """Car 0.37 2 -1.57 599.41 156.40 629.75 189.25 2.85 2.63 12.34 0.47 1.49 69.44 -1.56
Van 0.00 0 1.85 387.63 181.54 423.81 203.12 1.67 1.87 3.69 -16.53 2.39 58.49 1.57
"""


def saved(folder: Path, *annotations: dict[str, Any]) -> Path:
    folder.mkdir(exist_ok=True)
    plain = {"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "area": 12, "iscrowd": 0}
    document = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 10, "height": 10}],
        "annotations": [{"id": n, **plain, **more} for n, more in enumerate(annotations, 1)],
        "categories": [{"id": 1, "name": "x"}],
    }
    (folder / "a.json").write_text(json.dumps(document))
    return folder / "a.json"


def read(name: str, path: Path) -> Dataset:
    dataset: Dataset = FORMATS.load(name).read(path, ReadOptions("d", sizes=False))
    return dataset


def written(dataset: Dataset, folder: Path) -> list[dict[str, Any]]:
    folder.mkdir()
    FORMATS.load("coco").write(dataset, folder, WriteOptions())
    found = [json.loads(file.read_text()) for file in sorted(folder.rglob("*.json"))]
    return [record for document in found for record in document["annotations"]]


def test_kitti_to_coco_and_back_keeps_truncation_and_occlusion(tmp_path: Path) -> None:
    labels = tmp_path / "kitti/training/label_2/000000.txt"
    labels.parent.mkdir(parents=True)
    (tmp_path / "kitti/training/image_2").mkdir()
    from PIL import Image

    Image.new("RGB", (1242, 375)).save(tmp_path / "kitti/training/image_2/000000.png")
    labels.write_text(KITTI)
    dataset = read("kitti", tmp_path / "kitti")
    assert "truncated" not in {loss.name for loss in conserving.losses(dataset, FORMATS.load("coco").CARRIES)}
    records = written(dataset, tmp_path / "coco")
    assert [record["attributes"] for record in records] == [
        {"truncated": 0.37, "occluded": 2},
        {"truncated": 0.0, "occluded": 0},
    ]
    back = read("coco", tmp_path / "coco")
    for name in ("truncated", "occluded"):
        assert back.annotations[name].to_pylist() == dataset.annotations[name].to_pylist()
    assert "attributes" not in back.annotations.column_names or not back.annotations["attributes"].drop_null()


def test_flags_of_datumaro_and_cvat_are_columns(tmp_path: Path) -> None:
    found = read(
        "coco",
        saved(
            tmp_path,
            {"attributes": {"occluded": True, "colour": "red"}},
            {"attributes": {"truncated": False, "difficult": 1}},
            {"attributes": {"occluded": "yes", "difficult": 7}},
            {},
        ),
    ).annotations
    assert found["occluded"].to_pylist() == [1, None, None, None]
    assert found["truncated"].to_pylist() == [None, 0.0, None, None]
    assert found["difficult"].to_pylist() == [None, True, None, None]
    assert found["attributes"].to_pylist() == ['{"colour":"red"}', None, '{"occluded": "yes", "difficult": 7}', None]


def test_records_that_say_the_same_come_back_byte_for_byte(tmp_path: Path) -> None:
    path = saved(tmp_path / "in", {"attributes": {"occluded": True, "colour": "red"}}, {"difficult": True, "b": 1})
    dataset = read("coco", path)
    folder = tmp_path / "out"
    folder.mkdir()
    FORMATS.load("coco").write(dataset, folder, WriteOptions())
    text = (folder / "annotations/instances.json").read_text()
    source = json.loads(path.read_text())
    assert json.dumps(source["annotations"][0]) in text
    assert json.dumps(source["annotations"][1]) in text


def test_a_changed_flag_is_written_anew(tmp_path: Path) -> None:
    dataset = read("coco", saved(tmp_path / "in", {"attributes": {"occluded": True, "colour": "red"}}))
    table = dataset.annotations
    table = table.set_column(table.schema.get_field_index("occluded"), "occluded", pa.array([0], pa.int8()))
    from dataclasses import replace

    (record,) = written(replace(dataset, annotations=table), tmp_path / "out")
    assert record["attributes"] == {"colour": "red", "occluded": 0}


def test_an_attribute_of_the_name_of_a_flag_stands_beside_it() -> None:
    table = pa.table({"occluded": pa.array([2], pa.int8()), "attributes": ['{"occluded":"yes"}']})
    assert json.loads(flags.in_attributes(table)[0].as_py()) == {"occluded_": "yes", "occluded": 2}


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.none() | st.floats(-1, 1),
            st.none() | st.integers(-127, 127),
            st.none() | st.booleans(),
            st.sampled_from([None, '{"a":1}', '{"é":"x,"}', '{"b":[{}],"c":","}']),
        ),
        min_size=1,
    )
)
def test_what_is_joined_is_split_again(rows: list[tuple[Any, ...]]) -> None:
    kinds = {"truncated": pa.float64(), "occluded": pa.int8(), "difficult": pa.bool_(), "attributes": pa.string()}
    values = dict(zip(kinds, zip(*rows, strict=True), strict=True))
    columns = {name: pa.array(values[name], kind) for name, kind in kinds.items()}
    text = flags.in_attributes(pa.table(columns))
    parts = [flags._parts(each) if each else {} for each in text.to_pylist()]  # one by one, by another way than joining
    for name, column in columns.items():
        assert [part.get(name) for part in parts] == column.to_pylist()


@pytest.mark.parametrize("name", ["coco", "lvis"])
def test_both_formats_say_so(name: str) -> None:
    assert set(flags.NAMES) <= FORMATS.load(name).CARRIES
