"""The wire format of protobuf, read without believing it: sizes are held against what is left.

https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

from collections.abc import Iterator

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MAX_VARINT_BYTES = 10


def fields(view: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Yield (field number, value) of a message; fixed-width values come as bytes.

    Raises:
        ValueError: it is cut, or no message.
    """
    at = 0
    while at < len(view):
        tag, at = varint(view, at)
        number, wire_type = tag >> 3, tag & 7
        if number == 0:
            raise ValueError(f"field 0 at byte {at}")
        if wire_type == _VARINT:
            value, at = varint(view, at)
            yield number, value
            continue
        if wire_type == _BYTES:
            size, at = varint(view, at)
        elif wire_type in (_FIXED64, _FIXED32):
            size = 8 if wire_type == _FIXED64 else 4
        else:
            raise ValueError(f"wire type {wire_type} at byte {at}")
        if size > len(view) - at:
            raise ValueError(f"cut: {size} bytes are announced and {len(view) - at} are there")
        yield number, view[at : at + size]
        at += size


def varint(view: memoryview, at: int) -> tuple[int, int]:
    """Return a number and where it ends.

    Raises:
        ValueError: it is cut, or too long.
    """
    value = 0
    for index in range(_MAX_VARINT_BYTES):
        if at + index >= len(view):
            raise ValueError("cut inside a number")
        byte = view[at + index]
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value, at + index + 1
    raise ValueError(f"a number longer than {_MAX_VARINT_BYTES} bytes")
