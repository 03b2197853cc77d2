"""What the room gives back: files, hashes and pictures for people."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageEnhance

from vision_cli.core.errors import ResourceError, UsageError
from vision_cli.imaging import lettering
from vision_cli.imaging.draw import Line, caption, contact_sheet, thumbnail
from vision_cli.imaging.read import read_photo
from vision_cli.imaging.similarity import near_pairs, perceptual_hash, sha256
from vision_cli.imaging.write import encode_jpeg, encode_png, write_photo

HARD_NAMES = [
    "",
    " \n\t",
    "two\nlines",
    "x" * 10_000,
    "😀👩‍👩‍👧‍👦🏳️‍🌈",
    "שלום עולם",
    "مرحبا بالعالم",
    "日本語",
    "\u202ereversed\u202c",
    "\ud800 lone surrogate",
    "nul\0 and \x1b[31m escape",
    "<script>alert(1)</script>",
    "a" + "\u0301" * 5000,
]

# ---- writing ----


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_png_keeps_every_pixel(channels: int) -> None:
    photo = np.random.default_rng(2).integers(0, 256, (9, 13, channels), dtype=np.uint8)
    assert np.array_equal(read_photo(encode_png(photo), channels=channels), photo)


@pytest.mark.parametrize("suffix", [".jpg", ".JPEG", ".png", ".webp"])
def test_write_photo_by_suffix(scene: NDArray[np.uint8], tmp_path: Path, suffix: str) -> None:
    path = tmp_path / "new folder" / f"photo{suffix}"
    write_photo(path, scene)
    kind = {".jpg": "JPEG", ".JPEG": "JPEG", ".png": "PNG", ".webp": "WEBP"}[suffix]
    assert Image.open(io.BytesIO(path.read_bytes())).format == kind
    assert np.abs(read_photo(path) - scene.astype(int)).mean() < 4
    assert [item.name for item in path.parent.iterdir()] == [path.name]


def test_a_jpeg_has_no_alpha() -> None:
    photo = np.zeros((16, 16, 4), np.uint8)
    assert Image.open(io.BytesIO(encode_jpeg(photo))).getpixel((8, 8)) == (255, 255, 255)


def test_write_refuses_other_suffixes_and_impossible_places(scene: NDArray[np.uint8], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"photos are not written as '\.xcf'"):
        write_photo(tmp_path / "photo.xcf", scene)
    (tmp_path / "file").write_text("in the way")
    with pytest.raises((ResourceError, OSError)):
        write_photo(tmp_path / "file" / "photo.png", scene)


# ---- drawing ----


@pytest.mark.parametrize("name", HARD_NAMES, ids=range(len(HARD_NAMES)))
def test_any_name_can_be_drawn(scene: NDArray[np.uint8], name: str) -> None:
    started = time.process_time()
    picture = caption(scene, [Line(name, 0.5), Line(name)])
    assert picture.shape[1] == 325
    assert picture.shape[0] > scene.shape[0]
    assert np.array_equal(picture[: scene.shape[0]], scene)
    assert (picture[scene.shape[0] :] < 100).any(), "no ink"
    assert contact_sheet([scene], [name]).shape[2] == 3
    assert time.process_time() - started < 1


@pytest.mark.parametrize("name", HARD_NAMES, ids=range(len(HARD_NAMES)))
@pytest.mark.parametrize("width_px", [5, 40, 200])
def test_names_are_shortened_to_their_room(name: str, width_px: int) -> None:
    text, font = lettering.shortened(name, 14, width_px)
    assert text
    assert text == "…" or font.getlength(text) <= width_px
    assert "\n" not in text
    assert text.isprintable()


def test_bars_are_as_long_as_the_share() -> None:
    photo = np.zeros((100, 400, 3), np.uint8)
    for share, expected in ((0.0, 0), (0.25, 100), (1.0, 400), (7.0, 400), (-1.0, 0), (float("nan"), 0)):
        row = caption(photo, [Line("", share)])[101]
        assert (row != caption(photo, [Line("")])[101]).any(axis=1).sum() == expected


def test_extreme_photos_get_a_caption() -> None:
    for shape in ((1, 1, 3), (20000, 1, 3), (1, 20000, 3), (30, 40, 1), (30, 40, 4), (3000, 4000, 3)):
        picture = caption(np.zeros(shape, np.uint8), [Line("name", 0.9)])
        assert picture.shape[1] >= 240
        assert max(picture.shape) <= 1700


def test_contact_sheet_has_a_tile_each(scene: NDArray[np.uint8]) -> None:
    sheet = contact_sheet([scene] * 5, ["a"] * 5, columns=2, tile_px=100)
    assert sheet.shape[1] == 2 * 108 + 8
    red = (sheet == (200, 30, 60)).all(axis=2) | (np.abs(sheet - np.array([200, 30, 60])).max(axis=2) < 25)
    assert red[:, :112].any(axis=1).sum() > 60
    with pytest.raises(UsageError, match="0 photos"):
        contact_sheet([], [])


def test_thumbnail_never_enlarges(scene: NDArray[np.uint8]) -> None:
    assert thumbnail(scene, 100).shape == (74, 100, 3)
    assert thumbnail(scene, 400) is scene
    assert thumbnail(np.zeros((20000, 1, 3), np.uint8), 100).shape == (100, 1, 3)


# ---- similarity ----


def test_sha256_of_bytes_and_files(tmp_path: Path) -> None:
    path = tmp_path / "photo"
    path.write_bytes(b"abc")
    # FIPS 180-4, example B.1.
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256(path) == sha256(b"abc") == known == hashlib.sha256(b"abc").hexdigest()


def distance(one: np.uint64, other: np.uint64) -> int:
    return int(np.bitwise_count(one ^ other))


def test_edited_copies_are_near_and_other_photos_far(shared_data: Path) -> None:
    paths = sorted((shared_data / "coco128_train").rglob("*.jpg"))[:40]
    hashes = []
    for path in paths:
        photo = read_photo(path)
        image = Image.fromarray(photo)
        copies = [
            read_photo(encode_jpeg(photo, 40)),
            np.asarray(image.resize((image.width // 3, image.height // 3))),
            np.asarray(ImageEnhance.Brightness(image).enhance(1.15)),
            np.asarray(image.convert("L"))[:, :, None],
        ]
        hashes.append(perceptual_hash(photo))
        assert max(distance(hashes[-1], perceptual_hash(copy)) for copy in copies) <= 8, path
    unique = np.unique(np.array(hashes))
    assert len(unique) > 35
    assert len(near_pairs(unique, 8)) <= 1


def test_flat_photos_are_all_alike() -> None:
    assert {int(perceptual_hash(np.full((50, 70, 3), value, np.uint8))) for value in (0, 128, 255)} == {0}


@pytest.mark.parametrize("count", [0, 1, 2, 63, 64, 65, 300])
def test_near_pairs_equals_the_slow_way(count: int) -> None:
    rng = np.random.default_rng(count)
    hashes = rng.integers(0, 2**64, max(count, 1), dtype=np.uint64)[rng.integers(0, max(count // 2, 1), count)]
    hashes ^= np.uint64(1) << rng.integers(0, 64, count).astype(np.uint64)
    slow = [
        (i, j) for i in range(count) for j in range(i + 1, count) if (int(hashes[i]) ^ int(hashes[j])).bit_count() <= 2
    ]
    found = near_pairs(hashes, 2)
    assert found.dtype == np.int64
    assert found.shape == (len(slow), 2)
    assert [tuple(pair) for pair in found.tolist()] == slow


def test_thousands_of_equal_hashes_do_not_fill_the_memory() -> None:
    assert near_pairs(np.zeros(20_000, np.uint64), 0, max_pairs=1000).shape == (1000, 2)


def test_the_room_is_light_to_name() -> None:
    code = "import sys, vision_cli.imaging; sys.exit(any(m in sys.modules for m in ('cv2', 'PIL', 'numpy')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
