"""Folders of photos: layouts, what is left out, what is refused."""

from __future__ import annotations

import json
import os
import zlib
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from vision_cli import formats
from vision_cli.core.config import SourceConfig
from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError


def read(path: Path, **options: str) -> Dataset:
    return formats.read("photos", SourceConfig(path=str(path), **options), path)


def labels(dataset: Dataset) -> dict[str, str]:
    names = dataset.classes.names
    return dict(zip(dataset.images["path"].to_pylist(), (names[index] for index in dataset.class_ids()), strict=True))


def test_clothing_small_has_the_published_counts(shared_data: Path) -> None:
    expected = json.loads((shared_data / "expected.json").read_text())["clothing_small"]
    dataset = read(shared_data / "clothing_small")
    found = Counter(
        f"{split.replace('val', 'validation')}/{label}"
        for split, label in zip(dataset.splits().tolist(), labels(dataset).values(), strict=True)
    )
    assert found == expected
    assert all(path.is_file() for path in dataset.paths())


def test_the_sizes_are_those_that_pillow_sees(shared_data: Path) -> None:
    dataset = read(shared_data / "clothing_small")
    for row, path in list(enumerate(dataset.paths()))[::40]:
        with Image.open(path) as image:
            assert image.size == (dataset.images["width"][row].as_py(), dataset.images["height"][row].as_py())


def test_class_layout_has_no_splits(write, tmp_path: Path) -> None:
    write("dog/b.jpg")
    write("cat/a.jpg")
    dataset = read(tmp_path)
    assert labels(dataset) == {"cat/a.jpg": "cat", "dog/b.jpg": "dog"}
    assert dataset.splits().tolist() == ["", ""]
    assert dataset.notes == ()


def test_photos_of_a_split_without_a_class_are_left_out_and_told(write, tmp_path: Path) -> None:
    write("train/cat/a.jpg")
    write("train/stray.jpg")
    dataset = read(tmp_path)
    assert labels(dataset) == {"train/cat/a.jpg": "cat"}
    assert dataset.notes == ("1 photos lie in no class folder and are left out: train/stray.jpg.",)


@pytest.mark.parametrize(
    ("folder", "split"),
    [
        ("training", "train"),
        ("Train", "train"),
        ("valid", "val"),
        ("validation", "val"),
        ("dev", "val"),
        ("testing", "test"),
        ("TEST", "test"),
    ],
)
def test_split_folders_go_by_several_names(write, tmp_path: Path, folder: str, split: str) -> None:
    write(f"{folder}/cat/a.jpg")
    dataset = read(tmp_path)
    assert (dataset.splits().tolist(), dataset.classes.names) == ([split], ("cat",))


def test_splits_beside_classes_are_refused_by_name(write, tmp_path: Path) -> None:
    write("train/cat/a.jpg")
    write("zebra/b.jpg")
    with pytest.raises(DataError, match="splits and other folders stand side by side: train and zebra"):
        read(tmp_path)


def test_a_folder_without_photos_does_not_mix_layouts(write, tmp_path: Path) -> None:
    write("train/cat/a.jpg")
    (tmp_path / "docs").mkdir()
    (tmp_path / "train/dog").mkdir()
    dataset = formats.read("photos", SourceConfig(path=".", format="imagefolder"), tmp_path)
    assert dataset.splits().tolist() == ["train"]
    assert dataset.notes == ("2 folders hold no photo: docs, train/dog.",)


def test_deeper_folders_belong_to_their_class_and_the_order_is_by_code_points(write, tmp_path: Path) -> None:
    for name in ("cat/é.jpg", "cat/z.jpg", "cat/B.jpg", "cat/a/2.jpg", "cat/a/10.jpg"):
        write(name)
    assert read(tmp_path).images["path"].to_pylist() == [
        "cat/B.jpg",
        "cat/a/10.jpg",
        "cat/a/2.jpg",
        "cat/z.jpg",
        "cat/é.jpg",
    ]
    assert set(labels(read(tmp_path)).values()) == {"cat"}


@pytest.mark.parametrize(
    "name", ["<script>", "[bold]", "no", "007", "日本語", "a b|c", "é", "😀", "x" * 200, "new\nline"]
)
def test_class_names_are_kept(write, tmp_path: Path, name: str) -> None:
    write(f"{name}/a.jpg")
    assert read(tmp_path).classes.names == (name,)


def test_suffixes_of_any_case_are_photos_and_content_decides(write, tmp_path: Path) -> None:
    write("cat/a.JPG")
    write("cat/b.JpEg")
    write("cat/c.png")  # JPEG bytes under a PNG name
    assert len(read(tmp_path)) == 3


def test_what_systems_leave_behind_is_ignored_and_the_rest_counted(write, tmp_path: Path) -> None:
    write("cat/a.jpg")
    for name in ("cat/.hidden.jpg", "cat/Thumbs.db", "__MACOSX/cat/a.jpg", ".DS_Store", ".git/x.jpg"):
        write(name, content=b"x")
    write("cat/a.txt", content=b"x")
    write("cat/b.txt", content=b"x")
    write("LICENSE", content=b"x")
    write("cover.jpg")
    assert read(tmp_path).notes == (
        "1 photos lie in no class folder and are left out: cover.jpg.",
        "3 other files are left out: 2 .txt, 1 without suffix.",
    )


