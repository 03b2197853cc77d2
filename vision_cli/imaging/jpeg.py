"""The structure of a JPEG file (ITU-T T.81, annex B), read without decoding a pixel."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from vision_cli.imaging import exif

_SOI, _EOI, _SOS, _APP1 = 0xD8, 0xD9, 0xDA, 0xE1
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_MAX_STRAY_BYTES = 1 << 16
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})
# Entropy-coded data ends at the first marker that is neither a stuffed zero, a fill byte nor a restart.
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")


@dataclass(frozen=True, slots=True)
class Segment:
    """One marker with its place; `start` and `stop` enclose the payload after the length field."""

    marker: int
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class JpegHeader:
    """What the frame header says, before any turning."""

    width_px: int
    height_px: int
    components: int
    bits: int
    orientation: int


@dataclass(frozen=True, slots=True)
class Scans:
    """The passes over the pixels; `ends` is where the entropy-coded data of each stops."""

    ends: tuple[int, ...]
    progressive: bool


def segments(stream: BinaryIO) -> Iterator[Segment]:
    """Yield the segments up to the first scan, the scan's own header included.

    Raises:
        ValueError: the bytes are no sequence of segments, or end early.
    """
    stream.seek(2)
    while True:
        marker = _next_marker(stream)
        if marker in _WITHOUT_LENGTH:
            continue
        if marker == _EOI:
            raise ValueError("it ends before any pixels")
        length = int.from_bytes(stream.read(2), "big")
        if length < 2:
            raise ValueError("a segment is cut off")
        start = stream.tell()
        yield Segment(marker, start, start + length - 2)
        if marker == _SOS:
            return
        stream.seek(start + length - 2)


def _next_marker(stream: BinaryIO) -> int:
    """Skip to the next marker; a few stray bytes before it are forgiven, as every decoder does."""
    for _ in range(_MAX_STRAY_BYTES):
        byte = stream.read(1)
        if byte == b"":
            break
        if byte != b"\xff":
            continue
        while byte == b"\xff":
            byte = stream.read(1)
        if byte not in (b"", b"\0"):
            return byte[0]
    raise ValueError("it is cut off or damaged in its header")


def header(stream: BinaryIO) -> JpegHeader:
    """Read size, components, bits and orientation.

    Raises:
        ValueError: no frame header before the first scan.
    """
    frame, turned = b"", 1
    for segment in segments(stream):
        if segment.marker in _FRAMES:
            frame = stream.read(min(6, segment.stop - segment.start))
        elif segment.marker == _APP1 and turned == 1:
            block = stream.read(segment.stop - segment.start)
            turned = exif.orientation(block) if block.startswith(b"Exif\0\0") else 1
    if len(frame) < 6:
        raise ValueError("it has no frame header")
    height_px, width_px = int.from_bytes(frame[1:3], "big"), int.from_bytes(frame[3:5], "big")
    return JpegHeader(width_px, height_px, frame[5], frame[0], turned)


def exif_block(stream: BinaryIO) -> bytes:
    """Return the EXIF block; empty where there is none.

    Raises:
        ValueError: the bytes are no sequence of segments, or end early.
    """
    for segment in segments(stream):
        if segment.marker == _APP1:
            block = stream.read(segment.stop - segment.start)
            if block.startswith(b"Exif\0\0"):
                return block
    return b""


def scans(data: bytes) -> Scans:
    """Find the scans of a whole file.

    Raises:
        ValueError: the file ends before its end-of-image marker.
    """
    tables = list(segments(io.BytesIO(data)))
    progressive = any(segment.marker in _PROGRESSIVE for segment in tables)
    at, ends, in_scan = tables[-1].stop, [], True
    while match := _NEXT_MARKER.search(data, at):
        at = match.start()
        if in_scan:
            ends.append(at)
        if data[at + 1] == _EOI:
            return Scans(tuple(ends), progressive)
        in_scan = data[at + 1] == _SOS
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    raise ValueError("it is cut off: the end-of-image marker is missing")
