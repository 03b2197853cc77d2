"""The wire format of protobuf, written: https://protobuf.dev/programming-guides/encoding/."""

from __future__ import annotations

from collections.abc import Iterable

_VARINT, _BYTES = 0, 2


def number(field: int, value: int) -> bytes:
    """Return a field that holds a whole number of at least 0."""
    return _varint(field << 3 | _VARINT) + _varint(value)


def data(field: int, value: bytes | str) -> bytes:
    """Return a field that holds bytes, a text or a message."""
    content = value.encode() if isinstance(value, str) else value
    return _varint(field << 3 | _BYTES) + _varint(len(content)) + content


def messages(field: int, values: Iterable[bytes]) -> bytes:
    """Return a repeated field of messages."""
    return b"".join(data(field, value) for value in values)


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)
