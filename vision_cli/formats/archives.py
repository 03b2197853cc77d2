"""Photos inside of zip and tar archives that may come from anybody: read in memory, never written to the disk.

Refused whole, before the first photo is given: names that lead out of the archive, links, encrypted members, two
members of one name, and what would unfold to far more than it is packed. Formats: PKWARE's APPNOTE for zip; for tar see
`tar_members`.
"""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from vision_cli.core.errors import DataError
from vision_cli.formats.byte_stream import Broken, opened
from vision_cli.formats.folder_walk import is_ignored
from vision_cli.formats.photos import is_photo_name
from vision_cli.formats.tar_members import MAX_MEMBERS, members

MAX_PHOTO_BYTES = 200_000_000
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_GZIP, _BZIP2, _XZ = b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00"
_USTAR_AT, _USTAR = 257, b"ustar"
_HEAD_BYTES = 512
# Photos hardly shrink; what unfolds a hundredfold is a bomb or nothing but zeros.
_MAX_RATIO, _FREE_BYTES = 100, 16 << 20
_ENCRYPTED = 0x1
_HINT = "Nothing of it was used. Pack the photos again as a plain zip or tar."


def kind_of(path: Path) -> str | None:
    """Return `zip` or `tar` (also packed with gzip) by a file's content; None for anything else.

    Raises:
        DataError: it is an archive of a kind that is not read.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if head.startswith(_ZIP):
        return "zip"
    if head.startswith((_BZIP2, _XZ)):
        raise DataError(f"{path}: is packed with bzip2 or xz.", hint="Pack it as .zip, .tar or .tar.gz.")
    return "tar" if head.startswith(_GZIP) or head[_USTAR_AT : _USTAR_AT + 5] == _USTAR else None


def names(path: Path) -> list[str]:
    """Return the photos of an archive in its order; the whole archive was looked at by then.

    Raises:
        DataError: it is dangerous, cut or damaged, or has no photo.
    """
    if kind_of(path) == "zip":
        with _zip(path) as archive:
            found = [info.filename for info in _checked(path, archive)]
    else:
        with opened(path) as stream:
            found = [_fitting(path, member.name, member.size) for member in members(stream) if _is_photo(member.name)]
    _check_names(path, found)
    return found


def photos(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield name and bytes of each photo of an archive, in its order.

    Raises:
        DataError: as `names`, or the bytes of a member are damaged.
    """
    if kind_of(path) == "zip":
        with _zip(path) as archive:
            for info in _checked(path, archive):
                yield info.filename, _content(path, archive, info)
        return
    with opened(path) as stream:
        for member in members(stream):
            if _is_photo(member.name):
                _fitting(path, member.name, member.size)
                content = stream.read(member.size)
                if len(content) < member.size:
                    raise Broken(f"cut inside of member {member.number}, {member.name!r}")
                yield member.name, content


def _zip(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: is no whole zip archive: {error}.", hint=_HINT) from error


def _checked(path: Path, archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Return the members that are photos, after a look at all members.

    Raises:
        DataError: any member is dangerous.
    """
    infos = archive.infolist()
    if len(infos) > MAX_MEMBERS:
        raise DataError(f"{path}: has more than {MAX_MEMBERS:,} members.", hint=_HINT)
    limit = path.stat().st_size * _MAX_RATIO + _FREE_BYTES
    if sum(info.file_size for info in infos) > limit:
        raise DataError(f"{path}: unfolds to more than {limit:,} bytes, {_MAX_RATIO} times its size.", hint=_HINT)
    for info in infos:
        _check_member(path, info)
    chosen = [info for info in infos if not info.is_dir() and _is_photo(info.filename)]
    for info in chosen:
        _fitting(path, info.filename, info.file_size)
    return chosen


def _check_member(path: Path, info: zipfile.ZipInfo) -> None:
    name = info.orig_filename  # ZipInfo cuts the other at a NUL
    if name.startswith("/") or "\\" in name or "\0" in name or name[1:2] == ":" or ".." in name.split("/"):
        raise DataError(f"{path}: the name {name[:200]!r} leads out of the archive.", hint=_HINT)
    mode = info.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise DataError(f"{path}: {name[:200]!r} is a link or a device.", hint=_HINT)
    if info.flag_bits & _ENCRYPTED:
        raise DataError(f"{path}: {name[:200]!r} is encrypted.", hint="Unpack it yourself, and give the folder.")


def _content(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    try:
        with archive.open(info) as member:
            content = member.read(info.file_size + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise DataError(f"{path}: {info.filename!r} is damaged: {error}.", hint=_HINT) from error
    if len(content) != info.file_size:
        raise DataError(f"{path}: {info.filename!r} is not of the size that is announced.", hint=_HINT)
    return content


def _fitting(path: Path, name: str, size: int) -> str:
    if size > MAX_PHOTO_BYTES:
        raise DataError(f"{path}: {name!r} has {size:,} bytes; a photo may have {MAX_PHOTO_BYTES:,}.", hint=_HINT)
    return name


def _is_photo(name: str) -> bool:
    return is_photo_name(name) and not any(is_ignored(part) for part in name.split("/"))


def _check_names(path: Path, found: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in found:
        if name in seen:
            raise DataError(f"{path}: has two members called {name!r}.", hint=_HINT)
        seen.add(name)
    if not seen:
        raise DataError(f"{path}: there is no photo in it.", hint="Photos are known by their suffix: .jpg, .png, …")
