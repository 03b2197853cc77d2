"""The `segmentation` of COCO records, checked without being kept: polygons, run-length masks, or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from vision_cli.core import rle
from vision_cli.core.errors import DataError
from vision_cli.formats.coco.skeleton import skeleton
from vision_cli.formats.json_source import JsonText

MAX_PX = 1e7
"""Coordinates and sizes of this many pixels and more are no pixels."""
MAX_POINTS = 100_000
_MAX_BYTES = 8_000_000
_MIN_VALUES = 6

_Coordinate = Annotated[float, msgspec.Meta(gt=-MAX_PX, lt=MAX_PX)]
_Ring = Annotated[list[_Coordinate], msgspec.Meta(min_length=_MIN_VALUES, max_length=2 * MAX_POINTS)]
_POLYGONS = msgspec.json.Decoder(list[_Ring])
_ANY = msgspec.json.Decoder()


class _Mask(msgspec.Struct, gc=False):
    size: tuple[int, int]
    counts: str | list[int]


_MASK = msgspec.json.Decoder(_Mask)
_NULL = msgspec.Raw(b"null")
_LIST = ord("[")


@dataclass(slots=True)
class Outlines:
    """What the outlines of some records are.

    Attributes:
        parts: int16 (N,), as in the column `outline_parts`.
        bad: (row, kind, what) of each that is refused.
        masks: (row, (height, width)) of each run-length mask.
        absent: records that have none.
        colons: colons within the masks' texts: what is to be expected of a file without repeated names.
    """

    parts: NDArray[np.int16]
    bad: list[tuple[int, str, str]] = field(default_factory=list)
    masks: list[tuple[int, tuple[int, int]]] = field(default_factory=list)
    absent: int = 0
    colons: int = 0


def check(raws: Sequence[msgspec.Raw], absent: msgspec.Raw) -> Outlines:
    """Check outlines.

    Args:
        raws: the values of `segmentation`, byte for byte.
        absent: stands where a record has none.
    """
    missing = raws.count(absent)
    if missing == len(raws):
        return Outlines(np.zeros(len(raws), dtype=np.int16), absent=missing)
    texts = [_NULL if raw is absent else raw for raw in raws] if missing else raws
    parts, others = _at_once(texts) or _one_by_one(texts)
    found = Outlines(np.minimum(parts, np.iinfo(np.int16).max).astype(np.int16), absent=missing)
    for row in others:
        try:
            found.parts[row] = _other(row, bytes(texts[row]), found)
        except DataError as error:
            found.bad.append((row, "bad outlines", error.message.rstrip(".")))
    return found


def _at_once(raws: Sequence[msgspec.Raw]) -> tuple[NDArray[np.int64], list[int]] | None:
    """Return the number of polygons in each, and the rows of anything else; None where each has to be looked at."""
    text = b",".join(raws)
    ends = np.cumsum(np.fromiter(map(len, raws), dtype=np.int64, count=len(raws)) + 1)
    starts = np.append(np.zeros(1, dtype=np.int64), ends)
    lists = np.frombuffer(text, dtype=np.uint8)[starts[:-1]] == _LIST
    if lists.all():
        found = skeleton(text, len(raws), _MIN_VALUES, 2 * MAX_POINTS)
        return None if found is None else (found.parts, found.doubtful)
    found = skeleton(_runs(text, starts, lists), int(lists.sum()), _MIN_VALUES, 2 * MAX_POINTS)
    if found is None:
        return None
    parts = np.zeros(len(raws), dtype=np.int64)
    parts[lists] = found.parts
    return parts, np.flatnonzero(parts == 0).tolist()


def _runs(text: bytes, starts: NDArray[np.int64], kept: NDArray[np.bool_]) -> bytes:
    """Return the texts that are kept, with commas between; a text ends at a comma before the next one's start."""
    edges = starts[np.flatnonzero(np.diff(kept, prepend=False, append=False))].reshape(-1, 2).tolist()
    view = memoryview(text)
    return b",".join([view[first : stop - 1] for first, stop in edges])


def _one_by_one(raws: Sequence[msgspec.Raw]) -> tuple[NDArray[np.int64], list[int]]:
    """Return the number of polygons in each, and the rows that are not simply good polygons."""
    parts, others = np.zeros(len(raws), dtype=np.int64), []
    for row, raw in enumerate(raws):
        try:
            rings = _POLYGONS.decode(raw)
        except (msgspec.DecodeError, RecursionError):
            others.append(row)
            continue
        if any(len(ring) & 1 for ring in rings):
            others.append(row)
        else:
            parts[row] = len(rings)
    return parts, others


def _other(row: int, text: bytes, found: Outlines) -> int:
    """Return the parts of an outline that is no list of good polygons.

    Raises:
        DataError: what is wrong with it.
    """
    if text == b"null" or (text[:1] == b"[" and not text[1:-1].strip()):
        return 0
    if len(text) > _MAX_BYTES:
        raise DataError(f"an outline of {len(text) / 1e6:.0f} MB; the limit is {_MAX_BYTES / 1e6:.0f} MB")
    if text[:1] != b"{":
        raise DataError(_what_is_wrong(text))
    try:
        mask = _MASK.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DataError(f"a mask with {str(error).rstrip('.')}") from error
    height, width = mask.size
    rle.check_size(height, width)
    counts = mask.counts
    rle.runs(rle.from_text(counts) if isinstance(counts, str) else counts, height, width)
    if text.count(b":") != 2 + (counts.count(":") if isinstance(counts, str) else 0):
        JsonText(Path("segmentation"), text).members()  # refuses a name that stands twice
    found.masks.append((row, (height, width)))
    found.colons += text.count(b":")
    return -1


def _what_is_wrong(text: bytes) -> str:
    """Say in words what is wrong with polygons."""
    try:
        found: Any = _ANY.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return f"an outline with {str(error)[:1].lower()}{str(error)[1:].rstrip('.')}"
    if not isinstance(found, list):
        return f"an outline that is neither polygons nor a mask: {str(text[:40], 'utf-8', 'replace')}"
    for number, ring in enumerate(found):
        where = f"polygon {number + 1} of {len(found)}"
        if not isinstance(ring, list):
            return f"{where} is no list of numbers"
        if len(ring) < _MIN_VALUES or len(ring) % 2:
            return f"{where} has {len(ring)} values; x, y of 3 points or more are needed"
        if len(ring) > 2 * MAX_POINTS:
            return f"{where} has {len(ring) // 2:,} points; the limit is {MAX_POINTS:,}"
        if wrong := [value for value in ring if not _is_pixel(value)]:
            return f"{where} holds {str(wrong[0])[:40]}, no number of pixels"
    return "polygons that cannot be read"


def _is_pixel(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < MAX_PX
