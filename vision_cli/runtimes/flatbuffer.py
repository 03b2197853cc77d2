"""The `metadata` table of a TFLite file, read without LiteRT: each offset is checked before it is followed.

Encoding: https://flatbuffers.dev/internals/; field numbers: the order of fields in TFLite's schema.fbs.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

_MODEL_BUFFERS, _MODEL_METADATA = 4, 6
_ENTRY_NAME, _ENTRY_BUFFER = 0, 1
_BUFFER_DATA = 0
_MAX_ENTRIES = 10_000


@dataclass(frozen=True, slots=True)
class _Table:
    content: bytes
    at: int

    def field(self, number: int) -> int | None:
        """Return where a field lies, or None when the table has none."""
        vtable = self.at - _number(self.content, self.at, "<i")
        slot = 4 + 2 * number
        if slot + 2 > _number(self.content, vtable, "<H"):
            return None
        offset = _number(self.content, vtable + slot, "<H")
        return self.at + offset if offset else None

    def vector(self, number: int) -> tuple[int, int]:
        """Return where a vector's items begin and how many there are; an absent one is empty."""
        at = self.field(number)
        if at is None:
            return 0, 0
        start = at + _number(self.content, at, "<I")
        return start + 4, _number(self.content, start, "<I")

    def octets(self, number: int) -> bytes:
        """Return a string or a vector of bytes."""
        start, length = self.vector(number)
        if start + length > len(self.content):
            raise ValueError(f"cut: {length} bytes at {start} end after the file")
        return self.content[start : start + length]

    def item(self, number: int, index: int) -> _Table:
        """Return a table of a vector of tables."""
        start, length = self.vector(number)
        if not 0 <= index < length:
            raise ValueError(f"item {index} of a vector of {length}")
        at = start + 4 * index
        return _Table(self.content, at + _number(self.content, at, "<I"))


def read_metadata(content: bytes) -> dict[str, bytes]:
    """Return the entries of a TFLite file's `metadata` table by name.

    Raises:
        ValueError: cut, or not a TFLite file.
    """
    if content[4:8] != b"TFL3":
        raise ValueError("no TFL3 at byte 4")
    model = _Table(content, _number(content, 0, "<I"))
    _, length = model.vector(_MODEL_METADATA)
    if length > _MAX_ENTRIES:
        raise ValueError(f"{length} metadata entries")
    return dict(_entry(model, index) for index in range(length))


def _entry(model: _Table, index: int) -> tuple[str, bytes]:
    entry = model.item(_MODEL_METADATA, index)
    name = entry.octets(_ENTRY_NAME).decode("utf-8", errors="replace")
    at = entry.field(_ENTRY_BUFFER)
    buffer = 0 if at is None else _number(model.content, at, "<I")
    return name, model.item(_MODEL_BUFFERS, buffer).octets(_BUFFER_DATA)


def _number(content: bytes, at: int, code: str) -> int:
    if not 0 <= at <= len(content) - struct.calcsize(code):
        raise ValueError(f"an offset leads to byte {at} of {len(content)}")
    return int(struct.unpack_from(code, content, at)[0])
