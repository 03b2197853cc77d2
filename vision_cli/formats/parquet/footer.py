"""What a Parquet file announces in its footer, read without Arrow, which ends the process on some damaged footers.

Format: https://github.com/apache/parquet-format, src/main/thrift/parquet.thrift, in Thrift's compact protocol
(https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_MAX_DEPTH = 24
_MAX_VARINT_BYTES = 10
_TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = 1, 2, 3, 7, 8, 9, 10, 11, 12
_BYTE_ARRAY = 6

Fields = dict[int, Any]


@dataclass(frozen=True, slots=True)
class Chunk:
    """One column of one row group.

    Attributes:
        path: names from the top.
        is_text: texts or bytes of any length.
        has_dictionary: values may be indices of a dictionary.
        values: their number.
        unfolded: bytes after unpacking, before dictionaries are.
    """

    path: tuple[str, ...]
    is_text: bool
    has_dictionary: bool
    values: int
    unfolded: int


@dataclass(frozen=True, slots=True)
class Footer:
    """What the file announces.

    Attributes:
        rows: of all row groups.
        chunks: of all row groups.
    """

    rows: int
    chunks: tuple[Chunk, ...]


def read_footer(content: bytes) -> Footer:
    """Read a footer, without its length and magic.

    Raises:
        ValueError: no footer; cut, or negative numbers.
    """
    fields, _ = _Reader(content).struct(0, 0)
    groups = fields.get(4, [])
    if not isinstance(groups, list) or not all(isinstance(group, dict) for group in groups):
        raise ValueError("the footer has no row groups")
    chunks = tuple(_chunk(column) for group in groups for column in _list(group.get(1)))
    rows = sum(_size(group.get(3)) for group in groups)
    if rows != _size(fields.get(3)):
        raise ValueError(f"its row groups have {rows:,} rows, and it announces {fields.get(3)}")
    return Footer(rows, chunks)


def _chunk(column: Any) -> Chunk:
    data = column.get(3) if isinstance(column, dict) else None
    path = _list(data.get(3)) if isinstance(data, dict) else []
    if not isinstance(data, dict) or not path or not all(isinstance(part, bytes) for part in path):
        raise ValueError("a column has no name")
    names = tuple(part.decode() for part in path)
    _size(data.get(7))
    return Chunk(names, data.get(1) == _BYTE_ARRAY, 11 in data, _size(data.get(5)), _size(data.get(6)))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _size(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"it announces a size of {value}")
    return value


class _Reader:
    """Thrift's compact protocol, in bounded depth."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def struct(self, at: int, depth: int) -> tuple[Fields, int]:
        fields: Fields = {}
        number = 0
        while head := self._byte(at):
            at, kind = at + 1, head & 15
            if head >> 4:
                number += head >> 4
            else:
                number, at = self._zigzag(at)
            if kind in (_TRUE, _FALSE):
                fields[number] = kind == _TRUE
            else:
                fields[number], at = self._value(kind, at, depth)
        return fields, at + 1

    def _value(self, kind: int, at: int, depth: int) -> tuple[Any, int]:
        if depth > _MAX_DEPTH:
            raise ValueError("the footer is nested too deeply")
        if kind in (4, 5, 6):
            return self._zigzag(at)
        if kind in (_TRUE, _FALSE, _BYTE):
            return self._byte(at), at + 1
        if kind in (_LIST, _SET):
            return self._list(at, depth)
        if kind == _STRUCT:
            return self.struct(at, depth + 1)
        size, at = (8, at) if kind == _DOUBLE else self._varint(at) if kind == _BINARY else (-1, at)
        if not 0 <= size <= len(self._content) - at:
            raise ValueError("the footer is cut or damaged")
        return self._content[at : at + size], at + size

    def _list(self, at: int, depth: int) -> tuple[list[Any], int]:
        head, at = self._byte(at), at + 1
        size, at = (head >> 4, at) if head >> 4 < 15 else self._varint(at)
        if size > len(self._content) - at:
            raise ValueError("the footer announces more values than it has bytes")
        found = []
        for _ in range(size):
            value, at = self._value(head & 15, at, depth + 1)
            found.append(value)
        return found, at

    def _byte(self, at: int) -> int:
        if at >= len(self._content):
            raise ValueError("the footer is cut")
        return self._content[at]

    def _varint(self, at: int) -> tuple[int, int]:
        value = 0
        for index in range(_MAX_VARINT_BYTES):
            byte = self._byte(at + index)
            value |= (byte & 127) << 7 * index
            if byte < 128:
                return value, at + index + 1
        raise ValueError("the footer has a number that does not end")

    def _zigzag(self, at: int) -> tuple[int, int]:
        value, at = self._varint(at)
        return value >> 1 ^ -(value & 1), at


def text_columns(footer: Footer) -> Iterator[str]:
    """Yield the top-level columns of texts that a dictionary may repeat without end."""
    yield from (c.path[0] for c in footer.chunks if c.is_text and c.has_dictionary and len(c.path) == 1)
