"""When, with what and where: what Pillow writes into EXIF is read back."""

from __future__ import annotations

import datetime as dt
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, TiffImagePlugin

from vision_cli.core.errors import DataError
from vision_cli.imaging.exif_facts import Facts, facts_of, read_facts

PLACE = {1: "S", 2: (33.0, 51.0, 25.2), 3: "E", 4: (151.0, 12.0, 40.0)}
TAKEN = {36867: "2024:05:01 20:15:30", 37521: "25", 36881: "+10:00"}
FACTS = Facts(dt.datetime(2024, 5, 1, 20, 15, 30, 250_000), 600, "Acme X100", -33.857, 151.0 + 12 / 60 + 40 / 3600)


def exif(main: dict[int, object], taken: dict[int, object], place: dict[int, object]) -> Image.Exif:
    found = Image.Exif()
    found.update(main)
    for tag, values in ((34665, taken), (34853, place)):
        if values:
            found.get_ifd(tag).update(values)
    return found


def saved(path: Path, block: Image.Exif) -> Path:
    Image.new("RGB", (8, 8)).save(path, exif=block)
    return path


def saved_tiff(path: Path) -> Path:
    """A TIFF is its own EXIF block."""
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    for tag, value in {271: "Acme", 272: "X100", 34665: TAKEN, 34853: PLACE}.items():
        tags[tag] = value
    Image.new("RGB", (8, 8)).save(path, tiffinfo=tags)
    return path


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tiff"])
def test_every_container(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"photo{suffix}"
    saved_tiff(path) if suffix == ".tiff" else saved(path, exif({271: "Acme", 272: "X100"}, TAKEN, PLACE))
    found = read_facts(path)
    assert (found.captured_at, found.utc_offset_min, found.camera) == (FACTS.captured_at, 600, "Acme X100")
    assert found.latitude == pytest.approx(FACTS.latitude, abs=1e-6)
    assert found.longitude == pytest.approx(FACTS.longitude, abs=1e-6)


@pytest.mark.parametrize(
    ("main", "taken", "place", "wanted"),
    [
        ({}, {}, {}, Facts()),
        ({306: "2024:05:01 20:15:30"}, {}, {}, Facts(dt.datetime(2024, 5, 1, 20, 15, 30))),
        ({306: "0000:00:00 00:00:00"}, {}, {}, Facts()),
        ({}, {36867: "yesterday", 36881: "+10:00"}, {}, Facts()),
        ({}, {36867: "2024:05:01 20:15:30", 36881: "late"}, {}, Facts(dt.datetime(2024, 5, 1, 20, 15, 30))),
        ({271: "Acme", 272: "ACME X100"}, {}, {}, Facts(camera="ACME X100")),
        ({271: "Acme\0\0junk"}, {}, {}, Facts(camera="Acme")),
        ({}, {}, {**PLACE, 1: "Q"}, Facts()),
        ({}, {}, {**PLACE, 2: (91.0, 0.0, 0.0)}, Facts()),
        ({}, {}, {1: "N", 2: (1.0, 2.0, 3.0)}, Facts()),
    ],
)
def test_what_says_nothing_is_left_out(tmp_path: Path, main, taken, place, wanted: Facts) -> None:
    assert read_facts(saved(tmp_path / "photo.jpg", exif(main, taken, place))) == wanted


def test_a_photo_without_exif(tmp_path: Path) -> None:
    for suffix in (".jpg", ".png", ".bmp"):
        Image.new("RGB", (8, 8)).save(tmp_path / f"photo{suffix}")
        assert read_facts(tmp_path / f"photo{suffix}") == Facts()


def test_a_position_without_a_denominator_is_none() -> None:
    entries = [
        (1, 2, 2, b"N\0\0\0"),
        (2, 5, 3, struct.pack("<I", 80)),
        (3, 2, 2, b"E\0\0\0"),
        (4, 5, 3, struct.pack("<I", 80)),
    ]
    place = struct.pack("<H", 4) + b"".join(struct.pack("<HHI", *entry[:3]) + entry[3] for entry in entries)
    main = struct.pack("<H", 1) + struct.pack("<HHII", 34853, 4, 1, 26)
    block = (b"II*\0" + struct.pack("<I", 8) + main).ljust(26, b"\0") + place
    block = block.ljust(80, b"\0") + struct.pack("<6I", 1, 0, 1, 0, 1, 0)
    assert facts_of(block) == Facts()


@given(st.binary(max_size=200), st.sampled_from([b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08", b""]))
@settings(deadline=None, max_examples=200)
def test_any_bytes_are_survived(content: bytes, head: bytes) -> None:
    assert isinstance(facts_of(head + content), Facts)


@given(st.integers(0, 400), st.integers(0, 255))
@settings(deadline=None, max_examples=100)
def test_a_changed_byte_is_survived(at: int, value: int) -> None:
    block = bytearray(exif({271: "Acme", 272: "X100"}, TAKEN, PLACE).tobytes())
    block[at % len(block)] = value
    assert isinstance(facts_of(bytes(block)), Facts)


def test_what_is_no_photo_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_text("<html>")
    (tmp_path / "b.jpg").write_bytes(b"\xff\xd8\xff\xe0\0\4ab")
    for name in ("a.jpg", "b.jpg", "gone.jpg"):
        with pytest.raises(DataError, match=name):
            read_facts(tmp_path / name)
