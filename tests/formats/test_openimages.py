"""Open Images: boxes, labels, negatives, and text that comes back."""

from __future__ import annotations

import csv
import shutil
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError
from vision_cli.formats import ReadOptions, WriteOptions, openimages

BOXES = (
    "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside\n"
)
LABELS = "ImageID,Source,LabelName,Confidence\n"


def read(path: Path) -> Dataset:
    return openimages.read(path, ReadOptions("oi"))


@pytest.fixture
def folder(write, tmp_path: Path):
    """Return a function that makes a set of one 200 x 100 photo."""

    def make(boxes: str = "", labels: str = "", classes: str = "LabelName,DisplayName\n/m/0,Cat\n/m/1,Dog\n") -> Path:
        write("images/train/p.jpg", size=(200, 100))
        write("annotations/train-annotations-bbox.csv", content=(BOXES + boxes).encode())
        write("annotations/train-annotations-human-imagelabels.csv", content=(LABELS + labels).encode())
        write("annotations/class-descriptions.csv", content=classes.encode())
        return tmp_path

    return make


def test_boxes_labels_and_negatives(folder) -> None:
    boxes = "p,xclick,/m/1,1,0.25,0.5,0.1,0.60,1,0,-1,0,1\n"
    dataset = read(folder(boxes, "p,verification,/m/0,1\np,verification,/m/1,0\n"))
    rows = dataset.annotations.to_pylist()
    assert dataset.classes.names == ("Cat", "Dog")
    assert [rows[0][name] for name in "xywh"] == [50.0, 10.0, 50.0, 50.0]
    assert (rows[0]["occluded"], rows[0]["truncated"], rows[0]["iscrowd"]) == (1, 0.0, None)
    assert (rows[1]["class_id"], rows[1]["x"]) == (0, None)
    assert dataset.images["absent_labels"].to_pylist() == ['[["/m/1", "verification"]]']
    assert dataset.splits().tolist() == ["train"]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("p,x,/m/1,1,0.25,nan,0.1,0.6,1,0,0,0,1", "train-annotations-bbox.csv:2: 'nan' is not a number"),
        ("p,x,/m/1,1,0.5,0.25,0.1,0.6,1,0,0,0,1", "box 0.5, 0.25"),
        ("p,x,/m/1,1,0.5,120,0.1,0.6,1,0,0,0,1", "box 0.5, 120"),
        ("p,x,/m/1,7,0.1,0.2,0.1,0.6,1,0,0,0,1", "Confidence 7"),
        (",x,/m/1,1,0.1,0.2,0.1,0.6,1,0,0,0,1", "ImageID or LabelName is empty"),
        ("../q,x,/m/1,1,0.1,0.2,0.1,0.6,1,0,0,0,1", "../q: no photo of this name"),
    ],
)
def test_bad_rows(folder, row: str, words: str) -> None:
    with pytest.raises(DataError) as caught:
        read(folder(row + "\n"))
    assert words in "\n".join(caught.value.details)


def test_rows_of_another_length_are_named(folder) -> None:
    with pytest.raises(DataError, match=r"train-annotations-bbox\.csv: not a table: .*Row #3"):
        read(folder("p,x,/m/1,1,0.1,0.2,0.1,0.6,1,0,0,0,1\np,x\n"))


def test_display_names_that_stand_twice_are_told_apart(folder) -> None:
    names = read(folder("p,x,/m/1,1,0.1,0.2,0.1,0.6,1,0,0,0,1\n", classes="/m/0,Cat\n/m/1,Cat\n")).classes.names
    assert names == ("Cat", "Cat (/m/1)")


def rows_of(root: Path, word: str) -> list[list[str]]:
    rows = []
    for file in sorted((root / "annotations").glob(f"*{word}*.csv")):
        rows += list(csv.reader(file.read_text().splitlines()))[1:]
    return sorted(rows)


def test_assets_come_back(shared_data: Path, tmp_path: Path) -> None:
    root = shared_data / "datumaro_assets/tests/assets/open_images_dataset/v6"
    assert openimages.detect(root)
    dataset = read(root)
    written = openimages.write(dataset, tmp_path, WriteOptions())
    for source, place in zip(dataset.paths(), written.photos, strict=True):
        (tmp_path / str(place)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, tmp_path / str(place))
    assert rows_of(tmp_path, "bbox") == rows_of(root, "annotations-bbox")
    assert rows_of(tmp_path, "imagelabels") == rows_of(root, "imagelabels")
    back = read(tmp_path)
    assert back.classes == dataset.classes
    assert sorted(back.annotations["record"].to_pylist()) == sorted(dataset.annotations["record"].to_pylist())
    assert sorted(back.splits().tolist()) == sorted(dataset.splits().tolist()) == ["test", "train", "train", "val"]


def test_what_is_known_to_be_absent_is_no_loss_and_other_metadata_is(folder) -> None:
    boxes = "p,xclick,/m/1,1,0.25,0.5,0.1,0.60,1,0,0,0,1\n"
    dataset = read(folder(boxes, "p,verification,/m/1,0\n"))
    assert openimages.losses(dataset) == []
    images = dataset.images.append_column("scene", pa.array(["city"]))
    assert [(loss.name, loss.allowed) for loss in openimages.losses(replace(dataset, images=images))] == [
        ("metadata", True)
    ]
