"""`label_map.pbtxt`: class ids and names beside TFRecords.

Format: protobuf's text format of object_detection/protos/string_int_label_map.proto
(https://protobuf.dev/reference/protobuf/textformat-spec/); only `item { id: 1 name: "cat" }` is looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from vision_cli.core.errors import DataError
from vision_cli.core.files import read_limited, utf8

_MAX_BYTES = 1 << 24
_MAX_DEPTH = 20
_TOKEN = re.compile(
    r"""(?P<skip>\s+|\#[^\n]*|[,;])|(?P<open>[{<])|(?P<close>[}>])|(?P<colon>:)"""
    r"""|(?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|(?P<word>[A-Za-z0-9_.+\-]+)|(?P<list>[\[\]])"""
)
_ESCAPES = re.compile(rb"\\(?:([0-7]{1,3})|x([0-9a-fA-F]{1,2})|(.))", re.DOTALL)
_LETTERS = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v"}

Token = tuple[str, str, int]


def read_label_map(path: Path) -> dict[int, str]:
    """Return class names by id, in the file's order.

    Raises:
        DataError: not text format, an item without id or name, or ids or names twice.
    """
    text = utf8(read_limited(path, max_bytes=_MAX_BYTES, what="the label map"), where=str(path))
    found: dict[int, str] = {}
    for item, line in _items(path, text):
        name, number = item.get("name") or item.get("display_name"), item.get("id", "")
        if not name or not re.fullmatch(r"[0-9]{1,9}", number):
            raise DataError(f"{path}:{line}: an item needs an id and a name.", hint='item { id: 1 name: "cat" }')
        if int(number) in found or name in found.values():
            raise DataError(f"{path}:{line}: the id {number} or the name {name!r} stands twice.", hint="Keep one.")
        found[int(number)] = name
    if not found:
        raise DataError(f"{path}: there is no item in it.", hint='item { id: 1 name: "cat" }')
    return found


def _items(path: Path, text: str) -> Iterator[tuple[dict[str, str], int]]:
    """Yield the scalar fields of each top-level `item`, and its line."""
    depth, field, item, first = 0, "", dict[str, str](), 1
    for kind, value, line in _tokens(path, text):
        if kind == "open":
            item, first = (item, first) if depth else ({}, line)
            depth += 1
            _check_open(path, line, depth, field)
        elif kind == "close":
            depth -= 1
            if depth == 0:
                yield item, first
        elif field and depth == 1:
            item[field] = _unquoted(value) if kind == "text" else value
        field = value if kind == "word" and not field else ""
        if depth < 0:
            raise DataError(f"{path}:{line}: a bracket closes nothing.", hint="Is the file whole?")
    if depth:
        raise DataError(f"{path}:{first}: the item does not end.", hint="Is the file whole?")


def _check_open(path: Path, line: int, depth: int, field: str) -> None:
    if depth > _MAX_DEPTH or (depth == 1 and field != "item"):
        raise DataError(f"{path}:{line}: 'item {{' was expected, not {field!r}.", hint="Is it a label map?")


def _tokens(path: Path, text: str) -> Iterator[Token]:
    at, line = 0, 1
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise DataError(f"{path}:{line}: {text[at : at + 20]!r} is no label map.", hint="Is the file whole?")
        if match.lastgroup not in ("skip", "colon", "list"):
            yield match.lastgroup or "", match.group(), line
        line += match.group().count("\n")
        at = match.end()


def _unquoted(text: str) -> str:
    def plain(match: re.Match[bytes]) -> bytes:
        octal, hexadecimal, letter = match.groups()
        if letter is not None:
            return _LETTERS.get(letter, bytes(letter))
        return bytes([int(octal, 8) & 0xFF if octal else int(hexadecimal, 16)])

    return _ESCAPES.sub(plain, text[1:-1].encode()).decode(errors="replace")
