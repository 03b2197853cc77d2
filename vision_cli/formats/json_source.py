"""JSON files from anywhere: decoded strictly, refused with the byte offset.

Format: RFC 8259 in UTF-8; a byte order mark is accepted. What the RFC leaves open is refused: repeated names in an
object, `NaN` and numbers beyond a float64, nesting beyond what the decoder takes (about a thousand levels). Files of
2 GiB and more are refused before they are opened: they need a multiple of that in memory.
"""

from __future__ import annotations

import codecs
import gc
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from vision_cli.core.errors import DataError
from vision_cli.core.files import read_limited

MAX_BYTES = 2**31 - 1
DEEP = 500
"""Levels at which a file that was too deep to decode is pointed at."""

_BOM = codecs.BOM_UTF8
_FOREIGN_BOMS = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_BLOCK_BYTES = 1 << 20
_SHOWN = 80
_BYTE = re.compile(r" ?\(byte (\d+)\)")
_NAME = re.compile(rb'\s*"([^"\\]*(?:\\.[^"\\]*)*)"\s*:\s*', re.DOTALL)
_COLON = re.compile(rb"\s*:")
_AFTER = re.compile(rb"\s*([,}])")
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]', re.DOTALL)
_NUMBER = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.]*[eE]\+?\d+|-?\d{309,}', re.DOTALL)
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])

Decoded = TypeVar("Decoded")


@dataclass(frozen=True, slots=True)
class Member:
    """A name in an object and its value.

    Attributes:
        name: decoded.
        value: byte for byte.
        at: offset of the name in `JsonText.data`.
        value_at: offset of the value.
    """

    name: str
    value: bytes
    at: int
    value_at: int


@dataclass(frozen=True, slots=True)
class JsonText:
    """UTF-8 JSON text of a file, or a part of one.

    Attributes:
        where: the file, for messages.
        data: the text, without byte order mark.
        start: byte offset of `data` in the file.
        gap_at: offset in `data` from which on bytes of the file are left out.
        gap: how many.
    """

    where: Path
    data: bytes
    start: int = 0
    gap_at: int = 0
    gap: int = 0

    def offset(self, at: int) -> int:
        """Return the byte offset in the file of an offset in `data`."""
        return self.start + at + (self.gap if at >= self.gap_at else 0)

    def decode(self, decoder: msgspec.json.Decoder[Decoded]) -> Decoded:
        """Decode the whole text.

        Raises:
            DataError: malformed, too deep, or not of the decoder's type; with the byte offset where one is to be had.
        """
        try:
            with without_collector():
                return decoder.decode(self.data)
        except RecursionError as error:
            raise self.refused("is nested too deeply", _deep_at(self.data)) from error
        except UnicodeDecodeError as error:
            raise self.refused("is not UTF-8", _not_utf8_at(self.data)) from error
        except msgspec.DecodeError as error:
            raise self._malformed(error) from error

    def members(self) -> list[Member]:
        """Return the members of an object in order.

        Raises:
            DataError: malformed, no object, or a name stands twice.
        """
        found = self.decode(_MEMBERS)
        members: list[Member] = []
        position = self.data.index(b"{") + 1
        while match := _NAME.match(self.data, position):
            name: str = msgspec.json.decode(b'"' + match[1] + b'"')
            end = match.end() + memoryview(found[name]).nbytes if name in found else len(self.data)
            follower = _AFTER.match(self.data, end)
            if follower is None:
                break
            members.append(Member(name, bytes(found[name]), match.start(1) - 1, match.end()))
            position = follower.end()
        # The decoder keeps the last value of a name: where one stands twice, values do not follow each other.
        if [member.name for member in members] != list(found):
            raise self._repeated()
        return members

    def value(self) -> Any:
        """Return plain Python values of the whole text, names in the order of the file.

        Raises:
            DataError: malformed, too deep, a number out of range, or a repeated name at any level.
        """
        try:
            return json.loads(self.data, object_pairs_hook=_distinct, parse_constant=_constant, parse_float=_float)
        except _RepeatedError as error:
            raise self._repeated() from error
        except RecursionError as error:
            raise self.refused("is nested too deeply", _deep_at(self.data)) from error
        except (ValueError, OverflowError) as error:
            self.decode(msgspec.json.Decoder())  # says the byte
            raise self.refused(f"is malformed: {error}", 0) from error

    def check_utf8(self) -> None:
        """Refuse bytes that are not UTF-8: a decoder looks only at the texts that it decodes."""
        if not self.data.isascii() and (at := _not_utf8_at(self.data)) is not None:
            raise self.refused("is not UTF-8", at, "Save it as UTF-8.")

    def refused(self, what: str, at: int | None, hint: str | None = None) -> DataError:
        """Return an error that names the file and the byte."""
        place = "" if at is None else f" at byte {self.offset(at):,}"
        hint = hint or "Check how the file was made or copied."
        return DataError(f"{self.where}: the JSON {what}{place}.", hint=hint)

    def _repeated(self) -> DataError:
        name, at = _repeated_at(self.data)
        shown = name if len(name) < _SHOWN else f"{name[:_SHOWN]}..."
        return self.refused(f"holds the name {shown!r} twice in one object,", at, "Keep one of them.")

    def _malformed(self, error: msgspec.DecodeError) -> DataError:
        text = str(error)
        if "truncated" in text:
            return self.refused("ends too early,", len(self.data), "The file was cut off: copy it again.")
        if "out of range" in text:
            return self.refused("holds a number out of range", _out_of_range_at(self.data))
        if byte := _BYTE.search(text):
            at = int(byte[1]) - ("trailing" in text)  # of these the decoder names the byte behind the first
            text = _BYTE.sub("", text).removeprefix("JSON is malformed: ")
            return self.refused(f"is malformed: {text}", at, f"There stands {self.data[at : at + 20]!r}.")
        return DataError(f"{self.where}: {text[:1].lower()}{text[1:]}.", hint="Is it a file of this format?")


