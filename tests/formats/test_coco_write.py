"""COCO out: the same file comes back, and what changed is all that changed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from coco_sets import RUNS, SQUARE, Json, box, document, photo, read, said, save
from hypothesis import given, settings
from hypothesis import strategies as st

from vision_cli.core.dataset import ClassMap, Dataset
from vision_cli.core.origin import Origin
from vision_cli.formats import WriteOptions, Written, coco


def written(data: Dataset, folder: Path) -> tuple[Json, Written]:
    folder.mkdir(parents=True)
    result = coco.write(data, folder, WriteOptions())
    files = sorted((folder / "annotations").iterdir())
    assert len(files) == 1
    return json.loads(files[0].read_bytes()), result


def with_column(data: Dataset, table: str, name: str, values: list[Any]) -> Dataset:
    before: pa.Table = getattr(data, table)
    index = before.schema.get_field_index(name)
    column = pa.array(values, before.schema.field(index).type)
    return replace(data, **{table: before.set_column(index, name, column)})


def plain(data: Dataset) -> Dataset:
    """Return the data set as if it came from another format."""
    tables = {
        name: getattr(data, name).drop_columns([c for c in ("record",) if c in getattr(data, name).column_names])
        for name in ("images", "annotations")
    }
    return replace(data, **tables, origins={"s": Origin("cvat")})


def test_a_file_comes_back_with_every_record_byte_for_byte(tmp_path: Path) -> None:
    record = b'{ "id":31 ,"bbox":[1.0,2,3.50,4e0], "image_id": 1,"category_id":1, "x y": {"b": [1.00]}}'
    images = [photo(1, odd={"a": [1.50]}), photo(2, file_name="sub/é.jpg", license=3)]
    content = json.dumps(document([box(5, 2, 7), box(4)], images=images, extra=[1.0])).encode()
    content = content.replace(b'"annotations": [', b'"annotations": [%b, ' % record)
    data = read(save(tmp_path / "a.json", content))
    again, result = written(data, tmp_path / "out")
    assert again == json.loads(content)
    assert record in (tmp_path / "out/annotations/instances.json").read_bytes()
    assert list(result.photos) == ["images/1.jpg", "images/sub/é.jpg"]
    assert dict(result.class_ids) == {"cat": 1, "dog": 7}


def test_real_ground_truth_comes_back(shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / "coco_golden/instances_val2014_100.json"
    again, result = written(read(path), tmp_path / "out")
    assert again == json.loads(path.read_bytes())
    assert result.photos[0] == "val/COCO_val2014_000000001146.jpg"


def test_only_what_changed_is_rendered_anew(tmp_path: Path) -> None:
    content = document([box(1, odd=1.50), box(2, attributes={"a": 1}), box(3, score=0.5)])
    data = read(save(tmp_path / "a.json", content))
    data = with_column(data, "annotations", "x", [10.0, 11.0, 10.0])
    data = with_column(data, "annotations", "class_id", [0, 1, 0])
    data = with_column(data, "annotations", "score", [None, None, None])
    data = with_column(data, "annotations", "attributes", ['{"odd":1.5}', '{"a":2}', None])
    data = with_column(data, "images", "width", [64, 65])
    data = replace(data, classes=ClassMap(("lynx", "dog")))
    again, _ = written(data, tmp_path / "out")
    content["annotations"][1] |= {"bbox": [11.0, 10.0, 20.5, 10.25], "category_id": 7, "attributes": {"a": 2}}
    del content["annotations"][2]["score"]
    content["images"][1]["width"] = 65
    # A class of another name has no id in the source: it is a new one.
    content["categories"][0] = {"id": 8, "name": "lynx", "supercategory": ""}
    for row in (0, 2):
        content["annotations"][row]["category_id"] = 8
    assert again == content


def test_equal_and_empty_names_are_written_back_as_they_were(tmp_path: Path) -> None:
    categories = [{"id": 3, "name": "a"}, {"id": 1, "name": "a"}, {"id": "t", "name": ""}]
    content = document([box(1, category="t")], categories=categories)
    again, result = written(read(save(tmp_path / "a.json", content)), tmp_path / "out")
    assert again == content
    assert dict(result.class_ids) == {"a [id 3]": 3, "a [id 1]": 1}


def test_text_ids_are_written_back_as_texts(tmp_path: Path) -> None:
    content = document([box("x", "p"), box("7", "p")], images=[photo("p")])
    again, _ = written(read(save(tmp_path / "a.json", content)), tmp_path / "out")
    assert again == content


def test_other_formats_become_valid_coco(tmp_path: Path) -> None:
    rows = [box(5, segmentation=[]), box(6, 2, 7, segmentation=RUNS, iscrowd=1), box(7, keypoints=[1, 2, 2, 0, 0, 0])]
    content = document(rows, images=[photo(1, fog=0.5), photo(2)])
    data = plain(read(save(tmp_path / "a.json", content)))
    data = with_column(data, "annotations", "area", [None] * 3)
    again, result = written(data, tmp_path / "out")
    assert again["images"] == [
        {"id": 1, "file_name": "1.jpg", "width": 64, "height": 48, "fog": 0.5},
        {"id": 2, "file_name": "2.jpg", "width": 64, "height": 48},
    ]
    assert again["categories"] == [
        {"id": 1, "name": "cat", "supercategory": ""},
        {"id": 2, "name": "dog", "supercategory": ""},
    ]
    assert again["annotations"] == [
        {**box(5, segmentation=[]), "area": 20.5 * 10.25},
        {**box(6, 2, 2, segmentation=RUNS, iscrowd=1), "area": 960.0},
        {**box(7, keypoints=[1, 2, 2, 0, 0, 0]), "num_keypoints": 1, "area": 20.5 * 10.25},
    ]
    assert dict(result.class_ids) == {"cat": 1, "dog": 2}
    text = (tmp_path / "out/annotations/instances.json").read_text()
    assert '"bbox":[10.0,10.0,20.5,10.25]' in text


@pytest.mark.parametrize("texts", [["7", "7"], ["a", "b"], ["01", "2"], [None, "2"], ["1.0", "2"]])
def test_ids_that_are_no_distinct_numbers_are_counted(tmp_path: Path, texts: list[str | None]) -> None:
    data = plain(read(save(tmp_path / "a.json", document([box(3), box(4)]))))
    again, _ = written(with_column(data, "annotations", "source_id", texts), tmp_path / "out")
    assert [row["id"] for row in again["annotations"]] == [1, 2]


def test_splits_become_files_with_their_own_ids_and_members(tmp_path: Path) -> None:
    for split, year in (("train", 1), ("valid", 2)):
        save(tmp_path / f"in/{split}/_annotations.coco.json", document(info={"year": year}))
    data = read(tmp_path / "in")
    out = tmp_path / "out"
    out.mkdir()
    result = coco.write(data, out, WriteOptions())
    for split, year in (("train", 1), ("val", 2)):
        assert json.loads((out / f"annotations/instances_{split}.json").read_bytes()) == document(info={"year": year})
    assert list(result.photos) == ["train/1.jpg", "train/2.jpg", "val/1.jpg", "val/2.jpg"]
    again = read(out)
    assert said(again) == [(row[0].replace("valid/", "val/") or row[0], *row[1:]) for row in said(data)]


def test_photos_of_one_name_get_names_of_their_own(tmp_path: Path) -> None:
    images = [photo(1, file_name="a/x.jpg"), photo(2, file_name="b/X.jpg")]
    data = plain(read(save(tmp_path / "a.json", document(images=images))))
    _, result = written(data, tmp_path / "out")
    assert list(result.photos) == ["images/a__x.jpg", "images/b__X.jpg"]


def test_results_become_annotations_with_scores(tmp_path: Path) -> None:
    save(tmp_path / "in/instances_val.json", document())
    rows = [{"image_id": 1, "category_id": 1, "bbox": [1.5, 2, 3, 4], "score": 0.25}]
    again, result = written(read(save(tmp_path / "in/r.json", rows)), tmp_path / "out")
    assert again["annotations"] == [{**rows[0], "id": 1}]
    assert list(result.notes) == ["The results became annotations with scores."]


def test_an_empty_set_is_written(tmp_path: Path) -> None:
    content: Json = {"images": [], "annotations": [], "categories": []}
    again, result = written(read(save(tmp_path / "a.json", content)), tmp_path / "out")
    assert (again, list(result.photos)) == (content, [])


FLOATS = st.floats(0, 1e6).map(lambda value: float(np.float64(value))) | st.integers(0, 10_000)
NAMES = st.text(max_size=12)
IDS = st.integers(-(2**63), 2**63 - 1)
POLYGONS = st.lists(
    st.lists(st.tuples(FLOATS, FLOATS), min_size=3, max_size=5).map(lambda p: [v for xy in p for v in xy]), max_size=3
)


@st.composite
def documents(draw: st.DrawFn) -> Json:
    image_ids = draw(st.lists(IDS, unique=True, max_size=4))
    classes = draw(st.lists(IDS, unique=True, max_size=4))
    names = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=9)
    photos = [
        {
            "id": value,
            "width": draw(st.integers(1, 9000)),
            "height": draw(st.integers(1, 9000)),
            "file_name": f"{n}{name}",
        }
        | draw(st.dictionaries(st.sampled_from(["license", "x", "split"]), st.integers(0, 9) | NAMES, max_size=2))
        for n, (value, name) in enumerate(zip(image_ids, draw(st.lists(names, min_size=4, max_size=4)), strict=False))
    ]
    own = draw(st.lists(IDS, unique=True, max_size=6)) if photos and classes else []
    member = st.dictionaries(
        st.sampled_from(["note", "attributes", "é:"]), st.integers() | NAMES | st.just({"a": 1}), max_size=2
    )
    rows = [
        {"id": value, "image_id": draw(st.sampled_from(image_ids)), "category_id": draw(st.sampled_from(classes))}
        | {"bbox": draw(st.lists(FLOATS, min_size=4, max_size=4)), "iscrowd": draw(st.sampled_from([0, 1]))}
        | {"area": draw(FLOATS), "segmentation": draw(POLYGONS)}
        | draw(member)
        for value in own
    ]
    categories = [{"id": value, "name": draw(NAMES)} for value in classes]
    return {"images": photos, "annotations": rows, "categories": categories, "info": draw(st.none() | NAMES)}


@settings(max_examples=30, deadline=None)
@given(documents(), st.booleans(), st.sampled_from([None, 1]))
def test_any_file_comes_back(
    tmp_path_factory: pytest.TempPathFactory, content: Json, ascii_only: bool, indent: int | None
) -> None:
    folder = tmp_path_factory.mktemp("set")
    text = json.dumps(content, ensure_ascii=ascii_only, indent=indent).encode("utf-8", "surrogatepass")
    data = read(save(folder / "a.json", text))
    again, _ = written(data, folder / "out")
    assert again == json.loads(text)
    twice = read(folder / "out/annotations")
    assert twice.annotations.combine_chunks().equals(data.annotations.combine_chunks())
    bare, _ = written(plain(data), folder / "bare")
    for before, after in zip(content["annotations"], bare["annotations"], strict=True):
        assert {name: after[name] for name in ("bbox", "area", "iscrowd", "segmentation")} == {
            name: before[name] for name in ("bbox", "area", "iscrowd", "segmentation")
        }


def test_the_same_bytes_whatever_the_workers(tmp_path: Path) -> None:
    data = plain(read(save(tmp_path / "a.json", document([box(n, segmentation=SQUARE) for n in range(50)]))))
    texts = []
    for workers in (1, 8):
        folder = tmp_path / str(workers)
        folder.mkdir()
        coco.write(data, folder, WriteOptions(workers=workers))
        texts.append((folder / "annotations/instances.json").read_bytes())
    assert texts[0] == texts[1]