def test_orientation_is_in_the_size(write, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    write("cat/a.jpg", size=(40, 30), exif=exif)
    dataset = read(tmp_path)
    assert (dataset.images["width"].to_pylist(), dataset.images["height"].to_pylist()) == ([30], [40])


def test_all_unreadable_photos_are_refused_at_once(write, tmp_path: Path) -> None:
    write("cat/good.jpg")
    for number in range(13):
        write(f"cat/page{number:02}.jpg", content=b"<html>not found</html>")
    with pytest.raises(DataError, match=r"13 bad photos of 14: 13 unreadable") as caught:
        read(tmp_path)
    assert "page00.jpg" in caught.value.details[0]
    assert "HTML" in caught.value.details[0]
    assert (len(caught.value.details), caught.value.details[-1]) == (11, "and 3 more")
    assert "Delete" in str(caught.value.hint)


def test_a_bomb_is_refused_by_its_header(write, tmp_path: Path) -> None:
    header = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (50_000).to_bytes(4, "big") * 2 + b"\x08\x02\0\0\0"
    write("cat/bomb.png", content=header + zlib.crc32(header[12:]).to_bytes(4, "big"))
    with pytest.raises(DataError, match="1 unreadable"):
        read(tmp_path)


def test_links_that_lead_out_are_refused(write, tmp_path: Path) -> None:
    secret = write("outside/secret.jpg")
    write("data/cat/a.jpg")
    (tmp_path / "data/cat/b.jpg").symlink_to(secret)
    (tmp_path / "data/dog").symlink_to(secret.parent)
    with pytest.raises(DataError, match="2 entries are refused") as caught:
        read(tmp_path / "data")
    assert "cat/b.jpg: the link leads out" in "".join(caught.value.details)


def test_link_loops_end_and_inner_links_are_told(write, tmp_path: Path) -> None:
    photo = write("cat/a.jpg")
    (tmp_path / "cat/again").symlink_to(tmp_path)
    (tmp_path / "cat/b.jpg").symlink_to(photo)
    dataset = read(tmp_path)
    assert dataset.images["path"].to_pylist() == ["cat/a.jpg", "cat/b.jpg"]
    assert dataset.notes == ("1 links to folders are not followed: cat/again.",)


def test_a_link_to_itself_and_a_broken_one_do_no_harm(write, tmp_path: Path) -> None:
    write("cat/a.jpg")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "cat/broken").symlink_to(tmp_path / "nothing")
    assert len(read(tmp_path)) == 1


def test_class_folders_that_are_all_links_are_explained(write, tmp_path: Path) -> None:
    write(".store/a.jpg")
    (tmp_path / "cat").symlink_to(tmp_path / ".store")
    with pytest.raises(DataError, match="no photo lies in a class folder") as caught:
        read(tmp_path, format="imagefolder")
    assert caught.value.details == ("1 links to folders are not followed: cat.",)


def test_names_that_are_not_utf8_are_refused(write, tmp_path: Path) -> None:
    write("cat/a.jpg")
    try:
        (Path(os.fsdecode(os.fsencode(tmp_path) + b"/cat/\xff.jpg"))).write_bytes(b"x")
    except OSError:
        pytest.skip("this file system has no such names")
    with pytest.raises(DataError, match="refused") as caught:
        read(tmp_path)
    assert "\\xff" in caught.value.details[0]


def test_a_folder_400_levels_deep_is_read(write, tmp_path: Path) -> None:
    write("cat/" + "d/" * 400 + "a.jpg")
    assert len(read(tmp_path, format="imagefolder")) == 1


def test_no_photo_in_a_class_folder_is_refused(write, tmp_path: Path) -> None:
    write("a.jpg")
    with pytest.raises(DataError, match="no photo lies in a class folder"):
        read(tmp_path, format="imagefolder")
    with pytest.raises(DataError, match="no format fits") as caught:
        read(tmp_path)
    assert len(caught.value.details) == len(formats.FORMATS.cards())


def test_the_images_option_is_not_for_folders(write, tmp_path: Path) -> None:
    write("cat/a.jpg")
    with pytest.raises(DataError, match="no `images` option"):
        read(tmp_path, images="cat")


def test_a_missing_source_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"source 'photos': .*nowhere: there is no such file") as caught:
        read(tmp_path / "nowhere")
    assert "data.sources.photos.path" in str(caught.value.hint)


def test_two_formats_that_fit_are_told_with_their_evidence(write, tmp_path: Path) -> None:
    write("cats/a.jpg")
    write("labels.csv", content=b"path,label\ncats/a.jpg,cat\n")
    with pytest.raises(DataError, match="2 formats fit") as caught:
        read(tmp_path)
    assert caught.value.details == (
        "imagefolder: photos in class folders such as cats",
        "csv: labels.csv with the columns path, label",
    )
    assert labels(read(tmp_path, format="csv")) == {"cats/a.jpg": "cat"}


def test_every_card_is_a_module_of_the_protocol() -> None:
    for name in formats.FORMATS:
        module = formats.FORMATS.load(name)
        assert isinstance(module.CARRIES, frozenset)
        assert callable(module.detect)
        assert callable(module.read)


@pytest.mark.parametrize(
    ("photos", "found"),
    [
        (("cat/a.jpg",), True),
        (("img/a.jpg",), False),
        (("Img_2020/a.jpg",), False),
        (("images/a.jpg",), False),
        (("pile/deeper/a.jpg",), False),
        (("train/cat/a.jpg", "val/cat/b.jpg"), True),
        (("train/images/a.jpg", "val/images/b.jpg"), False),
        (("images/a.jpg", "cat/b.jpg"), True),
    ],
)
def test_one_folder_is_a_class_only_if_it_looks_like_one(write, tmp_path, photos, found):
    for name in photos:
        write(name)
    imagefolder = formats.FORMATS.load("imagefolder")
    assert (imagefolder.detect(tmp_path) is not None) == found
    assert len(imagefolder.read(tmp_path, formats.ReadOptions("data"))) == len(photos)
