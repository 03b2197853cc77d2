"""What no photo loader may swallow: the process lives, the message names the file, memory stays flat."""

from __future__ import annotations

import io
import os
import resource
import struct
import subprocess
import sys
import time
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from vision_cli.core.errors import DataError
from vision_cli.imaging.read import read_header, read_photo

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunk(kind: bytes, body: bytes) -> bytes:
    """Write a PNG chunk."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_head(width: int, height: int, *, bits: int = 8, colour: int = 2) -> bytes:
    """Write a PNG's signature and first chunk."""
    return SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))


# ---- no photo at all: (content, what the message says) ----

FOREIGN = {
    "empty": (b"", "the photo is empty"),
    "html": (b"<!DOCTYPE html><html><body>404 Not Found</body></html>", "is not a photo but an HTML page"),
    "html after blanks": (b"\xef\xbb\xbf\n  <HTML><head>", "is not a photo but an HTML page"),
    "postscript": (b"%!PS-Adobe-3.0 EPSF-3.0\n(file) run", "is not a photo but a PostScript program"),
    "dos postscript": (b"\xc5\xd0\xd3\xc6" + bytes(64), "is not a photo but a PostScript program"),
    "pdf": (b"%PDF-1.7\n", "is not a photo but a PDF document"),
    "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "is not a photo but an SVG drawing"),
    "text": ("Grüße, kein Foto\n".encode(), "is not a photo but text"),
    "lfs pointer": (b"version https://git-lfs.github.com/spec/v1\noid", "a Git LFS pointer"),
    "heic": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "is not a photo but an HEIC picture"),
    "zip": (b"PK\x03\x04" + bytes(30), "is not a photo but a zip archive"),
    "zeros": (bytes(4096), "is not a photo but nothing but zero bytes"),
    "random": (bytes(range(128, 256)) * 3, "is not a photo but something unknown"),
}


@pytest.mark.parametrize("case", FOREIGN)
@pytest.mark.parametrize("read", [read_photo, read_header])
def test_a_file_that_is_no_photo_is_refused_by_name(tmp_path: Path, read: Callable[[Path], object], case: str) -> None:
    content, message = FOREIGN[case]
    path = tmp_path / "photo.jpg"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        read(path)
    assert str(path) in caught.value.message
    assert message in caught.value.message
    assert caught.value.hint
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("read", [read_photo, read_header])
def test_a_path_that_holds_no_file(tmp_path: Path, read: Callable[[Path], object]) -> None:
    loop = tmp_path / "loop.jpg"
    loop.symlink_to(loop)
    pipe = tmp_path / "pipe.jpg"
    os.mkfifo(pipe)
    for path, message in (
        (tmp_path / "gone.jpg", "does not exist"),
        (tmp_path, "is not a file"),
        (loop, "does not exist"),
        (pipe, "is not a file"),
        (tmp_path / ("x" * 300), "cannot be read: File name too long"),
        (tmp_path / "nul\0.jpg", "does not exist"),
    ):
        with pytest.raises(DataError, match=message) as caught:
            read(path)
        assert str(path) in caught.value.message


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file(tmp_path: Path) -> None:
    path = tmp_path / "secret.jpg"
    path.write_bytes(b"\xff\xd8\xff")
    path.chmod(0)
    with pytest.raises(DataError, match="cannot be read: Permission denied"):
        read_photo(path)


# ---- cut off ----

