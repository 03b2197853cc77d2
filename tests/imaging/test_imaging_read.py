"""Golden pixels: what every orientation, mode and depth must look like after reading."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps

from vision_cli.core.errors import UsageError
from vision_cli.imaging.read import read_header, read_photo

RED, GREEN, BLUE, WHITE, GREY = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (128, 128, 128)


def exif_block(value: int, order: str = "<", kind: int = 3) -> bytes:
    """Write an EXIF block with the orientation as its only tag, by the TIFF 6.0 specification."""
    head = b"II*\0" if order == "<" else b"MM\0*"
    entry = struct.pack(f"{order}HHIHH", 274, kind, 1, value, 0)
    return b"Exif\0\0" + head + struct.pack(f"{order}IH", 8, 1) + entry + struct.pack(f"{order}I", 0)


def chunk(kind: bytes, body: bytes) -> bytes:
    """Write a PNG chunk."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_bytes(rows: list[bytes], width: int, bits: int, colour: int, *, extra: bytes = b"") -> bytes:
    """Write a PNG by hand: unfiltered rows."""
    head = struct.pack(">IIBBBBB", width, len(rows), bits, colour, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + extra + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@pytest.fixture
def corners() -> NDArray[np.uint8]:
    """Return 32 x 48 pixels whose quarters are red, green / blue, white."""
    photo = np.zeros((32, 48, 3), np.uint8)
    photo[:16, :24], photo[:16, 24:], photo[16:, :24], photo[16:, 24:] = RED, GREEN, BLUE, WHITE
    return photo


# EXIF 2.32, 4.6.4 A: where row 0 and column 0 of the stored picture are seen. Read as top left, top right, bottom left,
# bottom right of the upright photo, written in the colours of the stored quarters above.
UPRIGHT = {
    1: (RED, GREEN, BLUE, WHITE),
    2: (GREEN, RED, WHITE, BLUE),
    3: (WHITE, BLUE, GREEN, RED),
    4: (BLUE, WHITE, RED, GREEN),
    5: (RED, BLUE, GREEN, WHITE),
    6: (BLUE, RED, WHITE, GREEN),
    7: (WHITE, GREEN, BLUE, RED),
    8: (GREEN, WHITE, RED, BLUE),
}


def quarters(photo: NDArray[np.uint8]) -> list[tuple[int, ...]]:
    h, w = photo.shape[0] // 4, photo.shape[1] // 4
    return [tuple(photo[y, x].tolist()) for y in (h, 3 * h) for x in (w, 3 * w)]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("value", [*UPRIGHT, 0, 9, 65535])
def test_orientation_is_applied(encode: Any, corners: NDArray[np.uint8], kind: str, value: int) -> None:
    if kind == "TIFF":
        data = encode(corners, kind, tiffinfo={274: value})
    else:
        options = {"lossless": True} if kind == "WEBP" else {"quality": 95, "subsampling": 0} if kind == "JPEG" else {}
        data = encode(corners, kind, exif=exif_block(value), **options)
    photo, header = read_photo(data), read_header(data)
    expected = UPRIGHT.get(value, UPRIGHT[1])
    assert np.abs(np.array(quarters(photo)) - expected).max() <= 3
    assert photo.shape == ((48, 32, 3) if 5 <= value <= 8 else (32, 48, 3))
    assert (header.height_px, header.width_px) == photo.shape[:2]
    assert header.exif_orientation == (value if value in UPRIGHT else 1)


def test_orientation_agrees_with_pillow_on_a_photo(encode: Any, scene: NDArray[np.uint8]) -> None:
    for value in range(1, 9):
        data = encode(scene, "JPEG", exif=exif_block(value, ">"))
        upright = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
        assert np.array_equal(read_photo(data), np.asarray(upright))


@pytest.mark.parametrize(
    "block",
    [b"Exif\0\0", b"Exif\0\0II*\0", b"Exif\0\0II*\0\xff\xff\xff\xff", exif_block(6)[:-6], exif_block(6, kind=7)],
)
def test_damaged_exif_counts_as_none(encode: Any, corners: NDArray[np.uint8], block: bytes) -> None:
    assert read_photo(encode(corners, "JPEG", exif=block)).shape == (32, 48, 3)


def test_orientation_of_a_png_may_follow_the_pixels() -> None:
    data = png_bytes([b"\xff\0\0" + b"\0\xff\0"], 2, 8, 2)
    late = data[:-12] + chunk(b"eXIf", exif_block(3)[6:]) + data[-12:]
    assert read_photo(late)[0].tolist() == [list(GREEN), list(RED)]
    assert read_header(late).exif_orientation == 3


# ---- modes: (data, channels, expected pixels of the first row) ----


def first_row(data: bytes, channels: int = 3) -> list[Any]:
    row: list[Any] = read_photo(data, channels=channels)[0].tolist()
    return row


def test_16_bit_grey_png_is_scaled_not_clipped() -> None:
    data = png_bytes([struct.pack(">4H", 0, 255, 0x8000, 0xFFFF)], 4, 16, 0)
    assert first_row(data, 1) == [[0], [0], [128], [255]]
    assert first_row(data) == [[0] * 3, [0] * 3, [128] * 3, [255] * 3]
    assert read_header(data).bits == 16


def test_16_bit_colour_png_is_scaled_not_clipped() -> None:
    data = png_bytes([struct.pack(">6H", 0xFFFF, 0x8000, 0, 0x0100, 0x00FF, 0x7FFF)], 2, 16, 2)
    assert first_row(data) == [[255, 128, 0], [1, 0, 127]]


def test_16_bit_grey_tiff_both_byte_orders() -> None:
    values = np.array([[0, 0x1234, 0x8000, 0xFFFF]], np.uint16)
    for order in ("<u2", ">u2"):
        ok, plain = cv2.imencode(".tiff", values)
        image = Image.fromarray(values)
        buffer = io.BytesIO()
        image.save(buffer, "TIFF", compression="tiff_lzw" if order == ">u2" else None)
        for data in (plain.tobytes(), buffer.getvalue()):
            assert ok
            assert first_row(data, 1) == [[0], [0x12], [128], [255]]
            assert read_header(data).bits == 16


def test_16_bit_colour_tiff() -> None:
    rgb = np.array([[[0xFFFF, 0x8000, 0], [0, 0x4000, 0xFFFF]]], np.uint16)
    ok, data = cv2.imencode(".tiff", rgb[..., ::-1])
    assert ok
    assert first_row(data.tobytes()) == [[255, 128, 0], [0, 64, 255]]


def test_16_bit_pgm_and_12_bit_maxval() -> None:
    assert first_row(b"P5 2 1 65535\n" + struct.pack(">2H", 0x8000, 0xFFFF), 1) == [[128], [255]]
    assert first_row(b"P5 2 1 4095\n" + struct.pack(">2H", 0, 4095), 1) == [[0], [255]]


def test_palette_with_and_without_transparency() -> None:
    palette = chunk(b"PLTE", bytes([*RED, *GREEN, *BLUE]))
    assert first_row(png_bytes([b"\0\1\2"], 3, 8, 3, extra=palette)) == [list(RED), list(GREEN), list(BLUE)]
    clear = palette + chunk(b"tRNS", b"\xff\0")
    assert first_row(png_bytes([b"\0\1\2"], 3, 8, 3, extra=clear)) == [list(RED), list(WHITE), list(BLUE)]
    assert first_row(png_bytes([b"\0\1\2"], 3, 8, 3, extra=clear), 4)[1] == [0, 255, 0, 0]


def test_alpha_lies_over_white() -> None:
    data = png_bytes([bytes([*RED, 0, *RED, 128, *RED, 255])], 3, 8, 6)
    assert first_row(data) == [[255, 255, 255], [255, 127, 127], [255, 0, 0]]
    assert first_row(data, 4) == [[255, 0, 0, 0], [255, 0, 0, 128], [255, 0, 0, 255]]
    assert first_row(data, 1)[0] == [255]


def test_grey_with_alpha_and_one_bit() -> None:
    assert first_row(png_bytes([bytes([0, 255, 0, 0])], 2, 8, 4)) == [[0, 0, 0], [255, 255, 255]]
    assert first_row(png_bytes([b"\xa0"], 3, 1, 0), 1) == [[255], [0], [255]]


def test_an_opaque_photo_gets_full_alpha(encode: Any, corners: NDArray[np.uint8]) -> None:
    assert (read_photo(encode(corners, "JPEG"), channels=4)[..., 3] == 255).all()
    assert read_photo(encode(corners, "PNG"), channels=4)[0, 0].tolist() == [255, 0, 0, 255]


def test_cmyk_tiff_and_adobe_inverted_jpeg(encode: Any) -> None:
    image = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    assert first_row(encode(image, "TIFF"))[0] == [255, 0, 0]
    data = encode(image, "JPEG", quality=100)
    assert b"Adobe" in data
    assert np.abs(np.array(first_row(data)[0]) - RED).max() <= 2


def test_rgb_stored_in_a_jpeg_without_colour_conversion(encode: Any, corners: NDArray[np.uint8]) -> None:
    data = encode(corners, "JPEG", keep_rgb=True, quality=95)
    assert np.abs(np.array(quarters(read_photo(data))) - UPRIGHT[1]).max() <= 3


def test_float_tiff_is_black_to_white_in_0_to_1(encode: Any) -> None:
    data = encode(np.array([[0.0, 0.5, 1.0]], np.float32), "TIFF")
    assert first_row(data, 1) == [[0], [128], [255]]


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_an_animation_gives_its_first_frame(encode: Any, kind: str) -> None:
    frames = [Image.new("RGB", (20, 10), colour) for colour in (RED, GREEN, BLUE)]
    options = {"lossless": True} if kind == "WEBP" else {}
    data = encode(frames[0], kind, save_all=True, append_images=frames[1:], **options)
    assert first_row(data)[0] == list(RED)
    assert read_header(data).frames == (2 if kind == "GIF" else 3)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "GIF", "TIFF", "WEBP", "PPM", "AVIF"])
