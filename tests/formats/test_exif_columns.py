"""EXIF as columns: it fills in what nothing else says, and counts."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from PIL import Image

from vision_cli.core.dataset import Dataset
from vision_cli.core.photo_labels import PhotoColumns, PhotoLabels, build
from vision_cli.formats import exif_columns


def photos(folder: Path, **columns: list[object]) -> Dataset:
    """One photo with time and place, one with nothing, one that is damaged, one that is away."""
    block = Image.Exif()
    block[272] = "X100"
    block.get_ifd(34665)[36867] = "2024:05:01 20:15:30"
    block.get_ifd(34853).update({1: "N", 2: (47.0, 30.0, 0.0), 3: "W", 4: (8.0, 15.0, 0.0)})
    Image.new("RGB", (4, 3)).save(folder / "a.jpg", exif=block)
    Image.new("RGB", (4, 3)).save(folder / "b.png")
    (folder / "c.jpg").write_bytes(b"<html>")
    names = ["a.jpg", "b.png", "c.jpg", "d.jpg"]
    return build("s", folder, PhotoColumns(names, [(4, 3)] * 4, [None] * 4, columns), PhotoLabels())


def test_what_photos_say_of_themselves(tmp_path: Path) -> None:
    found = exif_columns.attach(photos(tmp_path))
    row = found.images.to_pylist()[0]
    assert (row["captured_at"], row["camera"]) == (dt.datetime(2024, 5, 1, 20, 15, 30), "X100")
    assert (row["latitude"], row["longitude"]) == (47.5, -8.25)
    assert found.images["camera"].to_pylist() == ["X100", None, None, None]
    assert found.notes == ("EXIF: 1 of 4 photos say when, 1 where they were taken; 2 are away or cannot be read.",)
    assert "captured_at_utc_offset_min" not in found.images.column_names, "no photo has one"


def test_what_is_known_already_counts(tmp_path: Path) -> None:
    found = exif_columns.attach(photos(tmp_path, camera=["other", "left", None, None]))
    assert found.images["camera"].to_pylist() == ["other", "left", None, None]


def test_photos_without_exif_add_no_column(tmp_path: Path) -> None:
    Image.new("RGB", (4, 3)).save(tmp_path / "a.png")
    plain = build("s", tmp_path, PhotoColumns(["a.png"], [(4, 3)], [None], {}), PhotoLabels())
    found = exif_columns.attach(plain)
    assert found.images.column_names == plain.images.column_names
    assert found.notes == ("EXIF: 0 of 1 photos say when, 0 where they were taken.",)