# The last bytes that no pixel needs: terminators, padding of a row.
WHOLE_BEFORE_THE_END = {"GIF": 8, "TIFF": 0, "WEBP": 1, "PPM": 0, "BMP": 1, "AVIF": 0, "PNG": 0, "JPEG": 0}


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("JPEG", {"restart_marker_blocks": 4}),
        ("PNG", {}),
        ("BMP", {}),
        ("GIF", {}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("TIFF", {"compression": "tiff_adobe_deflate"}),
        ("WEBP", {}),
        ("WEBP", {"lossless": True}),
        ("PPM", {}),
        ("AVIF", {}),
    ],
)
def test_a_photo_cut_anywhere_is_refused(
    encode: Any, scene: NDArray[np.uint8], kind: str, options: dict[str, Any]
) -> None:
    data = encode(scene, kind, **options)
    whole = read_photo(data)
    end = len(data)
    cuts = {*range(4, 40, 3), *range(40, end, end // 60), *range(end - 12, end)}
    for cut in sorted(cuts):
        try:
            photo = read_photo(data[:cut])
        except DataError:
            continue
        assert cut >= end - WHOLE_BEFORE_THE_END[kind], f"{cut} of {end} bytes were enough"
        assert np.array_equal(photo, whole)


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("options", [{}, {"subsampling": 0}, {"restart_marker_blocks": 8}, {"progressive": True}])
def test_a_cut_jpeg_with_a_patched_end_is_refused(
    encode: Any, scene: NDArray[np.uint8], mode: str, options: dict[str, Any]
) -> None:
    data = encode(Image.fromarray(scene).convert(mode), "JPEG", quality=90, **options)
    first_scan = data.index(b"\xff\xda")
    # Of a progressive file later scans may be missing: that is a coarser photo by definition, not a broken one.
    last = data.index(b"\xff\xc4", first_scan) if options.get("progressive") else len(data) - 2
    for share in (0.15, 0.3, 0.5, 0.7, 0.9):
        cut = data[: first_scan + int((last - first_scan) * share)].rstrip(b"\xff") + b"\xff\xd9"
        with pytest.raises(DataError, match=r"cut off|damaged"):
            read_photo(cut)
        with pytest.raises(DataError, match=r"cut off|damaged"):
            read_photo(cut, at_least=(40, 30))


def test_no_decoder_talks_on_stderr(encode: Any, scene: NDArray[np.uint8], capfd: pytest.CaptureFixture[str]) -> None:
    for kind in ("JPEG", "PNG", "TIFF", "WEBP", "GIF"):
        data = encode(scene, kind, **({"compression": "tiff_lzw"} if kind == "TIFF" else {}))
        with pytest.raises(DataError):
            read_photo(data[: len(data) // 2])
    assert capfd.readouterr() == ("", "")


# ---- damaged ----


@pytest.mark.parametrize(("bits", "colour", "row_bytes"), [(8, 2, 31), (8, 0, 11), (1, 0, 3), (16, 6, 81), (8, 4, 21)])
def test_a_png_of_too_few_rows_is_refused_and_a_black_one_read(bits: int, colour: int, row_bytes: int) -> None:
    for rows in (1, 6, 7):
        data = png_head(10, 7, bits=bits, colour=colour) + chunk(b"IDAT", zlib.compress(bytes(row_bytes * rows)))
        if rows == 7:
            assert read_photo(data + chunk(b"IEND", b"")).shape == (7, 10, 3)
            continue
        with pytest.raises(DataError, match="its last rows are missing"):
            read_photo(data + chunk(b"IEND", b""))


def test_a_black_interlaced_png_is_read() -> None:
    # Adam7 passes of 10 x 7 grey pixels: 2x1, 2x1, 3x1, 3x2, 5x2, 5x4, 10x3, each row with a filter byte.
    size = 3 + 2 + 4 + 8 + 12 + 24 + 33
    head = SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", 10, 7, 8, 0, 0, 0, 1))
    end = chunk(b"IEND", b"")
    assert not read_photo(head + chunk(b"IDAT", zlib.compress(bytes(size))) + end).any()
    with pytest.raises(DataError):
        read_photo(head + chunk(b"IDAT", zlib.compress(bytes(size - 11))) + end)


def test_a_wrong_checksum_in_a_png_is_refused(encode: Any, scene: NDArray[np.uint8]) -> None:
    data = bytearray(encode(scene, "PNG"))
    data[len(data) // 2] ^= 1
    with pytest.raises(DataError, match="the checksum of its IDAT chunk is wrong"):
        read_photo(bytes(data))


BODIES = {
    "png without pixels": png_head(4, 4) + chunk(b"IEND", b""),
    "png of no size": png_head(0, 4) + chunk(b"IEND", b""),
    "png of unknown colour": png_head(4, 4, colour=5) + chunk(b"IEND", b""),
    "png with too few rows": png_head(4, 4) + chunk(b"IDAT", zlib.compress(bytes(13))) + chunk(b"IEND", b""),
    "jpeg of two markers": b"\xff\xd8\xff\xd9",
    "jpeg with a segment of length 1": b"\xff\xd8\xff\xe0\0\1" + bytes(20),
    "bmp that is text": b"BMW is a car, and this is a letter about it.",
    "gif head only": b"GIF89a\x10\0\x10\0\0\0\0;",
    "tiff of nowhere": b"II*\0\xff\xff\xff\x7f",
    "tiff that bites its tail": b"II*\0\x08\0\0\0\0\0\x08\0\0\0",
    "webp of nothing": b"RIFF\x04\0\0\0WEBP",
    "ppm of letters": b"P6\nx y\n255\n",
    "avif of nothing": b"\0\0\0\x18ftypavif\0\0\0\0avifmif1",
}


@pytest.mark.parametrize("case", BODIES)
def test_a_damaged_body_is_refused(case: str) -> None:
    with pytest.raises(DataError, match=r"^upload: ") as caught:
        read_photo(BODIES[case], name="upload")
    assert caught.value.hint


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.array([[0.0, 200.0]], np.float32), "floating-point values outside 0..1"),
        (np.array([[0.0, np.nan]], np.float32), "floating-point values outside 0..1"),
        (np.array([[0, 70000]], np.int32), "32-bit or signed integers"),
    ],
)
def test_numbers_without_a_defined_white_are_refused(encode: Any, values: NDArray[Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_photo(encode(values, "TIFF"))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "GIF", "TIFF", "WEBP", "PPM", "AVIF"])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(flips=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=6))
def test_flipped_bytes_give_a_photo_or_a_refusal(
    encode: Any, scene: NDArray[np.uint8], kind: str, flips: list[tuple[float, int]]
) -> None:
    data = bytearray(encode(scene[:40, :56], kind))
    for share, value in flips:
        data[min(int(share**2 * len(data)), len(data) - 1)] = value
    for read in (read_header, read_photo):
        try:
            read(bytes(data))
        except DataError:
            continue


# ---- bombs ----

_GIF_BOMB = (
    b"GIF89a" + struct.pack("<HHBBB", 65535, 65535, 0, 0, 0) + b"," + bytes(4) + struct.pack("<HH", 65535, 65535)
)
BOMBS = {
    "png 50,000 x 50,000 in 69 bytes": png_head(50000, 50000) + chunk(b"IDAT", b"") + chunk(b"IEND", b""),
    "png 12,000 x 12,000": png_head(12000, 12000, bits=1, colour=0)
    + chunk(b"IDAT", zlib.compress(bytes(1501 * 12000), 9))
    + chunk(b"IEND", b""),
    "jpeg 65,000 x 65,000": b"\xff\xd8\xff\xc0\0\x11\x08"
    + struct.pack(">HH", 65000, 65000)
    + b"\3"
    + bytes(9)
    + b"\xff\xda\0\2"
    + b"\xff\xd9",
    "bmp": b"BM" + bytes(8) + struct.pack("<IIiiHHIIIIII", 54, 40, 40000, 40000, 1, 24, 0, 0, 0, 0, 0, 0),
    "gif": _GIF_BOMB + b"\0\2\2\x4c\1\0;",
    "webp": b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\x02\0\0\0" + b"\xff\x3f\0" * 2,
    "ppm": b"P6 50000 50000 255\n" + bytes(64),
    "tiff": b"II*\0\x08\0\0\0\x04\0"
    + b"".join(
        struct.pack("<HHII", tag, 4, 1, value) for tag, value in ((256, 50000), (257, 50000), (262, 1), (273, 8))
    )
    + bytes(4),
}


@pytest.mark.parametrize("case", BOMBS)
def test_a_bomb_is_refused_at_once_and_without_memory(case: str) -> None:
    tracemalloc.start()
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    with pytest.raises(DataError) as caught:
        read_photo(BOMBS[case], name="bomb")
    seconds, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    if case not in ("webp",):
        assert "megapixels" in caught.value.message
    assert seconds < 0.3
    assert peak < 5e6
    assert after - before < 20_000  # kilobytes


def test_the_limit_is_100_megapixels_and_can_be_lowered() -> None:
    rows = zlib.compress(bytes(1251 * 10000), 9)
    exactly = png_head(10000, 10000, bits=1, colour=0) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    assert read_photo(exactly, channels=1).shape == (10000, 10000, 1)
    with pytest.raises(DataError, match="claims 10000 x 10000 pixels"):
        read_photo(exactly, max_pixels=99_999_999)


def test_compressed_text_and_profile_bombs_never_unpack() -> None:
    zeros = zlib.compress(bytes(100_000_000), 9)
    extra = chunk(b"iCCP", b"p\0\0" + zeros) + chunk(b"zTXt", b"t\0\0" + zeros) + chunk(b"iTXt", b"t\0\1\0\0\0" + zeros)
    body = chunk(b"IDAT", zlib.compress(b"\0\1\2\3"))
    for data in (
        png_head(1, 1) + extra * 20 + body + chunk(b"IEND", b""),
        png_head(1, 1) + body + extra * 20 + chunk(b"IEND", b""),
    ):
        tracemalloc.start()
        assert read_photo(data).tolist() == [[[1, 2, 3]]]
        assert read_header(data).width_px == 1
        assert tracemalloc.get_traced_memory()[1] < 3 * len(data)
        tracemalloc.stop()


def test_an_animation_of_many_frames_costs_one_frame(encode: Any) -> None:
    frames = [Image.new("P", (50, 50), value) for value in range(200)]
    data = encode(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=20)
    body = data[data.index(b"!\xf9") : -1]
    started = time.process_time()
    assert read_photo(data[:-1] + body * 500 + b";").shape == (50, 50, 3)
    assert time.process_time() - started < 0.3


def test_a_progressive_jpeg_of_a_thousand_scans_is_refused(encode: Any) -> None:
    data = encode(np.zeros((4000, 5000), np.uint8), "JPEG", progressive=True)
    scan = data[data.rindex(b"\xff\xda") : -2]
    started = time.process_time()
    with pytest.raises(DataError, match="scans over 20 megapixels"):
        read_photo(data[:-2] + scan * 1000 + b"\xff\xd9")
    assert time.process_time() - started < 0.3


def test_a_file_that_shrinks_while_it_is_read_kills_nobody(tmp_path: Path) -> None:
    path = tmp_path / "shrinks.bmp"
    buffer = io.BytesIO()
    Image.new("RGB", (1500, 1500)).save(buffer, "BMP")
    code = (
        "import sys, threading; from pathlib import Path; from vision_cli.core.errors import DataError;"
        "from vision_cli.imaging.read import read_photo; path = Path(sys.argv[1]); whole = path.read_bytes()\n"
        "def shrink():\n"
        "    for _ in range(40):\n"
        "        path.write_bytes(whole[:5000]); path.write_bytes(whole)\n"
        "worker = threading.Thread(target=shrink); worker.start()\n"
        "while worker.is_alive():\n"
        "    try: read_photo(path)\n"
        "    except DataError: pass\n"
    )
    path.write_bytes(buffer.getvalue())
    done = subprocess.run([sys.executable, "-c", code, str(path)], timeout=60, check=False)
    assert done.returncode == 0
