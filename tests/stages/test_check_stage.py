"""`stages.checking.check` on sets with known defects and on the real ones."""

from __future__ import annotations

import csv
import io
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vision_cli.core import project
from vision_cli.core.errors import UsageError
from vision_cli.stages.checking.check import CheckRequest, CheckResult, check
from vision_cli.stages.named_source import DataRequest


def look(path: Path | str, **options: object) -> CheckResult:
    format, images = options.pop("format", None), options.pop("images", None)
    data = DataRequest(str(path), project.load, format, images)  # type: ignore[arg-type]
    return check(CheckRequest(data, **options))  # type: ignore[arg-type]


def names(result: CheckResult) -> list[str]:
    return [found.finding.check for found in result.found]


def folder_of(root: Path, photos: dict[str, int]) -> Path:
    """Write noise photos of their own seed into an image folder."""
    for name, seed in photos.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        blocks = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)
        Image.fromarray(blocks).resize((160, 120), Image.Resampling.NEAREST).save(path)
    return root


def test_bccd_has_two_boxes_without_area_and_a_leak(shared_data: Path) -> None:
    result = look(shared_data / "bccd_voc/BCCD")
    by_name = {found.finding.check: found for found in result.found}
    flat = by_name["box-without-area"]
    assert [(place.file, place.box) for place in flat.places] == [
        ("JPEGImages/BloodImage_00338.jpg", (504.0, 337.0, 0.0, 0.0)),
        ("JPEGImages/BloodImage_00343.jpg", (181.0, 329.0, 0.0, 0.0)),
    ]
    assert not result.ok
    assert "box-outside" not in by_name
    assert [place.other for place in by_name["leak-alike"].places] == ["JPEGImages/BloodImage_00038.jpg"]


def test_coco128_has_two_photos_without_label_and_two_labels_without_photo(shared_data: Path) -> None:
    root = shared_data / "coco128_train"
    result = look(
        root / "object_detection", images=root / "images", only=("label-without-photo", "photo-without-label")
    )
    places = {found.finding.check: [place.file for place in found.places] for found in result.found}
    assert [Path(name).stem for name in places["photo-without-label"]] == ["000000000250", "000000000508"]
    assert [Path(name).stem for name in places["label-without-photo"]] == ["000000000656", "000000000659"]


def test_fast_decodes_nothing(tmp_path: Path) -> None:
    root = folder_of(tmp_path, {"train/cat/a.png": 1, "train/dog/b.png": 2, "test/cat/c.png": 1})
    result = look(root, fast=True)
    assert "leak-same" in result.left_out
    assert "leak-same" not in names(result)
    assert "leak-same" in names(look(root))


def test_refused_labels_leave_the_photos_checked(tmp_path: Path) -> None:
    root = folder_of(tmp_path, {"train/cat/a.png": 1, "test/cat/c.png": 1})
    (root / "train/cat/empty.jpg").write_bytes(b"")
    (root / "train/cat/page.jpg").write_text("<html>")
    result = look(root)
    assert names(result)[:4] == ["source-refused", "photo-empty", "photo-broken", "leak-same"]
    assert [place.file for place in result.found[1].places] == ["train/cat/empty.jpg"]
    assert result.photos == 4


def test_lists_and_page(tmp_path: Path) -> None:
    odd = "train/cat/<b>[x] 'q'.png"
    root = folder_of(tmp_path / "set", {odd: 1, "train/dog/b.png": 2, "test/cat/c.png": 1})
    html, table = tmp_path / "out.html", tmp_path / "out.csv"
    result = look(root, html=html, csv=table)
    assert result.written == (html, table)
    rows = list(csv.DictReader(io.StringIO(table.read_text())))
    (leak,) = [row for row in rows if row["check"] == "leak-same"]
    assert (leak["file"], leak["other_file"], leak["severity"]) == ("test/cat/c.png", odd, "error")
    page = html.read_text()
    assert "<b>[x]" not in page
    assert "&lt;b&gt;[x]" in page
    assert page.count("data:image/jpeg;base64,") >= 2
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")
    numbers = [at for at in range(len(result.found)) if f'id="show-{at}"' in page and f"#show-{at}:checked" in page]
    assert len(numbers) == len(result.found) > 0


def test_dry_run_writes_nothing(tmp_path: Path) -> None:
    root = folder_of(tmp_path / "set", {"cat/a.png": 1, "dog/b.png": 2})
    assert look(root, html=tmp_path / "x.html", dry_run=True).written == ()
    assert not (tmp_path / "x.html").exists()


def test_names_are_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="unknown check 'leak-some'"):
        look(tmp_path / "nothing", only=("leak-some",))
    with pytest.raises(UsageError, match="no threshold"):
        look(tmp_path / "nothing", thresholds=("blurr=1",))


def test_a_view_is_checked_with_the_splits_of_training_and_its_photos_are_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos = {f"{name}/{at}.png": at for at in range(8) for name in ("cat", "dog")}
    folder_of(tmp_path / "photos", photos)  # each cat is a dog, byte for byte
    (tmp_path / "vision.yaml").write_text("version: 1\nname: pets\ndata: {sources: {pets: {path: photos}}}\n")
    monkeypatch.chdir(tmp_path)
    result = check(CheckRequest(DataRequest(None, project.load)))
    assert "photo-twice-labels-differ" in names(result)
    assert (tmp_path / ".vision/checks/photo-facts-1.parquet").is_file()
    assert not (tmp_path / "splits.json").exists()
    shutil.rmtree(tmp_path / ".vision")
    again = check(CheckRequest(DataRequest("all", project.load)))
    assert names(again) == names(result)


def test_voc_sizes_are_held_against_the_photos_and_broken_photos_do_not_end_it(tmp_path: Path) -> None:
    from test_check_fix import write_voc

    root = write_voc(tmp_path / "voc", {f"{name}.jpg": [("cat", 1, 1, 9, 9)] for name in "abc"})
    (root / "JPEGImages/a.jpg").write_bytes(b"")
    Image.new("RGB", (50, 40), (9, 200, 9)).save(root / "JPEGImages/b.jpg")
    places = {found.finding.check: [place.file for place in found.places] for found in look(root).found}
    assert places["photo-empty"] == ["JPEGImages/a.jpg"]
    assert places["photo-size"] == ["JPEGImages/b.jpg"]
    assert "source-refused" not in places
