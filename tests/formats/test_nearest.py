"""Data sets with one broken file: the format that they are of by outer signs is named, with its reader's reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from vision_cli import formats
from vision_cli.core.config import SourceConfig
from vision_cli.core.errors import DataError
from vision_cli.stages.detecting import detect
from vision_cli.stages.project import init

KITTI = "Car 0 0 0 {} 2 10 20 1 1 1 1 1 1 0\n"
XML = "<annotation><filename>a.jpg</filename><size><width>64</width><height>48</height></size><object><name>car</name>"
COCO = json.dumps({"images": [{"id": n, "file_name": f"{n}.jpg", "width": 64, "height": 48} for n in range(9)]})


def text(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")


def photo(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (64, 48)).save(path)


def cut_off_coco(folder: Path) -> None:
    text(folder / "annotations/instances_train.json", COCO[:200])
    photo(folder / "train/0.jpg")


def word_in_kitti(folder: Path) -> None:
    text(folder / "training/label_2/000000.txt", KITTI.format("abc") + KITTI.format("1"))
    photo(folder / "training/image_2/000000.png")


def nan_in_yolo(folder: Path) -> None:
    text(folder / "labels/a.txt", "0 nan 0.5 0.1 0.1\n")
    photo(folder / "images/a.jpg")


def cut_off_voc(folder: Path) -> None:
    text(folder / "Annotations/a.xml", XML)
    photo(folder / "a.jpg")


def cut_off_labelme(folder: Path) -> None:
    text(folder / "a.json", '{"version": "5.0", "shapes": [{"label": "car"')
    photo(folder / "a.jpg")


BROKEN = [
    (cut_off_coco, "coco", "annotations/instances_train.json", "ends too early, at byte 200"),
    (word_in_kitti, "kitti", "training/label_2/000000.txt", "000000.txt:1: left is 'abc'"),
    (nan_in_yolo, "yolo", "labels/a.txt", "labels/a.txt:1: 'nan' is not a number"),
    (cut_off_voc, "voc", "Annotations/a.xml", "a.xml: line 1: not well-formed"),
    (cut_off_labelme, "labelme", "a.json", "a.json"),
]


def asked(path: Path) -> list[Callable[[], Any]]:
    return [
        lambda: detect(path),
        lambda: formats.read("mine", SourceConfig(path=str(path)), path),
        lambda: init._format(path),
    ]


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize(("make", "name", "file", "reason"), BROKEN)
def test_a_broken_file_is_named_with_the_nearest_format_and_its_reason(
    make: Callable[[Path], None], name: str, file: str, reason: str, place: int, tmp_path: Path
) -> None:
    make(tmp_path)
    with pytest.raises(DataError, match="no format fits") as caught:
        asked(tmp_path)[place]()
    error = caught.value
    assert f"By {file} it is nearest to {name}, which refuses it" in error.message
    assert reason in "\n".join([error.message, *error.details])
    assert len(error.details) < 5  # no wall of formats before the reason
    assert "Formats: imagefolder, " in str(error.hint)


@pytest.mark.parametrize(("make", "name", "file", "reason"), BROKEN[:4])
def test_the_reader_of_a_named_format_gives_the_same_reason(
    make: Callable[[Path], None], name: str, file: str, reason: str, tmp_path: Path
) -> None:
    make(tmp_path)
    with pytest.raises(DataError) as caught:
        formats.read_as(name, tmp_path, formats.ReadOptions("mine"))
    assert Path(file).name in (told := "\n".join([caught.value.message, *caught.value.details]))
    assert reason in told


def test_a_folder_without_signs_gets_the_whole_list(tmp_path: Path) -> None:
    photo(tmp_path / "a.jpg")
    text(tmp_path / "readme.txt", "What the camera of the yard saw on one day of autumn, 12 photos.")
    text(tmp_path / "about.txt", "These photos were taken by hand in 2024 and are free for all.")
    with pytest.raises(DataError, match="no format fits") as caught:
        detect(tmp_path)
    assert "nearest" not in caught.value.message
    assert len(caught.value.details) == len(formats.FORMATS.cards())


def test_a_table_tells_only_where_no_other_file_does(tmp_path: Path) -> None:
    cut_off_coco(tmp_path)
    text(tmp_path / "a_log.csv", "time,speed\n1,2\n")
    with pytest.raises(DataError, match="nearest to coco"):
        detect(tmp_path)


def test_folders_of_photos_beside_other_files_are_classes(tmp_path: Path) -> None:
    photo(tmp_path / "cat/a.jpg")
    photo(tmp_path / "dog/b.jpg")
    text(tmp_path / "about.json", '{"name": "pets", "images": 2, "categories": ["cat", "dog"]}')
    text(tmp_path / "log.csv", "time,speed\n1,2\n")
    assert detect(tmp_path).format == "imagefolder"
