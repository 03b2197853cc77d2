"""Where COCO files, their photos and lists of results lie, and what is not COCO."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from coco_sets import document, photo, read, said, save

from vision_cli.core.errors import DataError
from vision_cli.formats import ReadOptions, coco, lvis

LAYOUTS: dict[str, tuple[dict[str, str], list[str]]] = {
    "coco": (
        {"annotations/instances_train2017.json": "train2017", "annotations/instances_val2017.json": "val2017"},
        ["train2017/1.jpg", "train2017/2.jpg", "val2017/1.jpg", "val2017/2.jpg"],
    ),
    "images": ({"annotations/instances_val.json": "images"}, ["images/1.jpg", "images/2.jpg"]),
    "images of splits": ({"annotations/val.json": "images/val"}, ["images/val/1.jpg", "images/val/2.jpg"]),
    "roboflow": (
        {"train/_annotations.coco.json": "train", "valid/_annotations.coco.json": "valid"},
        ["train/1.jpg", "train/2.jpg", "valid/1.jpg", "valid/2.jpg"],
    ),
    "beside": ({"labels.json": ""}, ["1.jpg", "2.jpg"]),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_layouts_are_found_with_their_photos_and_splits(tmp_path: Path, write: Any, name: str) -> None:
    files, paths = LAYOUTS[name]
    for file, folder in files.items():
        save(tmp_path / file, document())
        for number in (1, 2):
            write(f"{folder}/{number}.jpg".removeprefix("/"))
    data = read(tmp_path)
    assert data.images["path"].to_pylist() == paths
    assert all(path.is_file() for path in data.paths())
    expected = {"coco": ["train", "val"], "images": ["val"], "images of splits": ["val"], "roboflow": ["train", "val"]}
    assert data.images["split"].unique().to_pylist() == expected.get(name, [None])
    assert data.annotations.num_rows == len(files)
    assert data.notes == ()
    assert coco.detect(tmp_path) is not None
    assert lvis.detect(tmp_path) is None


def test_of_several_kinds_one_is_read_and_the_others_named(tmp_path: Path) -> None:
    for name in ("instances_val", "person_keypoints_val", "stuff_val"):
        save(tmp_path / f"annotations/{name}.json", document())
    data = read(tmp_path)
    assert data.annotations.num_rows == 1
    assert "person_keypoints_val.json, stuff_val.json" in data.notes[0]


def test_photos_are_kept_inside_of_the_root(tmp_path: Path, write: Any) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "set").mkdir()
    (tmp_path / "set/link").symlink_to(outside)
    content = document([], images=[photo(1, file_name="link/1.jpg")])
    with pytest.raises(DataError, match="folders out of the root"):
        read(save(tmp_path / "set/a.json", content))


def test_what_is_no_coco_is_not_detected(tmp_path: Path) -> None:
    for content in (b"{}", b"[]", b"[1]", b'{"images": []}', b'{"shapes": [], "imagePath": ""}', b"\xff\xfe", b""):
        assert coco.detect(save(tmp_path / "a.json", content)) is None
        with pytest.raises(DataError) as caught:
            coco.read(tmp_path, ReadOptions("s"))
        assert "a.json" in " ".join([caught.value.message, *caught.value.details])
    save(tmp_path / "b.json", b"{}")
    with pytest.raises(DataError, match="no label file was found among 2 JSON files") as caught:
        coco.read(tmp_path, ReadOptions("s"))
    assert caught.value.details == ("a.json: no file of COCO", "b.json: no file of COCO")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"no label file was found\."):
        coco.read(tmp_path / "empty", ReadOptions("s"))


def result(image: int = 1, category: int = 1, **more: Any) -> dict[str, Any]:
    return {"image_id": image, "category_id": category, "bbox": [1.5, 2, 3, 4], "score": 0.25, **more}


def test_results_take_photos_and_classes_from_the_truth_beside_them(tmp_path: Path) -> None:
    save(tmp_path / "instances_val.json", document())
    path = save(tmp_path / "results.json", [result(), result(2, 7, score=1)])
    assert "results" in str(coco.detect(path))
    data = read(path)
    assert [row[:3] for row in said(data)] == [("1.jpg", "cat", (1.5, 2, 3, 4)), ("2.jpg", "dog", (1.5, 2, 3, 4))]
    assert data.annotations["score"].to_pylist() == [0.25, 1.0]
    assert "source_id" not in data.annotations.column_names
    assert "results.json" not in str(coco.detect(tmp_path))


@pytest.mark.parametrize(
    ("others", "content", "message"),
    [
        ([], [result()], "found 0: none"),
        (["a.json", "b.json"], [result()], r"found 2: a\.json, b\.json"),
        (["a.json"], [result(5)], "1 dangling image ids"),
        (["a.json"], [{"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4]}], "1 missing scores"),
        (["a.json"], [1], "1 bad records"),
    ],
)
def test_results_that_fit_nothing_are_refused(tmp_path: Path, others: list[str], content: Any, message: str) -> None:
    for name in others:
        save(tmp_path / name, document())
    with pytest.raises(DataError, match=message):
        read(save(tmp_path / "results.json", content))


def test_real_results(shared_data: Path) -> None:
    path = shared_data / "coco_golden/instances_val2014_fakesegm100_results.json"
    truth = json.loads(path.read_bytes())
    data = read(path)
    assert data.annotations["score"].to_pylist() == [row["score"] for row in truth]
    assert set(data.annotations["outline_parts"].to_pylist()) == {-1}
    assert [json.loads(text) for text in data.annotations["outline"].to_pylist()] == [r["segmentation"] for r in truth]
