"""One pass over a COCO file that never holds all of it: the list of annotations goes by in blocks of whole records.

A block is cut where one record seems to end and the next to begin, and handed on as a list of its own. If the cut was
wrong, deeper in a record or in a text, the list does not decode, and all from there on is decoded in one piece. What
remains, the file without the blocks that went well, is a JSON document again: the decoder checks that the whole is
well-formed, and a mark in place of the blocks proves that they lay in the list they were looked for in.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import msgspec

from vision_cli.core.errors import DataError
from vision_cli.formats.json_source import MAX_BYTES, JsonText, check_head, load

BLOCK_BYTES = 1 << 19
MARK = b'{"id":"mark of a part that was read before","image_id":0,"category_id":0},'

_LIST = re.compile(rb'"annotations"\s*:\s*\[\s*(?=\{)')
_FIRST_NAME = re.compile(rb'\{\s*("[^"\\]*")')
_SEAM = rb"\}\s*(,)\s*(?=\{\s*%b)"
_NEAR_BYTES = (1 << 13, 1 << 16, BLOCK_BYTES)
_KEPT_BYTES = 64
_MAX_WAITING_BYTES = 1 << 25

Take = Callable[[JsonText], None]
"""Receives a list of records; raises `msgspec.DecodeError` if the text is no list of JSON objects."""


@dataclass(frozen=True, slots=True)
class Rest:
    """What remains of a file.

    Attributes:
        text: a JSON document, without the records that were taken.
        marked: whether a part is left out; then `MARK` stands in its place.
    """

    text: JsonText
    marked: bool


def stream(path: Path, take: Take) -> Rest:
    """Hand on the annotations of a file in blocks, and return what remains.

    Raises:
        DataError: missing, 2 GiB or more, empty, or not UTF-8.
    """
    try:
        if not path.is_file() or os.path.getsize(path) > MAX_BYTES:  # noqa: PTH202 - PathLike of a file
            return whole(path)
        with path.open("rb", buffering=0) as file:
            return _stream(path, file, take)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}.", hint="Check the path.") from error


def whole(path: Path) -> Rest:
    """Return a file as it is; `load` says what is refused."""
    return Rest(load(path), marked=False)


def _stream(path: Path, file: BinaryIO, take: Take) -> Rest:
    head = _head(file)
    if head is None:
        return whole(path)
    start = check_head(path, head[:_KEPT_BYTES])
    found = _LIST.search(head)
    begin = found.end() if found else len(head)
    done, waiting, seam = begin, head[begin:], _seam(head, begin)
    while block := file.read(BLOCK_BYTES):
        cut = _last_seam(block, seam)
        if cut == 0:  # a record longer than a block, or no more records
            waiting += block
            if len(waiting) < _MAX_WAITING_BYTES:
                continue
            break
        # One copy of the block, and none of what waits more than once.
        records = JsonText(path, b"".join((b"[", waiting, memoryview(block)[: cut - 1], b"]")), start=done - 1)
        try:
            take(records)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            waiting += block
            break
        done, waiting = done + len(waiting) + cut, block[cut:]
    if done == begin:
        return whole(path)
    tail = waiting + _remaining(file)
    front = head[start:begin] + MARK
    JsonText(path, front, start).check_utf8()
    JsonText(path, tail, done).check_utf8()
    return Rest(JsonText(path, front + tail, start, gap_at=len(front), gap=done - begin - len(MARK)), marked=True)


def _remaining(file: BinaryIO) -> bytes:
    parts = []
    while part := file.read(1 << 24):
        parts.append(part)
    return b"".join(parts)


def _head(file: BinaryIO) -> bytes | None:
    """Return the file up to the block in which the annotations begin; None where they do not."""
    parts: list[bytes] = []
    before = b""
    while block := file.read(BLOCK_BYTES):
        parts.append(block)
        if _LIST.search(before + block):
            return b"".join(parts)
        before = block[-_KEPT_BYTES:]
    return None


def _seam(head: bytes, begin: int) -> re.Pattern[bytes]:
    """Return what parts two records: the second begins with the same name as the first of all, unlike what is in it."""
    first = _FIRST_NAME.match(head, begin)
    return re.compile(_SEAM % (re.escape(first[1]) if first else b""))


def _last_seam(block: bytes, seam: re.Pattern[bytes]) -> int:
    """Return the offset behind the comma of the last seam between two records; 0 where there is none."""
    for near in _NEAR_BYTES:
        last = 0
        for match in seam.finditer(block, max(0, len(block) - near)):
            last = match.end(1)
        if last:
            return last
    return 0
