"""Lines of JSON records, typed: the fields of a block of lines that a decoder takes in one go, as columns.

Records are those of photo_records.py with objects in parallel lists. What is not of the common form is left to its
slow, exact way: `decode` then returns None. So are repeated keys, which no typed decoder sees: a block has as many
colons as its keys, texts and raw values account for, or a key of it stands twice.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import attrgetter
from typing import Any

import msgspec

Scalar = str | int | float | bool | None
Column = list[Any]

_UNSET = msgspec.UNSET
_OBJECTS = "objects"
_RAW = ("segmentation", "keypoints", "attributes")
_BOX = list[tuple[float, float, float, float] | None]
_ESCAPE = b"\\"
_ESCAPED_COLON = re.compile(rb"\\u003[aA]")
_KEYS = msgspec.json.Decoder(dict[str, msgspec.Raw])


@dataclass(frozen=True, slots=True)
class Lines:
    """A block of records.

    Attributes:
        fields: by name, a value a record; UNSET where it has no such field. `objects` is not among them.
        has_objects: whether a record has that field.
        objects: its parts by name, a list a record; None or UNSET where it has none.
        lines: the texts.
    """

    fields: dict[str, Column]
    has_objects: Sequence[bool]
    objects: dict[str, Column]
    lines: Sequence[bytes]

    def keys_of(self, row: int) -> list[str]:
        """Return the names of a record's fields in its order."""
        return list(_KEYS.decode(self.lines[row]))


class LineDecoder:
    """Decodes blocks of lines by the fields that were met so far.

    Args:
        columns: names that may stand in `objects`.
        refused: names of fields that leave a block to the slow way.
    """

    def __init__(self, columns: Iterable[str], refused: Iterable[str]) -> None:
        self._columns, self._refused = frozenset(columns), frozenset(refused)
        self._fields: dict[str, None] = {}
        self._of_objects: dict[str, None] = {}
        self._decode: Callable[[bytes], Any] | None = None

    def decode(self, lines: Sequence[bytes]) -> Lines | None:
        """Return a block's fields; None where a line is anything but a plain record."""
        found = self._typed(lines)
        if found is None and self._learn(lines):
            found = self._typed(lines)
        if found is None or _has_repeated_keys(found):
            return None
        return found

    def _typed(self, lines: Sequence[bytes]) -> Lines | None:
        if self._decode is None:
            return None
        try:
            rows = list(map(self._decode, lines))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        objects = [row.f0 for row in rows]
        return Lines(
            {name: list(map(attrgetter(f"f{n}"), rows)) for n, name in enumerate(self._fields) if name != _OBJECTS},
            [found is not _UNSET for found in objects],
            {name: _of_objects(objects, f"f{n}") for n, name in enumerate(self._of_objects)},
            lines,
        )

    def _learn(self, lines: Sequence[bytes]) -> bool:
        """Add the names of fields that lines have; tell whether all may be decoded."""
        fields, columns = {_OBJECTS: None, **self._fields}, dict(self._of_objects)
        try:
            for line in lines:
                record = _KEYS.decode(line)
                fields.update(dict.fromkeys(record))
                if bytes(record.get(_OBJECTS, b""))[:1] == b"{":
                    columns.update(dict.fromkeys(_KEYS.decode(record[_OBJECTS])))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return False
        if self._refused & set(fields) or not set(columns) <= self._columns:
            return False
        if self._decode is None or len(fields) > len(self._fields) or len(columns) > len(self._of_objects):
            self._fields, self._of_objects = fields, columns
            self._decode = msgspec.json.Decoder(_line_type(list(fields), list(columns))).decode
        return True


def _of_objects(objects: Sequence[Any], field: str) -> Column:
    return [_UNSET if found is None or found is _UNSET else getattr(found, field) for found in objects]


def _line_type(fields: list[str], columns: list[str]) -> Any:
    """Return the type of a line whose field of objects comes first."""
    objects = _struct("Objects", columns, [_column_type(name) for name in columns])
    return _struct("Line", fields, [objects | None, *[Scalar] * (len(fields) - 1)])


def _struct(name: str, fields: list[str], kinds: list[Any]) -> Any:
    """Return a type whose fields are called f0, f1 ..., since a field of JSON may have any name."""
    kind: Any = msgspec.defstruct(
        name,
        [(f"f{n}", kind | msgspec.UnsetType, _UNSET) for n, kind in enumerate(kinds)],
        rename={f"f{n}": field for n, field in enumerate(fields)},
        forbid_unknown_fields=True,
        gc=False,
    )
    return kind


def _column_type(name: str) -> Any:
    if name in _RAW:
        return list[msgspec.Raw] | None
    return (_BOX if name == "bbox" else list[Scalar]) | None


def _has_repeated_keys(found: Lines) -> bool:
    """Tell whether lines have other colons than their keys and values account for."""
    if any(_ESCAPE in line and _ESCAPED_COLON.search(line) for line in found.lines):
        return True
    expected = sum(found.has_objects)
    for name, column in (*found.fields.items(), *found.objects.items()):
        expected += (len(column) - column.count(_UNSET)) * (1 + name.count(":"))
    expected += sum(map(_colons, found.fields.values()))
    for name, column in found.objects.items():
        lists = [values for values in column if values]
        if name in _RAW:
            expected += b"".join(chain.from_iterable(lists)).count(b":")
        elif name != "bbox":
            expected += _colons(list(chain.from_iterable(lists)))
    return expected != sum(line.count(b":") for line in found.lines)


def _colons(values: Column) -> int:
    return "".join(value for value in values if type(value) is str).count(":")
