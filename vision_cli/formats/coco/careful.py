"""One COCO record, member by member: what is odd but clear is taken, what is wrong is named."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import msgspec

from vision_cli.formats.coco.outlines import MAX_PX

ABSENT = msgspec.Raw()
"""Stands for a member that a record does not have, compared by identity."""

_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ANY = msgspec.json.Decoder()
_SHOWN = 60

Complain = Callable[[str, str, Any], None]
"""Receives the kind, what is wrong, and the record's id."""


class Record(msgspec.Struct, gc=False):
    """An annotation, or a result; the members that have columns."""

    image_id: int | str | None = None
    category_id: int | str | None = None
    bbox: tuple[float, float, float, float] | None = None
    segmentation: msgspec.Raw = ABSENT
    area: float | None = None
    iscrowd: int | bool | None = None
    id: int | str | None = None
    score: float | None = None
    keypoints: msgspec.Raw = ABSENT
    num_keypoints: int | None = None
    track_id: int | None = None
    caption: msgspec.Raw = ABSENT
    segments_info: msgspec.Raw = ABSENT


class Usual(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """An annotation of boxes and outlines alone, as most files hold nothing else: half as long to make."""

    image_id: int
    category_id: int
    bbox: tuple[float, float, float, float] | None = None
    segmentation: msgspec.Raw = ABSENT
    area: float | None = None
    iscrowd: int | None = None
    id: int | None = None


KNOWN = frozenset(Record.__struct_fields__)
RAW = ("segmentation", "keypoints", "caption", "segments_info")


def record(raw: msgspec.Raw, complain: Complain) -> Record:
    """Return a record; members that are refused are left at their defaults."""
    if bytes(raw)[:1] != b"{":
        complain("bad records", f"is {_shorten(bytes(raw))}, no object", None)
        return Record()
    members = _MEMBERS.decode(raw)
    identity = _shown_id(members.get("id"))
    found = Record()
    for name in RAW:
        setattr(found, name, members.get(name, ABSENT))
    for name, check in _CHECKS.items():
        if name in members:
            text = bytes(members[name])
            try:
                setattr(found, name, check(_value(text)))
            except ValueError as error:
                kind, what = error.args
                complain(kind, f"{name} is {_shorten(text)}{what}", identity)
    return found


def _value(text: bytes) -> Any:
    try:
        return _ANY.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError("bad numbers", f": {str(error)[:1].lower()}{str(error)[1:].partition(' - at')[0]}") from error


def identity(value: Any) -> int | str | None:
    """Return an id: a whole number, also written as 7.0, or a text.

    Raises:
        ValueError: kind and what of anything else.
    """
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if value is None or (isinstance(value, int | str) and not isinstance(value, bool)):
        return value
    raise ValueError("bad ids", "; an id is a whole number or a text")


def _box(value: Any) -> tuple[float, float, float, float] | None:
    if value is None or value == []:
        return None
    if not isinstance(value, list) or len(value) != 4:
        raise ValueError("bad boxes", "; a box is [x, y, width, height]")
    for number in value:
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise ValueError("bad boxes", "; a box is four numbers")
    if any(abs(number) >= MAX_PX for number in value):
        raise ValueError("bad boxes", f"; a box stays below {MAX_PX:,.0f} pixels")
    x, y, w, h = map(float, value)
    return x, y, w, h


def number(value: Any) -> float | None:
    """Return a finite number or None.

    Raises:
        ValueError: kind and what of anything else.
    """
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("bad numbers", ", no number")
    try:
        found = float(value)
    except OverflowError:
        found = math.inf
    if not math.isfinite(found):
        raise ValueError("bad numbers", ", out of range")
    return found


def whole(value: Any) -> int | None:
    """Return a whole number of 64 bits, also written as 7.0, or None.

    Raises:
        ValueError: kind and what of anything else.
    """
    found = number(value)
    if found is not None and (not found.is_integer() or abs(found) >= 2**63):
        raise ValueError("bad numbers", ", no whole number of 64 bits")
    return None if found is None else int(value)


def _crowd(value: Any) -> int | bool | None:
    if value is None or isinstance(value, bool) or value in (0, 1):
        return None if value is None else int(value)
    raise ValueError("bad crowd flags", "; iscrowd is 0 or 1")


_CHECKS: dict[str, Callable[[Any], Any]] = {
    "id": identity,
    "image_id": identity,
    "category_id": identity,
    "bbox": _box,
    "area": number,
    "iscrowd": _crowd,
    "score": number,
    "num_keypoints": whole,
    "track_id": whole,
}


def _shown_id(raw: msgspec.Raw | None) -> str | None:
    return None if raw is None else _shorten(bytes(raw))


def _shorten(text: bytes) -> str:
    shown = str(text, "utf-8", "replace")
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."