def load(path: Path, *, max_bytes: int = MAX_BYTES, what: str = "the JSON file") -> JsonText:
    """Read a file of UTF-8 text.

    Raises:
        DataError: missing, larger than allowed, empty, or not UTF-8, with the byte offset.
    """
    data = read_limited(path, max_bytes=max_bytes, what=what)
    start = check_head(path, data[:64])
    data = data[start:] if start else data
    text = JsonText(path, data, start)
    if not data.strip():
        raise text.refused("is empty", 0)
    text.check_utf8()
    return text


def check_head(path: Path, head: bytes) -> int:
    """Return how many bytes a byte order mark takes.

    Raises:
        DataError: the text is UTF-16 or UTF-32.
    """
    if head.startswith(_FOREIGN_BOMS) or (len(head) > 1 and b"\0" in head[:4]):
        raise DataError(f"{path}: the JSON is UTF-16 or UTF-32, not UTF-8, at byte 0.", hint="Save it as UTF-8.")
    return len(_BOM) if head.startswith(_BOM) else 0


@contextmanager
def without_collector() -> Iterator[None]:
    """Keep the garbage collector from visiting again and again what a decoder has just made: it makes no cycles."""
    active = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if active:
            gc.enable()


class _RepeatedError(ValueError):
    """A name stands twice; the decoder knows no place."""


def _distinct(pairs: Sequence[tuple[str, Any]]) -> Mapping[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _RepeatedError
    return found


def _constant(text: str) -> float:
    raise ValueError(text)


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def _deep_at(data: bytes) -> int | None:
    """Return the offset of the bracket that opens one level too many."""
    depth = 0
    for match in _TOKEN.finditer(data):
        depth += {b"[": 1, b"{": 1, b"]": -1, b"}": -1}.get(match[0], 0)
        if depth > DEEP:
            return match.start()
    return None


def _out_of_range_at(data: bytes) -> int | None:
    """Return the offset of the first number that is no finite float64."""
    numbers = (match for match in _NUMBER.finditer(data) if match[0][:1] != b'"')
    return next((match.start() for match in numbers if not math.isfinite(float(match[0]))), None)


def _not_utf8_at(data: bytes) -> int | None:
    """Return the offset of the first byte that is not UTF-8, in blocks: a decoded text may be four times as large."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    for start in range(0, len(data), _BLOCK_BYTES):
        waiting = len(decoder.getstate()[0])
        try:
            decoder.decode(data[start : start + _BLOCK_BYTES], final=start + _BLOCK_BYTES >= len(data))
        except UnicodeDecodeError as error:
            return start - waiting + error.start
    return None


def _repeated_at(data: bytes) -> tuple[str, int | None]:
    """Return the first name that its object holds already and its offset, by a scan of the whole text."""
    objects: list[set[str] | None] = []
    for match in _TOKEN.finditer(data):
        token = match[0]
        if token in (b"{", b"["):
            objects.append(set() if token == b"{" else None)
        elif token in (b"}", b"]"):
            objects.pop()
        elif objects and (names := objects[-1]) is not None and _COLON.match(data, match.end()):
            name: str = msgspec.json.decode(token)
            if name in names:
                return name, match.start()
            names.add(name)
    return "?", None
