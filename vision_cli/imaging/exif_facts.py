"""When, with what and where a photo was taken, as its EXIF block says (EXIF 2.32, CIPA DC-008)."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from PIL import TiffImagePlugin

from vision_cli.core.errors import DataError
from vision_cli.imaging import jpeg, png
from vision_cli.imaging.header import PLUGINS, refusing
from vision_cli.imaging.sniff import HEAD_BYTES, photo_format

_MAKE, _MODEL, _DATE, _EXIF_IFD, _GPS_IFD = 271, 272, 306, 34665, 34853
_TAKEN, _OFFSET, _TAKEN_OFFSET, _FRACTION = 36867, 36880, 36881, 37521
_LATITUDE, _LONGITUDE = (1, 2), (3, 4)
_FORMATS = {1: "B", 2: "s", 3: "H", 4: "I", 5: "II", 7: "s", 9: "i", 10: "ii"}
_MAX_VALUE_BYTES = 1 << 16
_MAX_ENTRIES = 1000

Tags = dict[int, Any]


@dataclass(frozen=True, slots=True)
class Facts:
    """What a photo says of its taking; None where it says nothing that can be.

    Attributes:
        captured_at: what the clock there showed.
        utc_offset_min: of that clock, minutes east of Greenwich.
        camera: maker and model.
        latitude: degrees, north of the equator is positive.
        longitude: degrees, east of Greenwich is positive.
    """

    captured_at: datetime | None = None
    utc_offset_min: int | None = None
    camera: str | None = None
    latitude: float | None = None
    longitude: float | None = None


def read_facts(path: Path) -> Facts:
    """Return what a photo says of its taking; headers only.

    Raises:
        DataError: missing, no photo, or damaged.
    """
    try:
        with path.open("rb") as stream:
            kind = photo_format(stream.read(HEAD_BYTES))
            if kind is None:
                raise DataError(f"{path}: is not a photo.", hint="Check the path.")
            stream.seek(0)
            with refusing(str(path), kind):
                return _facts(*directories(stream, kind))
    except OSError as error:
        raise DataError(f"{path}: the photo cannot be read: {error.strerror}.", hint="Check the path.") from error


def facts_of(block: bytes) -> Facts:
    """Return what an EXIF block (a TIFF header and its directories) says; nothing where it is damaged."""
    return _facts(*_of_block(block))


def directories(stream: BinaryIO, kind: str) -> tuple[Tags, Tags, Tags]:
    """Return the tags of the main, the EXIF and the GPS directory of an open photo of a known format."""
    if kind == "jpeg":
        return _of_block(jpeg.exif_block(stream))
    if kind == "png":
        return _of_block(png.exif_block(stream))
    image = PLUGINS[kind](stream)
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        found = image.getexif()
        return dict(found), dict(found.get_ifd(_EXIF_IFD)), dict(found.get_ifd(_GPS_IFD))
    block = image.info.get("exif")
    return _of_block(block if isinstance(block, bytes) else b"")


def _of_block(block: bytes) -> tuple[Tags, Tags, Tags]:
    block = block.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(block[:4])
    if order is None or len(block) < 8:
        return {}, {}, {}
    main = _tags(block, order, struct.unpack_from(f"{order}I", block, 4)[0])
    inner = [_tags(block, order, at) if isinstance(at := main.get(tag), int) else {} for tag in (_EXIF_IFD, _GPS_IFD)]
    return main, inner[0], inner[1]


def _tags(block: bytes, order: str, start: int) -> Tags:
    """Return the tags of one directory; entries that lead out of the block are left out."""
    if start + 2 > len(block):
        return {}
    count = min(struct.unpack_from(f"{order}H", block, start)[0], _MAX_ENTRIES)
    found: Tags = {}
    for at in range(start + 2, min(start + 2 + 12 * count, len(block) - 11), 12):
        tag, kind, length = struct.unpack_from(f"{order}HHI", block, at)
        value = _value(block, order, at, _FORMATS.get(kind, ""), length)
        if value is not None:
            found.setdefault(tag, value)
    return found


def _value(block: bytes, order: str, at: int, kind: str, length: int) -> Any:
    """Return a value of an entry: text, a number, or a list of numbers; rationals as floats."""
    size = struct.calcsize(f"={kind}") * length
    if not kind or not 0 < size <= _MAX_VALUE_BYTES:
        return None
    place = at + 8 if size <= 4 else struct.unpack_from(f"{order}I", block, at + 8)[0]
    if place + size > len(block):
        return None
    if kind == "s":
        return block[place : place + size]
    numbers = struct.unpack_from(f"{order}{kind * length}", block, place)
    if len(kind) == 2:
        numbers = tuple(
            top / low if low else float("nan") for top, low in zip(numbers[::2], numbers[1::2], strict=True)
        )
    return numbers[0] if len(numbers) == 1 else list(numbers)


def _facts(main: Tags, taken: Tags, place: Tags) -> Facts:
    when = _time(taken.get(_TAKEN), taken.get(_FRACTION)) or _time(main.get(_DATE), None)
    offset = _text(taken.get(_TAKEN_OFFSET)) or _text(taken.get(_OFFSET))
    latitude, longitude = _degrees(place, _LATITUDE, 90), _degrees(place, _LONGITUDE, 180)
    if latitude is None or longitude is None:
        latitude = longitude = None
    return Facts(when, _offset(offset) if when else None, _camera(main), latitude, longitude)


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        value = value.split(b"\0", 1)[0].decode("utf-8", "replace")
    return value.split("\0", 1)[0].strip() if isinstance(value, str) else ""


def _time(value: Any, fraction: Any) -> datetime | None:
    try:
        time = datetime.strptime(_text(value), "%Y:%m:%d %H:%M:%S")  # the clock at the place, as EXIF has it
    except ValueError:
        return None
    digits = _text(fraction)
    return time.replace(microsecond=int(f"{digits[:6]:0<6}")) if digits.isascii() and digits.isdecimal() else time


def _offset(text: str) -> int | None:
    try:
        found = datetime.strptime(text, "%z").utcoffset()
    except ValueError:
        return None
    return None if found is None else round(found.total_seconds() / 60)


def _camera(main: Mapping[int, Any]) -> str | None:
    make, model = _text(main.get(_MAKE)), _text(main.get(_MODEL))
    return (model if model.lower().startswith(make.lower()) else f"{make} {model}").strip() or None


def _degrees(place: Tags, tags: tuple[int, int], most: int) -> float | None:
    """Return degrees of degrees, minutes and seconds; None where they are none or lie nowhere."""
    side, parts = _text(place.get(tags[0])).upper(), place.get(tags[1])
    if not isinstance(parts, Sequence) or isinstance(parts, str | bytes) or len(parts) != 3:
        return None
    value = sum(float(part) / (1, 60, 3600)[index] for index, part in enumerate(parts))
    if side not in ("N", "S", "E", "W") or not 0 <= value <= most:
        return None
    return -value if side in ("S", "W") else value
