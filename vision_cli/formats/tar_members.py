"""Members of a tar archive that may come from anybody.

Format: POSIX.1-2001 ustar and pax (IEEE Std 1003.1, `pax`, "ustar Interchange Format"), and GNU tar's long names and
base-256 sizes (https://www.gnu.org/software/tar/manual/html_node/Standard.html). Only plain files and folders
pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from vision_cli.formats.byte_stream import Broken, Stream

MAX_MEMBERS = 500_000
_BLOCK = 512
_MAX_HEADER_BYTES = 1 << 16
_MAX_NAME_BYTES = 4096
_MAX_PART_BYTES = 255
_ENDS = 2

_FILES = (b"0", b"\0", b"7")
_FOLDER, _PAX, _PAX_GLOBAL, _LONG_NAME, _LONG_LINK = b"5", b"x", b"g", b"L", b"K"
_REFUSED = {
    b"1": "a hard link",
    b"2": "a symbolic link",
    b"3": "a character device",
    b"4": "a block device",
    b"6": "a pipe",
    b"S": "a sparse file",
    b"M": "a part of another volume",
}


@dataclass(frozen=True, slots=True)
class Member:
    """A plain file of an archive.

    Attributes:
        name: UTF-8, relative, with `/`, without `.` and `..`.
        size: in bytes.
        number: its place among the members, from 1.
        offset: of its header in the (unpacked) archive.
    """

    name: str
    size: int
    number: int
    offset: int


@dataclass(slots=True)
class _Extended:
    """What headers before a member say of it."""

    name: bytes | None = None
    size: int | None = None
    common: dict[bytes, bytes] = field(default_factory=dict)


def members(stream: Stream) -> Iterator[Member]:
    """Yield the plain files; the caller reads or leaves the content of each, at most its size, before the next.

    Raises:
        Broken: cut, damaged, links, devices, names out of the archive, or more than MAX_MEMBERS.
    """
    extended, number = _Extended(), 0
    while (header := _next_header(stream)) is not None:
        offset, number = stream.position - _BLOCK, number + 1
        where = f"member {number} at byte {offset:,}"
        if number > MAX_MEMBERS:
            raise Broken(f"it has more than {MAX_MEMBERS:,} members")
        kind, size = header[156:157], _number(header[124:136], where)
        if kind in (_PAX, _PAX_GLOBAL, _LONG_NAME, _LONG_LINK):
            _extend(extended, kind, _content(stream, size, where), where)
            continue
        name = _name(extended.name or extended.common.get(b"path") or _header_name(header), where)
        size = size if extended.size is None else extended.size
        extended = _Extended(common=extended.common)
        if kind in _REFUSED or kind not in (*_FILES, _FOLDER):
            raise Broken(f"{where}, {name!r}, is {_REFUSED.get(kind, f'of the unknown kind {kind!r}')}")
        end = stream.position + (-(-size // _BLOCK) * _BLOCK if kind != _FOLDER else 0)
        if kind != _FOLDER and name:
            yield Member(name, size, number, offset)
        if not stream.skip(end - stream.position):
            raise Broken(f"cut inside of {where}, {name!r}: {size:,} bytes are announced")


def _next_header(stream: Stream) -> bytes | None:
    """Return the next header block, None at the end of the archive.

    Raises:
        Broken: cut, or no header.
    """
    at = stream.position
    for _ in range(_ENDS):
        block = stream.read(_BLOCK)
        if len(block) < _BLOCK:
            raise Broken(f"cut at byte {at + len(block):,}: an archive ends with two blocks of zeros")
        if any(block):
            break
    else:
        return None
    said = block[148:156].partition(b"\0")[0].strip(b" ")
    # The sum of all bytes, those of the sum itself taken as blanks.
    if not said or said.strip(b"01234567") or int(said, 8) != sum(block) - sum(block[148:156]) + 8 * 0x20:
        raise Broken(f"no tar header at byte {at:,}: its checksum is wrong")
    return block


def _number(text: bytes, where: str) -> int:
    """Return an octal number, or GNU's base-256 one."""
    if text[:1] in (b"\x80", b"\xff"):
        value = int.from_bytes(text[1:], "big")
        if text[:1] == b"\xff" or value >= 1 << 62:
            raise Broken(f"{where}: a size of {text!r}")
        return value
    digits = text.partition(b"\0")[0].strip(b" ")
    if not digits:
        return 0
    if digits.strip(b"01234567"):
        raise Broken(f"{where}: {digits[:12]!r} is no octal number")
    return int(digits, 8)


def _content(stream: Stream, size: int, where: str) -> bytes:
    if size > _MAX_HEADER_BYTES:
        raise Broken(f"{where}: an extended header of {size:,} bytes")
    content = stream.read(size)
    if len(content) < size or not stream.skip(-size % _BLOCK):
        raise Broken(f"cut inside of {where}")
    return content


def _extend(extended: _Extended, kind: bytes, content: bytes, where: str) -> None:
    if kind == _LONG_NAME:
        extended.name = content.rstrip(b"\0")
    elif kind in (_PAX, _PAX_GLOBAL):
        records = _pax(content, where)
        if any(key.startswith(b"GNU.sparse.") for key in records):
            raise Broken(f"{where}: a sparse file")
        if kind == _PAX_GLOBAL:
            extended.common.update(records)
            return
        extended.name = records.get(b"path", extended.name)
        if b"size" in records:
            if not records[b"size"].isdigit() or len(records[b"size"]) > 18:
                raise Broken(f"{where}: a size of {records[b'size'][:20]!r}")
            extended.size = int(records[b"size"])


def _pax(content: bytes, where: str) -> dict[bytes, bytes]:
    """Return the records of an extended header, each `length key=value` and a line feed."""
    records, at = {}, 0
    while at < len(content):
        length, _, _ = content[at : at + 20].partition(b" ")
        if not length.isdigit() or not len(length) + 3 <= int(length) <= len(content) - at:
            raise Broken(f"{where}: a pax header with a wrong length")
        key, _, value = content[at + len(length) + 1 : at + int(length) - 1].partition(b"=")
        records[key] = value
        at += int(length)
    return records


def _header_name(header: bytes) -> bytes:
    name = header[:100].partition(b"\0")[0]
    prefix = header[345:500].partition(b"\0")[0] if header[257:263] == b"ustar\0" else b""
    return prefix + b"/" + name if prefix else name


def _name(raw: bytes, where: str) -> str:
    """Return a member's name without `.` parts; empty for the archive's own folder.

    Raises:
        Broken: absolute, with `..` or NUL, too long, or not UTF-8.
    """
    try:
        name = raw.decode()
    except UnicodeDecodeError as error:
        raise Broken(f"{where}: its name {raw[:60]!r} is not UTF-8") from error
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or ".." in parts or "\0" in name:
        raise Broken(f"{where}: its name {name[:200]!r} leads out of the archive")
    if len(raw) > _MAX_NAME_BYTES or any(len(part.encode()) > _MAX_PART_BYTES for part in parts):
        raise Broken(f"{where}: its name has {len(raw):,} bytes, more than a file's name may have")
    return "/".join(parts)
