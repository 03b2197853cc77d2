"""How a photo was taken and compressed, as its file says: the lens's angle and JPEG's quality."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from vision_cli.imaging import jpeg
from vision_cli.imaging.exif_facts import Tags, directories
from vision_cli.imaging.header import DECODER_ERRORS
from vision_cli.imaging.sniff import HEAD_BYTES, photo_format

_FOCAL_MM, _FOCAL_35MM = 37386, 41989  # EXIF 2.32: FocalLength, FocalLengthIn35mmFilm
_PER_UNIT, _UNIT, _WIDTH, _HEIGHT = 41486, 41488, 40962, 40963  # FocalPlaneXResolution and -Unit, PixelX-, -YDimension
_UNIT_MM = {2: 25.4, 3: 10.0, 4: 1.0, 5: 0.001}
_FILM_DIAGONAL_MM = math.hypot(36, 24)
_FOCAL_LIMITS_MM = (4.0, 2000.0)

_DQT = 0xDB
_LUMINANCE = 0
# Sum of table K.1 of ITU-T T.81, which libjpeg scales by its quality (jcparam.c, jpeg_quality_scaling).
_SUM_AT_50 = 3688


@dataclass(frozen=True, slots=True)
class Capture:
    """What a photo's file says of it; None where it does not.

    Attributes:
        focal_35mm: focal length in mm of a lens with the same diagonal angle on 36 x 24 mm film.
        jpeg_quality: 1 to 100 on libjpeg's scale, from the sum of the luminance table; tables that are no multiple of
            the standard's get the quality of the same coarseness.
    """

    focal_35mm: float | None = None
    jpeg_quality: int | None = None


def capture_of(content: bytes) -> Capture:
    """Read the headers of a photo's file; what is damaged tells nothing."""
    kind = photo_format(content[:HEAD_BYTES])
    if kind is None:
        return Capture()
    try:
        _, taken, _ = directories(io.BytesIO(content), kind)
    except DECODER_ERRORS:
        taken = {}
    return Capture(_focal_35mm(taken), _quality(content) if kind == "jpeg" else None)


def _focal_35mm(taken: Tags) -> float | None:
    stated = _number(taken.get(_FOCAL_35MM)) or _by_sensor(taken)
    return stated if stated is not None and _FOCAL_LIMITS_MM[0] <= stated <= _FOCAL_LIMITS_MM[1] else None


def _by_sensor(taken: Tags) -> float | None:
    """Work the equivalent out from the focal length and the density of the sensor's pixels."""
    numbers = [_number(taken.get(tag)) for tag in (_FOCAL_MM, _PER_UNIT, _WIDTH, _HEIGHT)]
    unit = taken.get(_UNIT, 2)
    unit_mm = _UNIT_MM.get(unit) if isinstance(unit, int) else None
    known = [number for number in numbers if number is not None]
    if len(known) < len(numbers) or unit_mm is None:
        return None
    focal, per_unit, width, height = known
    return focal * _FILM_DIAGONAL_MM / (math.hypot(width, height) / per_unit * unit_mm)


def _number(value: Any) -> float | None:
    """Return a finite number above 0, or None: EXIF writes 0 for unknown."""
    return float(value) if isinstance(value, int | float) and math.isfinite(value) and value > 0 else None


def _quality(content: bytes) -> int | None:
    try:
        table = _luminance(content)
    except ValueError:
        return None
    if table is None:
        return None
    scale = 100 * float(table.sum()) / _SUM_AT_50
    # 5000 / quality below 50, 200 - 2 quality above; every entry at least 1, so that 100 has a sum of 64.
    quality = 5000 / scale if scale > 100 else (200 - scale) / 2
    return int(np.clip(round(quality), 1, 100)) if table.max() > 1 else 100


def _luminance(content: bytes) -> np.ndarray[Any, Any] | None:
    """Return the 64 divisors of brightness; None where the file has none.

    Raises:
        ValueError: the bytes are no sequence of segments.
    """
    for segment in jpeg.segments(io.BytesIO(content)):
        at, stop = segment.start, min(segment.stop, len(content))
        while segment.marker == _DQT and at < stop:
            wide, table_id = content[at] >> 4, content[at] & 15
            kind = np.dtype(">u2") if wide else np.dtype("u1")
            end = at + 1 + 64 * kind.itemsize
            if end > stop:
                return None
            if table_id == _LUMINANCE:
                return np.frombuffer(content[at + 1 : end], kind).astype(int)
            at = end
    return None
