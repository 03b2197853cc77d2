"""Files appear whole or not at all."""

from __future__ import annotations

import ctypes
import errno
import json
import math
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from vision_cli.core.errors import DataError, ResourceError

_CHUNK_BYTES = 1 << 20
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2  # fcntl.h, linux/fs.h
_MANY_FILES = 200  # from here on one call for the whole file system is cheaper than one a file
_RESOURCE_ERRNOS = {
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO, errno.EACCES, errno.EPERM, errno.EMFILE),
    *(errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG, errno.ELOOP),
}


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn an operating system's refusal to write into a `ResourceError` that names the place."""
    try:
        yield
    except OSError as error:
        if error.errno not in _RESOURCE_ERRNOS:
            raise
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        hint = f"{free_mb(path):.0f} MB are free there; make room." if full else "Choose another place, or its rights."
        raise ResourceError(f"{path}: cannot be written: {error.strerror}.", hint=hint) from error


def free_mb(path: Path) -> float:
    """Return the free space in megabytes of the file system that holds a path, existing or not."""
    place = path.absolute()
    while not place.exists():
        place = place.parent
    return shutil.disk_usage(place).free / 1e6


def sync_folder(folder: Path) -> None:
    """Make a rename inside a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole: beside its target, synced, then renamed.

    Raises:
        ResourceError: disk full, read-only or an I/O error. What was there before is intact.
    """
    write_chunks(path, (content,))


def write_chunks(path: Path, chunks: Iterable[bytes]) -> None:
    """Write a file as `write_bytes` does, of bytes that need not be in memory at once."""
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        part = _beside(path)
        try:
            with part.open("xb") as file:
                file.writelines(chunks)
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, path)
        except BaseException:
            with suppress(FileNotFoundError):
                part.unlink()
            raise
        sync_folder(path.parent)


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 file whole."""
    write_bytes(path, text.encode())


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """Build a folder beside its target and publish it by one rename.

    An existing target is replaced only after the new one is complete.
    """
    with disk_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        staging = _beside(target)
        staging.mkdir()
        try:
            yield staging
            sync_tree(staging)
            _swap(staging, target)
        except BaseException:
            shutil.rmtree(staging, ignore_errors=True)
            raise
        sync_folder(target.parent)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two names in one step, where the system can (renameat2 of Linux); a kill leaves one or the other."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    return bool(rename(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0)


def sync_file(path: Path) -> None:
    """Bring a regular file's content to the disk."""
    if path.is_file() and not path.is_symlink():
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def sync_tree(folder: Path) -> None:
    """Bring all files below a folder, and the folders themselves, to the disk."""
    files: list[str] = []
    folders = [os.fspath(folder)]
    for at in folders:  # which grow meanwhile
        with os.scandir(at) as entries:
            for entry in entries:
                (folders if entry.is_dir(follow_symlinks=False) else files).append(entry.path)
                if len(files) == _MANY_FILES and _sync_file_system(folder):
                    return
    for name in files:
        sync_file(Path(name))
    for name in reversed(folders):
        sync_folder(Path(name))


def _sync_file_system(folder: Path) -> bool:
    """Bring a whole file system to the disk, where the system can (syncfs of Linux, which tells of errors from 5.8)."""
    try:
        sync = ctypes.CDLL(None, use_errno=True).syncfs
    except (OSError, AttributeError):
        return False
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        if sync(descriptor) == 0:
            return True
        number = ctypes.get_errno()
    finally:
        os.close(descriptor)
    raise OSError(number, os.strerror(number), os.fspath(folder))


def _swap(staging: Path, target: Path) -> None:
    if not target.exists():
        os.replace(staging, target)
        return
    if _exchange(staging, target):
        shutil.rmtree(staging, ignore_errors=True)
        return
    old = _beside(target).with_suffix(".old")  # whoever finds it without a target puts it back
    os.replace(target, old)
    os.replace(staging, target)
    shutil.rmtree(old, ignore_errors=True)


def _beside(target: Path) -> Path:
    """Return a new hidden name in the target's folder, on the same file system."""
    return target.with_name(f".{target.name[:80]}.{os.urandom(4).hex()}.part")


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes in hex."""
    import hashlib

    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def read_limited(path: Path, *, max_bytes: int, what: str) -> bytes:
    """Read a regular file of bounded size.

    Raises:
        DataError: missing, not a file, unreadable or larger than allowed.
    """
    try:
        if not path.is_file():
            problem = "is not a file" if path.exists() else "does not exist"
            raise DataError(f"{path}: {what} {problem}.", hint="Check the path.")
        if path.stat().st_size > max_bytes:
            raise DataError(f"{path}: {what} is larger than {max_bytes / 1e6:.0f} MB.", hint="Is it the right file?")
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: {what} cannot be read: {error.strerror}.", hint="Check the path.") from error


def utf8(content: bytes, *, where: str) -> str:
    """Decode UTF-8 text; a byte order mark is left out.

    Raises:
        DataError: not UTF-8, with the byte offset.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{where}: not UTF-8 text at byte {error.start}.", hint="Save it as UTF-8.") from error


def finite(value: Any) -> Any:
    """Return a value ready for strict JSON: NaN and infinities become null, numpy scalars plain numbers."""
    if isinstance(value, Mapping):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "tolist"):
        return finite(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def json_text(document: Any, *, indent: int | None = 2) -> str:
    """Return strict JSON (no NaN), keys in their own order, non-ASCII kept."""
    return json.dumps(finite(document), ensure_ascii=False, allow_nan=False, indent=indent)


def write_json(path: Path, document: Any) -> None:
    """Write a JSON document whole."""
    write_text(path, json_text(document) + "\n")


def append_json_line(path: Path, document: Any) -> None:
    """Append one JSON line; a line torn by a crash before is closed first, so that later lines stay readable."""
    with disk_errors(path), path.open("ab+") as file:
        if file.tell() > 0:
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                file.write(b"\n")
        file.write(json_text(document, indent=None).encode() + b"\n")


def read_json_lines(path: Path) -> list[dict[str, Any]]:
    """Return the whole lines of an append-only log; a torn line is left out."""
    rows = []
    if path.is_file():
        for line in path.read_bytes().splitlines():
            with suppress(ValueError):
                rows.append(json.loads(line))
    return [row for row in rows if isinstance(row, dict)]
