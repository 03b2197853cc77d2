"""Leaks that were put there: real photos recompressed, cropped and renamed across splits."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow as pa
import pytest
from made_checks import dataset, find, request, rows
from PIL import Image
from test_checks_photos import save, scene

from vision_cli.checks.leakage import sequences


def splits(folder: Path, names: dict[str, str], **columns: list[object]) -> object:
    """Return a request of photos in a folder, by split."""
    photos = [{"path": name, "width": 0, "height": 0, "split": split} for name, split in names.items()]
    for name, values in columns.items():
        for photo, value in zip(photos, values, strict=True):
            photo[name] = value
    return request(dataset(photos, root=folder), photos=True)


def test_the_same_file_in_two_splits_and_twice_in_one(tmp_path: Path) -> None:
    for name, seed in {"a.png": 1, "b.png": 2, "c.png": 3}.items():
        save(tmp_path, name, scene(seed))
    for copy in ("a2.png", "a3.png"):
        shutil.copyfile(tmp_path / "a.png", tmp_path / copy)
    asked = splits(tmp_path, {"a.png": "train", "b.png": "train", "c.png": "test", "a2.png": "test", "a3.png": "train"})
    (leak,) = find("leak-same", asked)
    assert (leak.where.images.tolist(), leak.where.partners.tolist()) == ([3], [0])
    assert leak.reason == "1 of 2 test photos are also in train, byte for byte: figures come out too good."
    assert rows(find("photo-twice", asked)) == [4]
    assert not find("leak-alike", asked)
    assert not find("photo-alike", asked)


@pytest.mark.parametrize("how", ["recompressed", "shrunk", "cropped", "brighter"])
def test_real_photos_changed_across_a_split(shared_data: Path, tmp_path: Path, how: str) -> None:
    sources = sorted((shared_data / "clothing_small/train").rglob("*.jpg"))[::20]
    others = sorted((shared_data / "clothing_small/test").rglob("*.jpg"))[::20]
    names = {}
    for at, source in enumerate(sources):
        shutil.copyfile(source, tmp_path / f"train-{at}.jpg")
        with Image.open(source) as picture:
            photo = picture.convert("RGB")
        width, height = photo.size
        margin = (round(width * 0.02), round(height * 0.02))
        changed = {
            "recompressed": photo,
            "shrunk": photo.resize((width // 2, height // 2)),
            "cropped": photo.crop((*margin, width - margin[0], height - margin[1])),
            "brighter": photo.point(lambda level: min(255, round(level * 1.1))),
        }[how]
        changed.save(tmp_path / f"test-{at}.jpg", quality=50 if how == "recompressed" else 90)
        names |= {f"train-{at}.jpg": "train", f"test-{at}.jpg": "test"}
    for at, source in enumerate(others):
        shutil.copyfile(source, tmp_path / f"other-{at}.jpg")
        names[f"other-{at}.jpg"] = "test"
    (found,) = find("leak-alike", splits(tmp_path, names))
    pairs = dict(zip(found.where.images.tolist(), found.where.partners.tolist(), strict=True))
    order = list(names)
    assert all(
        order[row].replace("test", "train") == order[partner] for row, partner in pairs.items()
    )  # no false alarm
    assert len(pairs) >= (0.75 if how == "cropped" else 1.0) * len(sources)


def frames(folder: Path, number: int) -> list[str]:
    """Write frames of a camera that moves over one picture by 6 px each."""
    wide = scene(9, (320 + 6 * number, 240))
    names = [f"drive_{at:04}.png" for at in range(number)]
    for at, name in enumerate(names):
        save(folder, name, wide.crop((6 * at, 0, 6 * at + 320, 240)))
    return names


def test_neighbouring_frames_are_found_and_numbered_photos_are_not(tmp_path: Path) -> None:
    names = {name: "train" if at < 8 else "test" for at, name in enumerate(frames(tmp_path, 12))}
    for at in range(30):
        save(tmp_path, f"photo_{at:04}.png", scene(100 + at))
        names[f"photo_{at:04}.png"] = "test" if at % 3 == 0 else "train"
    (found,) = find("leak-sequence", splits(tmp_path, names))
    order = list(names)
    assert {order[row] for row in found.where.images.tolist()} <= {f"drive_{at:04}.png" for at in range(8, 12)}
    assert "drive_0008.png" in {order[row] for row in found.where.images.tolist()}
    assert min(found.where.values.tolist()) >= 0.9


def test_bursts_are_found_by_time_and_camera(tmp_path: Path) -> None:
    wide = scene(9, (360, 240))
    names = {}
    for at, name in enumerate(("x.png", "y.png", "z.png")):
        save(tmp_path, name, wide.crop((6 * at, 0, 6 * at + 320, 240)))
        names[name] = "train" if at == 0 else "test"
    for at in range(20):
        save(tmp_path, f"{'abcdefghijklmnopqrst'[at]}{'o' * 3}.png", scene(300 + at))
        names[f"{'abcdefghijklmnopqrst'[at]}ooo.png"] = "train"
    times = ["2026-01-01T10:00:00", "2026-01-01T10:00:01", "2026-01-01T10:09:00"] + ["2025-01-01T00:00:00"] * 20
    asked = splits(tmp_path, names, captured_at=list(times))
    images = asked.dataset.images  # type: ignore[attr-defined]
    index = images.schema.get_field_index("captured_at")
    typed = images.set_column(index, "captured_at", images["captured_at"].cast(pa.timestamp("us")))
    from dataclasses import replace

    timed = replace(asked, dataset=replace(asked.dataset, images=typed))  # type: ignore[attr-defined, type-var]
    assert [list(names)[row] for row in rows(find("leak-sequence", timed))] == ["y.png"]


def test_groups_on_both_sides() -> None:
    photos = [{"split": split, "group": group, "video": video} for split, group, video in (
        ("train", "g1", 1), ("test", "g1", 2), ("train", "g2", 3), ("val", None, 3), (None, "g2", 4),
    )]  # fmt: skip
    first, second = find("leak-group", request(dataset(photos)))
    assert first.where.images.tolist() == [0, 1]
    assert "`group`" in first.reason
    assert second.where.images.tolist() == [2, 3]
    assert not find("leak-group", request(dataset([{"group": "a"}, {"group": "a"}])))


def test_the_same_photo_with_other_labels(tmp_path: Path) -> None:
    save(tmp_path, "a.png", scene(1))
    for name in ("b.png", "c.png"):
        shutil.copyfile(tmp_path / "a.png", tmp_path / name)
    photos = [{"path": f"{name}.png", "width": 320, "height": 240} for name in "abc"]
    data = dataset(photos, [(0, 0, (1, 1, 9, 9)), (1, 0, (2, 1, 9, 9)), (2, 1, (1, 1, 9, 9))], root=tmp_path)
    asked = request(data, photos=True)
    assert rows(find("photo-twice-labels-differ", asked)) == [2]
    assert rows(find("photo-twice", asked)) == [1, 2]


def test_a_pair_is_told_once_by_what_matters_most(tmp_path: Path) -> None:
    """Frames of one number in two splits are the same file: a leak, and no news as a sequence."""
    names = {}
    for split in ("train", "val"):
        (tmp_path / split).mkdir()
        for at in range(3):
            save(tmp_path, f"{split}/f_{at}.png", scene(at))
            names[f"{split}/f_{at}.png"] = split
    for at, letter in enumerate("abcdefghijklmnopqrstuvwxyzABCD"):
        save(tmp_path, f"{letter}.png", scene(50 + at))
        names[f"{letter}.png"] = "train"
    asked = splits(tmp_path, names)
    assert len(sequences(asked)) == 3, "else the test proves nothing"  # type: ignore[arg-type]
    assert rows(find("leak-same", asked)) == [3, 4, 5]
    assert not find("leak-sequence", asked)
    assert not find("leak-alike", asked)
    assert not find("photo-twice", asked)


def test_a_twin_that_leaks_is_said_to_be_the_same_one(tmp_path: Path) -> None:
    for name, seed in {"a.png": 1, "b.png": 2}.items():
        save(tmp_path, name, scene(seed))
    for first, copy in (("a", "a2"), ("a", "a3"), ("b", "b2")):
        shutil.copyfile(tmp_path / f"{first}.png", tmp_path / f"{copy}.png")
    asked = splits(tmp_path, {"a.png": "train", "b.png": "train", "b2.png": "train", "a2.png": "val", "a3.png": "val"})
    (twice,) = find("photo-twice", asked)
    assert twice.where.images.tolist() == [2, 4]
    assert twice.reason.endswith("1 of them is told as leak-same, too.")
    assert rows(find("leak-same", asked)) == [3, 4]
    only = splits(tmp_path, {"a.png": "train", "b.png": "train", "b2.png": "train"})
    assert "leak" not in find("photo-twice", only)[0].reason
