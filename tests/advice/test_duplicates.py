"""The same photo on two sides of a split."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vision_cli.advice import fingerprints as room
from vision_cli.advice.duplicates import MAX_DISTANCE, across_splits
from vision_cli.advice.fingerprints import fingerprints
from vision_cli.core.errors import DataError
from vision_cli.core.progress import Silent


def found(dataset, cache: Path | None = None):
    return {finding.code: finding for finding in across_splits(dataset, Silent(), cache)}


@pytest.fixture
def ten(save, scene) -> list[str]:
    """Return the names of ten different pictures."""
    return [save(f"p{seed}.jpg", scene(seed)) for seed in range(10)]


def test_different_pictures_raise_nothing(ten, labelled, tmp_path: Path) -> None:
    assert found(labelled(tmp_path, ten, ["train", "test"] * 5)) == {}


def test_the_same_bytes_are_named_as_pairs(ten, labelled, tmp_path: Path) -> None:
    shutil.copy(tmp_path / ten[0], tmp_path / "copy.jpg")
    shutil.copy(tmp_path / ten[0], tmp_path / "again.jpg")
    shutil.copy(tmp_path / ten[2], tmp_path / "other.jpg")
    names = [*ten, "copy.jpg", "again.jpg", "other.jpg"]
    findings = found(labelled(tmp_path, names, ["train"] * 10 + ["test", "test", "val"]))
    assert set(findings) == {"same-photo-in-train-and-test", "same-photo-in-train-and-val"}
    finding = findings["same-photo-in-train-and-test"]
    assert finding.figure == 2
    assert finding.files == ("p0.jpg = copy.jpg", "p0.jpg = again.jpg")
    assert finding.message.startswith("2 of 2 test photos are also in train, byte for byte")


def test_copies_within_a_split_are_no_leak(ten, labelled, tmp_path: Path) -> None:
    shutil.copy(tmp_path / ten[0], tmp_path / "copy.jpg")
    assert found(labelled(tmp_path, [*ten, "copy.jpg"], ["train"] * 5 + ["test"] * 5 + ["train"])) == {}


def test_changed_copies_are_alike(ten, labelled, save, scene, tmp_path: Path) -> None:
    image = Image.fromarray(scene(0))
    changed = [
        save("low.jpg", scene(0), quality=50),
        save("half.jpg", np.asarray(image.resize((80, 60), Image.Resampling.BOX))),
        save("bright.jpg", np.clip(scene(0) * 1.1, 0, 255).astype(np.uint8)),
    ]
    findings = found(labelled(tmp_path, [*ten, *changed], ["train"] * 10 + ["test"] * 3))
    assert set(findings) == {"similar-photo-in-train-and-test"}
    assert findings["similar-photo-in-train-and-test"].files == tuple(f"p0.jpg = {name}" for name in changed)


def test_blank_photos_are_alike_by_their_colour(labelled, save, tmp_path: Path) -> None:
    names = [
        save(f"{name}.jpg", np.full((50, 60, 3), grey, np.uint8))
        for name, grey in (("black", 0), ("white", 255), ("night", 4))
    ]
    findings = found(labelled(tmp_path, names, ["train", "test", "test"]))
    assert [finding.files for finding in findings.values()] == [("black.jpg = night.jpg",)]


def test_the_same_drawing_in_another_colour_is_another_photo(labelled, save, scene, tmp_path: Path) -> None:
    grey = scene(1).mean(axis=2)
    red, blue = np.zeros((2, 120, 160, 3), np.uint8)
    red[..., 0], blue[..., 2] = grey, grey
    names = [save("red.jpg", red), save("blue.jpg", blue), save("dark.jpg", red // 2)]
    prints = fingerprints(labelled(tmp_path, names, [""] * 3), Silent())
    assert np.bitwise_count(prints.looks[0] ^ prints.looks[1]) <= MAX_DISTANCE
    assert found(labelled(tmp_path, names[:2], ["train", "test"])) == {}
    assert len(found(labelled(tmp_path, names[::2], ["train", "test"]))) == 1


def test_photos_that_cannot_be_decoded_are_named_at_once(ten, labelled, tmp_path: Path) -> None:
    for name in ten[:3]:
        data = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(data[: len(data) // 2])
    with pytest.raises(DataError, match="3 of 10 photos cannot be decoded") as caught:
        found(labelled(tmp_path, ten, ["train", "test"] * 5))
    assert [name in line for name, line in zip(ten, caught.value.details, strict=False)] == [True] * 3


def test_fingerprints_are_those_of_the_bytes(ten, labelled, tmp_path: Path) -> None:
    prints = fingerprints(labelled(tmp_path, ten, [""] * 10), Silent())
    assert prints.sha256 == tuple(hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in ten)
    assert prints.looks.dtype == np.uint64


def test_the_cache_knows_unchanged_photos_and_only_those(
    ten, labelled, save, scene, tmp_path: Path, monkeypatch
) -> None:
    dataset, cache, read = labelled(tmp_path, ten, [""] * 10), tmp_path / "cache", []
    original = room._print
    monkeypatch.setattr(room, "_print", lambda path: (read.append(path.name), original(path))[1])
    first = fingerprints(dataset, Silent(), cache)
    assert sorted(read) == sorted(ten)
    read.clear()
    again = fingerprints(dataset, Silent(), cache)
    assert (read, again.sha256, again.looks.tolist()) == ([], first.sha256, first.looks.tolist())
    save(ten[4], scene(99))
    assert fingerprints(dataset, Silent(), cache).sha256[4] != first.sha256[4]
    assert read == [ten[4]]


def test_a_damaged_cache_is_not_believed(ten, labelled, tmp_path: Path) -> None:
    dataset, cache = labelled(tmp_path, ten, [""] * 10), tmp_path / "cache"
    first = fingerprints(dataset, Silent(), cache)
    (file,) = cache.iterdir()
    for content in (b"", b"junk", file.read_bytes()[:-100]):
        file.write_bytes(content)
        assert fingerprints(dataset, Silent(), cache).sha256 == first.sha256


def test_progress_counts_every_photo(ten, labelled, tmp_path: Path) -> None:
    class Steps(Silent):
        seen: list[tuple[int, int]] = []  # noqa: RUF012

        def step(self, name, done, total, values=None) -> None:
            self.seen.append((done, total))

    fingerprints(labelled(tmp_path, ten, [""] * 10), Steps())
    assert Steps.seen == [(number, 10) for number in range(1, 11)]


def test_real_photos_raise_no_false_alarm(shared_data: Path, labelled) -> None:
    root = shared_data / "clothing_small"
    paths = [str(path.relative_to(root)) for path in sorted(root.rglob("*.jpg"))[::4]]
    assert found(labelled(root, paths, ["train", "test"] * (len(paths) // 2))) == {}


def test_known_twins_of_a_real_set_are_found(shared_data: Path, labelled) -> None:
    """Photos 50, 52 and 74 of the raccoon set show one shot; 52 and 74 are the same to the pixel."""
    root = shared_data / "raccoon_voc"
    (folder,) = {path.parent for path in root.rglob("raccoon-50.jpg")}
    names = ["raccoon-50.jpg", "raccoon-52.jpg", "raccoon-1.jpg", "raccoon-74.jpg", "raccoon-2.jpg"]
    findings = found(labelled(folder, names, ["train", "val", "train", "test", "test"]))
    pairs = {code: finding.files for code, finding in findings.items()}
    assert pairs["similar-photo-in-train-and-test"] == ("raccoon-50.jpg = raccoon-74.jpg",)
    assert pairs["similar-photo-in-train-and-val"] == ("raccoon-50.jpg = raccoon-52.jpg",)
