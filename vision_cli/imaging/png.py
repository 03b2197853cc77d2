"""The structure of a PNG file (W3C PNG specification, third edition), read without decoding a pixel."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from vision_cli.imaging import exif

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# All that the pixels need. Text, colour profiles and animation frames never reach the decoder, so their bombs do not.
_ESSENTIAL = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
_MODES = {0: "L", 2: "RGB", 3: "P", 4: "LA", 6: "RGBA"}
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
# Adam7 (clause 8.2): first column and row of each pass, and its steps.
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_MAX_CHUNKS_IN_HEADER = 100_000
_MAX_EXIF_BYTES = 1 << 20
_INFLATE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class PngHeader:
    """What the chunks before and after the pixels say, before any turning."""

    width_px: int
    height_px: int
    bits: int
    mode: str
    orientation: int
    frames: int


def header(stream: BinaryIO) -> PngHeader:
    """Read size, mode, orientation and number of frames.

    Raises:
        ValueError: the first chunk is no image header, or names an unknown colour type.
    """
    stream.seek(len(_SIGNATURE))
    first = stream.read(25)
    if len(first) < 25 or first[4:8] != b"IHDR" or first[17] not in _MODES:
        raise ValueError("it is cut off or damaged in its header")
    width_px, height_px, bits, colour = struct.unpack(">IIBB", first[8:18])
    turned, frames = _later_chunks(stream)
    return PngHeader(width_px, height_px, bits, _MODES[colour], turned, frames)


def _later_chunks(stream: BinaryIO) -> tuple[int, int]:
    """Return orientation and frames. The eXIf chunk may stand after the pixels, so the walk goes to the end."""
    turned, frames = 1, 1
    for _ in range(_MAX_CHUNKS_IN_HEADER):
        head = stream.read(8)
        if len(head) < 8 or head[4:] == b"IEND":
            break
        length = int.from_bytes(head[:4], "big")
        after = stream.tell() + length + 4
        if head[4:] == b"eXIf":
            turned = exif.orientation(stream.read(min(length, _MAX_EXIF_BYTES)))
        elif head[4:] == b"acTL":
            frames = max(1, int.from_bytes(stream.read(4), "big"))
        stream.seek(after)
    return turned, frames


def exif_block(stream: BinaryIO) -> bytes:
    """Return the eXIf chunk of an open file; empty where there is none."""
    stream.seek(len(_SIGNATURE))
    for _ in range(_MAX_CHUNKS_IN_HEADER):
        head = stream.read(8)
        if len(head) < 8 or head[4:] == b"IEND":
            break
        length = int.from_bytes(head[:4], "big")
        if head[4:] == b"eXIf":
            return stream.read(min(length, _MAX_EXIF_BYTES))
        stream.seek(length + 4, 1)
    return b""


def essential(data: bytes) -> bytes:
    """Return the PNG with nothing but what its pixels need, after checking each of those chunks.

    Raises:
        ValueError: cut off before its end, or a checksum is wrong.
    """
    view, at = memoryview(data), len(_SIGNATURE)
    kept: list[bytes | memoryview] = [_SIGNATURE]
    while True:
        if at + 12 > len(data):
            raise ValueError("it is cut off: the end chunk is missing")
        length, kind = int.from_bytes(view[at : at + 4], "big"), bytes(view[at + 4 : at + 8])
        after = at + 12 + length
        if kind in _ESSENTIAL:
            if after > len(data):
                raise ValueError("it is cut off inside its pixels")
            if zlib.crc32(view[at + 4 : after - 4]) != int.from_bytes(view[after - 4 : after], "big"):
                raise ValueError(f"it is damaged: the checksum of its {kind.decode()} chunk is wrong")
            kept.append(view[at:after])
        if kind == b"IEND":
            return b"".join(kept)
        at = after


def check_rows(data: bytes) -> None:
    """Refuse a PNG whose compressed stream ends properly but holds too few rows; decoders leave those black.

    Args:
        data: as `essential` returns it.

    Raises:
        ValueError: rows are missing.
    """
    wanted, unpacked, inflate = _stream_bytes(data), 0, zlib.decompressobj()
    for body in _pixel_chunks(data):
        while body and not inflate.eof and unpacked < wanted:
            unpacked += len(inflate.decompress(body, _INFLATE_BYTES))
            body = inflate.unconsumed_tail
    if unpacked + len(inflate.flush()) < wanted:
        raise ValueError("it is cut off: its last rows are missing")


def _pixel_chunks(data: bytes) -> Iterator[bytes]:
    at = len(_SIGNATURE)
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        if data[at + 4 : at + 8] == b"IDAT":
            yield data[at + 8 : at + 8 + length]
        at += 12 + length


def _stream_bytes(data: bytes) -> int:
    """Return how many bytes the filtered rows of a PNG have (clauses 7.2 and 8)."""
    width_px, height_px, bits, colour, _, _, interlaced = struct.unpack(">IIBBBBB", data[16:29])
    passes = _ADAM7 if interlaced else ((0, 0, 1, 1),)
    total = 0
    for left, top, x_step, y_step in passes:
        columns, rows = -(-(width_px - left) // x_step), -(-(height_px - top) // y_step)
        if columns > 0 and rows > 0:
            total += rows * (1 + (columns * _SAMPLES[colour] * bits + 7) // 8)
    return total