def test_content_decides_and_not_the_suffix(encode: Any, corners: NDArray[np.uint8], tmp_path: Path, kind: str) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(encode(corners, kind))
    assert read_header(path).format == kind.lower()
    assert read_photo(path).shape == (32, 48, 3)


@pytest.mark.parametrize(("mode", "channels"), [("L", 1), ("L", 3), ("RGB", 3), ("RGB", 1), ("RGB", 4)])
@pytest.mark.parametrize("progressive", [False, True])
def test_both_jpeg_decoders_agree(
    encode: Any, scene: NDArray[np.uint8], mode: str, channels: int, progressive: bool
) -> None:
    data = encode(Image.fromarray(scene).convert(mode), "JPEG", progressive=progressive, quality=85)
    wanted = {1: "L", 3: "RGB", 4: "RGBA"}[channels]
    reference = np.asarray(Image.open(io.BytesIO(data)).convert(wanted), np.int16)
    assert np.abs(read_photo(data, channels=channels).reshape(reference.shape) - reference).max() <= 1


@pytest.mark.parametrize(
    ("at_least", "shape"),
    [
        ((325, 241), (241, 325, 3)),
        ((163, 10), (241, 325, 3)),
        ((162, 120), (121, 163, 3)),
        ((81, 60), (61, 82, 3)),
        ((1, 1), (31, 41, 3)),
    ],
)
def test_at_least_shrinks_but_never_below(
    encode: Any, scene: NDArray[np.uint8], at_least: tuple[int, int], shape: tuple[int, ...]
) -> None:
    data = encode(scene, "JPEG", quality=90)
    photo = read_photo(data, at_least=at_least)
    assert photo.shape == shape
    # libjpeg's reduced inverse DCT is nearly the mean of each block of pixels.
    step = round(325 / photo.shape[1])
    rows, columns = 240 // step, 320 // step
    means = read_photo(data)[: rows * step, : columns * step].reshape(rows, step, columns, step, 3).mean((1, 3))
    assert np.abs(photo[:rows, :columns] - means).mean() < 1.5


