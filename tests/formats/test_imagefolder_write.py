"""Folders of classes: what is written is read again, and names that are no folders are refused by reason."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow as pa
import pytest

from vision_cli.core.columns import ANNOTATION_COLUMNS, IMAGE_COLUMNS
from vision_cli.core.dataset import ClassMap, Dataset
from vision_cli.core.errors import DataError
from vision_cli.formats import ReadOptions, WriteOptions, imagefolder


def make(names: tuple[str, ...], splits: tuple[str | None, ...] | None = None) -> Dataset:
    """Return a photo a class."""
    number = len(names)
    images = {
        **{"id": range(number), "source": ["s"] * number, "path": [f"{row}.jpg" for row in range(number)]},
        **{"width": [4] * number, "height": [3] * number, "split": splits or [None] * number, "group": [None] * number},
    }
    rows = {"id": range(number), "image_id": range(number), "class_id": range(number), "value": [None] * number}
    tables = pa.table(images, schema=IMAGE_COLUMNS), pa.table(rows, schema=ANNOTATION_COLUMNS)
    return Dataset(*tables, ClassMap(names), {"s": Path("/nowhere")})


def test_real_folders_come_back(shared_data: Path, tmp_path: Path) -> None:
    dataset = imagefolder.read(shared_data / "clothing_small", ReadOptions("s"))
    assert imagefolder.losses(dataset) == []
    written = imagefolder.write(dataset, tmp_path, WriteOptions())
    for source, place in zip(dataset.paths(), written.photos, strict=True):
        shutil.copy(source, tmp_path / str(place))
    back = imagefolder.read(tmp_path, ReadOptions("s"))
    pairs = [
        sorted(zip(found.splits().tolist(), found.class_ids().tolist(), [p.name for p in found.paths()], strict=True))
        for found in (dataset, back)
    ]
    assert pairs[0] == pairs[1]
    assert back.classes == dataset.classes


@pytest.mark.parametrize(
    "name",
    [
        *("../x", "a/b", "a\\b", "a\0b", "a\nb", "dot.", " lead", "trail ", ".hidden", "CON", "com1.x", "<script>"),
        *("train", "Validation", "__MACOSX", "x" * 201, "a:b"),
    ],
)
def test_names_that_are_no_folders(tmp_path: Path, name: str) -> None:
    dataset = make(("cat", name))
    found = [loss for loss in imagefolder.losses(dataset) if loss.kind == "annotation"]
    assert [loss.rows.tolist() for loss in found] == [[False, True]]
    assert found[0].name == "names"
    with pytest.raises(DataError, match="cannot be folders"):
        imagefolder.write(dataset, tmp_path, WriteOptions())
    assert list(tmp_path.iterdir()) == []


def test_names_that_differ_in_case_only() -> None:
    assert imagefolder.losses(make(("Cat", "cat", "dog")))[0].rows.tolist() == [True, True, False]


@pytest.mark.parametrize("name", ["\U0001f600", "é", "a b", "[x]", "1e3"])
def test_odd_names_that_are_folders(tmp_path: Path, name: str) -> None:
    assert imagefolder.losses(make((name,))) == []
    assert list(imagefolder.write(make((name,)), tmp_path, WriteOptions()).photos) == [f"{name}/0.jpg"]


def test_photos_without_a_split_beside_others() -> None:
    found = imagefolder.losses(make(("a", "b"), ("val", None)))
    assert [(loss.name, loss.kind, loss.rows.tolist()) for loss in found] == [("split", "image", [False, True])]
