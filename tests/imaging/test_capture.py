"""What a file says of lens and compression, against files that Pillow wrote."""

from __future__ import annotations

import io
import math

import numpy as np
import pytest
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from vision_cli.imaging.capture import Capture, capture_of

DIAGONAL_MM = math.hypot(36, 24)


def picture() -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8))


def saved(format_: str = "JPEG", **options: object) -> bytes:
    stream = io.BytesIO()
    picture().save(stream, format_, **options)
    return stream.getvalue()


def with_exif(**tags: object) -> bytes:
    exif = Image.Exif()
    exif.get_ifd(0x8769).update({int(name[1:]): value for name, value in tags.items()})
    return saved(exif=exif)


@pytest.mark.parametrize("quality", [25, 30, 49, 50, 51, 75, 85, 90, 95, 99, 100])
def test_the_quality_that_libjpeg_was_asked_for(quality: int) -> None:
    found = capture_of(saved(quality=quality)).jpeg_quality
    assert found is not None
    assert abs(found - quality) <= 1


def test_divisors_at_the_limit_of_a_byte_tell_only_that_quality_is_low() -> None:
    found = [capture_of(saved(quality=quality)).jpeg_quality or 99 for quality in (1, 5, 10, 15, 20)]
    assert found == sorted(found)
    assert found[-1] <= 21


def test_a_png_has_no_quality() -> None:
    assert capture_of(saved("PNG")) == Capture(None, None)


def test_the_equivalent_focal_length_is_taken_as_stated() -> None:
    assert capture_of(with_exif(t41989=28)).focal_35mm == 28


def test_the_sensor_tells_what_the_equivalent_does_not() -> None:
    # A sensor of 22.2 x 14.8 mm with 6000 x 4000 pixels and an 18 mm lens.
    found = capture_of(
        with_exif(t37386=IFDRational(18), t41486=IFDRational(60000, 222), t41488=4, t40962=6000, t40963=4000)
    ).focal_35mm
    assert found == pytest.approx(18 * DIAGONAL_MM / math.hypot(22.2, 14.8), rel=1e-3)


@pytest.mark.parametrize(
    "tags", [{}, {"t41989": 0}, {"t41989": 60000}, {"t37386": IFDRational(18)}, {"t37386": IFDRational(1, 0)}]
)
def test_what_cannot_be_is_not_told(tags: dict[str, object]) -> None:
    assert capture_of(with_exif(**tags)).focal_35mm is None


def test_damaged_files_tell_nothing_and_raise_nothing() -> None:
    whole = with_exif(t41989=28)
    for length in range(len(whole)):
        capture_of(whole[:length])
    rng = np.random.default_rng(1)
    for _ in range(300):
        broken = bytearray(whole)
        for at in rng.integers(0, min(700, len(whole)), 4):
            broken[at] = rng.integers(0, 256)
        capture_of(bytes(broken))