def test_at_least_counts_sides_of_the_upright_photo(encode: Any, scene: NDArray[np.uint8]) -> None:
    data = encode(scene, "JPEG", exif=exif_block(6))
    assert read_photo(data, at_least=(120, 162)).shape == (163, 121, 3)
    assert read_photo(data, at_least=(162, 120)).shape == (325, 241, 3)


def test_extreme_sides(encode: Any) -> None:
    for kind in ("PNG", "JPEG"):
        assert read_photo(encode(np.full((1, 1, 3), 9, np.uint8), kind)).shape == (1, 1, 3)
        assert read_photo(encode(np.full((20000, 1, 3), 9, np.uint8), kind)).shape == (20000, 1, 3)


def test_a_photo_that_ends_in_neutral_grey_is_read(encode: Any, scene: NDArray[np.uint8]) -> None:
    photo = scene.copy()
    photo[-60:] = GREY
    for options in ({}, {"progressive": True}, {"subsampling": 0}, {"quality": 30}):
        assert read_photo(encode(photo, "JPEG", **options))[-1, -1].tolist() == list(GREY)
    assert read_photo(encode(np.full((64, 64), 128, np.uint8), "JPEG"))[-1, -1].tolist() == list(GREY)


def test_stray_bytes_that_decoders_forgive(encode: Any, scene: NDArray[np.uint8]) -> None:
    data = encode(scene, "JPEG")
    assert np.array_equal(read_photo(data + b"trailing" * 100), read_photo(data))
    assert np.array_equal(read_photo(data[:2] + b"\xff\xff" + data[2:]), read_photo(data))


def test_text_beside_the_pixels_may_be_long() -> None:
    text = chunk(b"zTXt", b"prompt\0\0" + zlib.compress(b"x" * 5_000_000))
    assert first_row(png_bytes([bytes(RED)], 1, 8, 2, extra=text)) == [list(RED)]


def test_channels_are_checked(encode: Any, corners: NDArray[np.uint8]) -> None:
    with pytest.raises(UsageError, match="channels: 2 is not possible"):
        read_photo(encode(corners, "PNG"), channels=2)


def test_every_real_photo_is_read(shared_data: Path) -> None:
    logos = [path for path in (shared_data / "logos").rglob("*") if path.suffix.lower() in {".png", ".jpg"}]
    clothing = sorted((shared_data / "clothing_small").rglob("*.jpg"))[::10]
    for path in [*logos, *clothing]:
        photo, header = read_photo(path), read_header(path)
        assert photo.shape == (header.height_px, header.width_px, 3)
        assert photo.dtype == np.uint8
