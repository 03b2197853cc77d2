"""Which formats a file is asked for: fewer than all, and never too few."""

from __future__ import annotations

from pathlib import Path

import pytest

from vision_cli import formats
from vision_cli.formats.likely import SIGNS, likely


def test_every_name_is_a_format() -> None:
    assert set(SIGNS) <= set(formats.FORMATS)


@pytest.mark.parametrize(
    ("name", "content", "asked"),
    [
        ("a.json", '{"images": [], "annotations": [], "categories": []}', {"coco", "lvis", "tfrecord", "webdataset"}),
        ("a.JSON", '{"shapes": [], "imagePath": "a.jpg"}', {"labelme", "tfrecord", "webdataset"}),
        ("data.yaml", "names: [a]", {"yolo", "tfrecord", "webdataset"}),
    ],
)
def test_only_formats_whose_signs_are_there_are_asked(tmp_path: Path, name: str, content: str, asked: set[str]) -> None:
    file = tmp_path / name
    file.write_text(content)
    assert set(likely(file, SIGNS | {"tfrecord": None, "webdataset": None})) == asked


def test_the_end_of_a_large_file_counts(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text('{"x": "' + "y" * 1_000_000 + '", "imagePath": "a.jpg"}')
    assert "labelme" in likely(file, SIGNS)


def test_folders_and_other_suffixes_are_shown_to_all(tmp_path: Path) -> None:
    file = tmp_path / "a.strange"
    file.write_text("x")
    assert likely(file, ["coco", "ours"]) == likely(tmp_path, ["coco", "ours"]) == ["coco", "ours"]


def test_a_wrong_suffix_is_found_all_the_same(tmp_path: Path) -> None:
    file = tmp_path / "coco.xml"
    row = '{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, 2, 2]}'
    file.write_text(
        '{"images": [{"id": 1, "file_name": "a.jpg", "width": 9, "height": 9}], '
        f'"annotations": [{row}], "categories": [{{"id": 1, "name": "a"}}]}}'
    )
    assert [name for name, _ in formats.detect(file)] == ["coco"]
