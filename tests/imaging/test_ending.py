"""Files that end too early, held against Pillow's own reading of all their pixels."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from vision_cli.imaging import ending


def encoded(kind: str, **options: object) -> bytes:
    pixels = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


CASES = [("JPEG", {}), ("JPEG", {"progressive": True}), ("PNG", {}), ("WEBP", {}), ("BMP", {})]


@pytest.mark.parametrize(("kind", "options"), CASES)
def test_whole_photos_and_such_with_something_appended_pass(tmp_path, kind, options):
    data = encoded(kind, **options)
    for name, content in {"whole": data, "longer": data + b"\0" * 10_000}.items():
        (tmp_path / name).write_bytes(content)
        Image.open(tmp_path / name).load()
        assert not ending.is_cut_off(tmp_path / name)


@pytest.mark.parametrize(("kind", "options"), CASES[:-1])
@pytest.mark.parametrize("share", [0.5, 0.9, 0.999])
def test_photos_that_were_cut_are_found(tmp_path, kind, options, share):
    data = encoded(kind, **options)
    file = tmp_path / "cut"
    file.write_bytes(data[: int(len(data) * share)])
    assert ending.is_cut_off(file)


def test_an_empty_file_is_cut_off_and_a_text_is_not(tmp_path):
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "text.jpg").write_bytes(b"<html>")
    assert ending.is_cut_off(tmp_path / "empty.jpg")
    assert not ending.is_cut_off(tmp_path / "text.jpg")


def test_init_names_what_is_cut_off(tmp_path, vision):
    for name in ("cat", "dog"):
        for number in range(4):
            place = tmp_path / "photos" / name / f"{number}.jpg"
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(encoded("JPEG"))
    broken = tmp_path / "photos" / "cat" / "2.jpg"
    broken.write_bytes(broken.read_bytes()[:700])
    called = vision("init", "--data", "photos")
    assert called.code == 0, called.err
    assert "1 of 8 photos cannot be read, for the file is cut off or empty: cat/2.jpg" in " ".join(called.out.split())
