"""Photos that lie inside of archives, unpacked once into the user's cache.

A loader opens files, so photos of WebDataset tars and TFRecords are written to
`<cache>/unpacked/<hash of the archives>/<archive>/<member>` when the archives are read, and that folder is the source's
root. The hash is of all archives' names and bytes: a changed archive gets another folder, an unchanged one is unpacked
no second time. The cache is `VISION_CACHE`, or the user's cache folder; whatever lies there may be deleted.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import platformdirs

from vision_cli.core.errors import DataError, ResourceError
from vision_cli.core.files import disk_errors, file_sha256, free_mb

_KEY_CHARS = 32
_SPARE_MB = 50

Put = Callable[[str, bytes], None]


def cache_folder() -> Path:
    """Return the folder of everything unpacked."""
    return Path(os.environ.get("VISION_CACHE") or platformdirs.user_cache_dir("vision")) / "unpacked"


def key_of(archives: Mapping[str, Path]) -> str:
    """Return a hash of archives' names and bytes."""
    digest = hashlib.sha256()
    for name in sorted(archives):
        digest.update(f"{name}\0{file_sha256(archives[name])}\n".encode())
    return digest.hexdigest()[:_KEY_CHARS]


def unpack(key: str, sizes: Mapping[str, int], fill: Callable[[Put], None]) -> Path:
    """Return the folder of a key's photos, filled first unless it is whole already.

    Args:
        key: see `key_of`.
        sizes: bytes of each photo, by path.
        fill: writes all of them, each by one call.

    Raises:
        DataError: a photo's name is a folder of another.
        ResourceError: the disk is full or refuses; nothing is left behind.
    """
    _check_names(sizes)
    folder = cache_folder() / key
    if _is_whole(folder, sizes.items()):
        return folder
    needed_mb = sum(sizes.values()) / 1e6
    if needed_mb + _SPARE_MB > free_mb(folder):
        raise ResourceError(
            f"{folder}: {needed_mb:.0f} MB of photos are to be unpacked, and {free_mb(folder):.0f} MB are free.",
            hint="Make room, or set VISION_CACHE to a folder on another disk.",
        )
    with disk_errors(folder):
        _publish(folder, fill)
    return folder


def _check_names(names: Iterable[str]) -> None:
    """Refuse photos whose names are also folders of others.

    Raises:
        DataError: naming both.
    """
    known = set(names)
    for name in known:
        parent = name.rpartition("/")[0]
        while parent:
            if parent in known:
                raise DataError(f"{name}: {parent!r} is a photo and a folder at once.", hint="Rename one of them.")
            parent = parent.rpartition("/")[0]


def _publish(folder: Path, fill: Callable[[Put], None]) -> None:
    """Fill a folder beside its place and rename it.

    Nothing is synced: after a power cut files may be short, which `_is_whole` finds out.
    """
    staging = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.part")
    staging.mkdir(parents=True)
    try:
        fill(_guarded(_writer(staging), folder))
        if folder.exists():  # broken, or made by another command in the meantime
            os.replace(folder, staging.with_suffix(".old"))
        os.replace(staging, folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        shutil.rmtree(staging.with_suffix(".old"), ignore_errors=True)


def _guarded(put: Put, folder: Path) -> Put:
    """Turn a refusal to write into a `ResourceError` at once: whoever reads the archive would take it for its own."""

    def guarded(name: str, content: bytes) -> None:
        with disk_errors(folder):
            put(name, content)

    return guarded


def _is_whole(folder: Path, sizes: Iterable[tuple[str, int]]) -> bool:
    try:
        return folder.is_dir() and all((folder / name).lstat().st_size == size for name, size in sizes)
    except OSError:
        return False


def _writer(folder: Path) -> Put:
    made: set[str] = set()

    def put(name: str, content: bytes) -> None:
        parent = name.rpartition("/")[0]
        if parent not in made:
            (folder / parent).mkdir(parents=True, exist_ok=True)
            made.add(parent)
        with (folder / name).open("xb") as file:
            file.write(content)

    return put
