"""Masks are read as they are stored, and refused when they cannot hold labels."""

from __future__ import annotations

import io
import struct
import time
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from vision_cli.core import crossing, rasterise, rle
from vision_cli.core.errors import DataError
from vision_cli.imaging import contours, masks

VALUES = np.array([[0, 1, 2], [3, 255, 7]], dtype=np.uint8)
SMALL = arrays.arrays(np.bool_, st.tuples(st.integers(1, 9), st.integers(1, 9)))


def png(image: Image.Image, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", **options)
    return buffer.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def raw_png(width: int, height: int, bits: int, colour: int, rows: bytes, *more: bytes) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    body = b"".join((chunk(b"IHDR", head), *more, chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")))
    return b"\x89PNG\r\n\x1a\n" + body


def palette_image(values: np.ndarray) -> Image.Image:
    image = Image.fromarray(values)
    image = image.convert("L")
    image.putpalette(masks.voc_palette().tobytes(), "RGB")
    return image


def test_indices_are_not_turned_into_colours():
    found = masks.read_mask(png(palette_image(VALUES)))
    assert found.values.tolist() == VALUES.tolist()
    assert found.palette is not None
    assert found.palette[1].tolist() == [128, 0, 0]
    assert not found.coloured
    assert found.size == (3, 2)


@pytest.mark.parametrize("bits", [1, 2, 4])
@pytest.mark.parametrize("colour", [0, 3], ids=["grey", "palette"])
def test_few_bits_are_not_spread(bits, colour):
    most = (1 << bits) - 1
    levels = [0, most, 1, most]
    packed = 0
    for level in levels:
        packed = packed << bits | level
    packed <<= (8 - 4 * bits % 8) % 8
    row = packed.to_bytes(-(-4 * bits // 8), "big")
    more = (chunk(b"PLTE", bytes(range(3 * (most + 1)))),) if colour == 3 else ()
    found = masks.read_mask(raw_png(4, 1, bits, colour, b"\0" + row, *more))
    assert found.values.tolist() == [levels]


def test_grey_of_8_and_16_bits_and_colours():
    assert masks.read_mask(png(Image.fromarray(VALUES))).values.tolist() == VALUES.tolist()
    deep = np.array([[0, 26_001], [300, 65_535]], dtype=np.uint16)
    found = masks.read_mask(png(Image.fromarray(deep)))
    assert found.values.dtype == np.uint16
    assert found.values.tolist() == deep.tolist()
    colours = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    found = masks.read_mask(png(Image.fromarray(colours)))
    assert found.coloured
    assert (found.values == colours).all()
    opaque = np.dstack([colours, np.full((2, 2), 255, np.uint8)])
    assert (masks.read_mask(png(Image.fromarray(opaque))).values == colours).all()


def test_a_colour_called_transparent_stays_a_label():
    found = masks.read_mask(png(palette_image(VALUES), transparency=0))
    assert found.values.tolist() == VALUES.tolist()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: b"", "empty"),
        (lambda: b"<html>", "HTML"),
        (lambda: png(Image.fromarray(VALUES))[:60], "cut off"),
        (lambda: raw_png(50_000, 50_000, 8, 0, b""), "claims 50000 x 50000"),
        (lambda: raw_png(4, 4, 8, 0, b"\0\1\1\1\1"), "cut off: its last rows are missing"),
        (lambda: raw_png(1, 1, 16, 2, b"\0" + bytes(6)), "16-bit colours"),
        (lambda: png(Image.new("RGBA", (2, 2), (1, 2, 3, 4))), "partly transparent"),
        (lambda: png(Image.fromarray(VALUES)).replace(b"IDAT", b"IDAU"), "cut off|damaged|cannot be read"),
    ],
)
def test_what_is_no_mask_is_refused(make, message):
    with pytest.raises(DataError, match=message):
        masks.read_mask(make())


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_lossy_formats_are_refused(kind):
    buffer = io.BytesIO()
    Image.fromarray(VALUES).convert("RGB").save(buffer, kind)
    with pytest.raises(DataError, match=f"{kind} picture cannot hold labels"):
        masks.read_mask(buffer.getvalue())


def test_a_bomb_is_refused_at_once():
    start = time.process_time()
    with pytest.raises(DataError, match="limit is 100,000,000"):
        masks.read_mask(raw_png(40_000, 40_000, 8, 0, bytes(1000)))
    assert time.process_time() - start < 0.3


def test_ids_of_colours(tmp_path):
    ids = np.array([[0, 255, 256], [65_535, 65_536, (1 << 24) - 1]])
    (tmp_path / "a.png").write_bytes(masks.encode_id_picture(ids))
    assert masks.read_id_picture(tmp_path / "a.png").tolist() == ids.tolist()
    colours = np.asarray(Image.open(tmp_path / "a.png"))
    assert colours[1, 1].tolist() == [0, 0, 1]
    assert colours[0, 2].tolist() == [0, 1, 0]


@pytest.mark.parametrize("mode", ["P", "L", "I;16", "1", "LA"])
def test_ids_need_rgb(tmp_path, mode):
    image = {
        "P": palette_image(VALUES),
        "I;16": Image.fromarray(VALUES.astype(np.uint16)),
    }.get(mode) or Image.fromarray(VALUES).convert(mode)
    (tmp_path / "a.png").write_bytes(png(image))
    with pytest.raises(DataError, match="need a PNG of 8-bit RGB; this is PNG"):
        masks.read_id_picture(tmp_path / "a.png")


def test_ids_in_a_jpeg_are_refused(tmp_path):
    Image.fromarray(VALUES).convert("RGB").save(tmp_path / "a.png", "JPEG")
    with pytest.raises(DataError, match=r"a.png: .*this is JPEG"):
        masks.read_id_picture(tmp_path / "a.png")


def test_the_palette_of_pascal_voc():
    """The colours that the VOC devkit publishes."""
    wanted = {0: (0, 0, 0), 1: (128, 0, 0), 2: (0, 128, 0), 3: (128, 128, 0), 15: (192, 128, 128), 255: (224, 224, 192)}
    palette = masks.voc_palette()
    assert {index: tuple(palette[index].tolist()) for index in wanted} == wanted
    assert len({tuple(colour) for colour in palette.tolist()}) == 256


@settings(max_examples=30, deadline=None)
@given(arrays.arrays(np.uint8, st.tuples(st.integers(1, 6), st.integers(1, 6))), st.booleans())
def test_written_masks_come_back(values, with_palette):
    palette = masks.voc_palette() if with_palette else None
    back = masks.read_mask(masks.encode_mask(masks.Mask(values, palette)))
    assert (back.values == values).all()
    assert (back.palette is None) == (palette is None)
    deep = values.astype(np.uint16) * 257
    assert (masks.read_mask(masks.encode_mask(masks.Mask(deep))).values == deep).all()


@settings(max_examples=150, deadline=None)
@given(SMALL)
def test_polygons_of_a_mask_fill_to_the_same_pixels(mask):
    height, width = mask.shape
    traced = contours.polygons(mask)
    if not mask.any():
        assert traced.rings == ()
        return
    assert rasterise.runs_of_polygons(traced.rings, width, height).tolist() == rle.encode(mask)
    assert traced.lost_holes == 0
    assert not any(crossing.crosses_itself(ring) for ring in traced.rings)


@settings(max_examples=80, deadline=None)
@given(SMALL)
def test_parts_and_holes_are_counted(mask):
    """Counted by OpenCV: parts touch at sides, so holes touch at corners too."""
    traced = contours.polygons(mask, holes=False)
    parts, _ = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    outside = np.pad(~mask, 1, constant_values=True).astype(np.uint8)
    holes, _ = cv2.connectedComponents(outside, connectivity=8)
    assert len(traced.rings) == parts - 1
    assert traced.lost_holes == holes - 2


def test_a_ring_is_one_polygon_with_its_hole():
    mask = np.ones((5, 6), dtype=bool)
    mask[1:3, 2:4] = False
    traced = contours.polygons(np.pad(mask, 2))
    assert len(traced.rings) == 1
    assert traced.rings[0].min() == 2
    filled = contours.polygons(np.pad(mask, 2), holes=False)
    assert filled.lost_holes == 1
    assert sorted(filled.rings[0].tolist()) == [[2, 2], [2, 7], [8, 2], [8, 7]]
