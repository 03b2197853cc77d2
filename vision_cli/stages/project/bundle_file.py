"""The file format of `vision models bundle`: written, and read with every byte accounted for.

A bundle is an uncompressed tar: first `manifest.json`, which names every file with its size, SHA-256, licence and
address, then the files in a folder `weights`. Two bundles of the same weights are the same to the byte.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from vision_cli.core.errors import DataError, UsageError
from vision_cli.core.progress import Progress
from vision_cli.stages.project.weight_files import Pulled

_FORMAT, _VERSION = "vision weights", 1
_MANIFEST, _FOLDER = "manifest.json", "weights/"
_CHUNK_BYTES = 1 << 20
_MAX_MANIFEST_BYTES = 1 << 20
_MAX_FILES = 10_000
BROKEN = "Copy the bundle again, or make it anew."
"""What to do with a bundle that is not whole."""


@dataclass(frozen=True, slots=True)
class Member:
    """One line of a manifest."""

    file: str
    size_bytes: int
    sha256: str
    name: str


def write(draft: Path, found: Sequence[Pulled], progress: Progress) -> None:
    """Write a bundle; its files stand in the order of their names."""
    lines = [
        {
            "file": each.file.name,
            "size_bytes": each.size_bytes,
            "sha256": each.sha256,
            "name": each.name,
            "licence": each.licence,
            "url": each.url,
        }
        for each in sorted(found, key=lambda each: each.file.name)
    ]
    text = json.dumps({"format": _FORMAT, "version": _VERSION, "files": lines}, indent=2).encode() + b"\n"
    with draft.open("wb") as stream, tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(_header(_MANIFEST, len(text)), io.BytesIO(text))
        for done, each in enumerate(sorted(found, key=lambda each: each.file.name), 1):
            with each.file.open("rb") as content:
                archive.addfile(_header(_FOLDER + each.file.name, each.size_bytes), content)
            progress.step("bundle", done, len(found))
        archive.close()
        stream.flush()
        os.fsync(stream.fileno())


def _header(name: str, size_bytes: int) -> tarfile.TarInfo:
    header = tarfile.TarInfo(name)
    header.size, header.mode = size_bytes, 0o644
    return header


@contextlib.contextmanager
def opened(source: Path) -> Iterator[tuple[tarfile.TarFile, list[Member]]]:
    """Open a bundle and give what its manifest names, which is all that is in it.

    Raises:
        DataError: no bundle, or one that is not whole.
        UsageError: one of another version.
    """
    if not source.is_file():
        raise DataError(f"{source}: there is no such file.", hint="Give the path of a bundle.")
    try:
        with tarfile.open(source, mode="r:") as archive:
            yield archive, _members(source, archive)
    except (tarfile.TarError, EOFError) as error:
        raise DataError(f"{source}: no bundle of weights, or not whole: {error}.", hint=BROKEN) from error


def _members(source: Path, archive: tarfile.TarFile) -> list[Member]:
    """Return what the manifest names, after every member of the archive was found to be named by it, and no other."""
    first = archive.next()
    if first is None or first.name != _MANIFEST or not first.isreg() or first.size > _MAX_MANIFEST_BYTES:
        raise DataError(f"{source}: no bundle of weights: it does not begin with a manifest.", hint=BROKEN)
    members = _manifest(source, _stream(archive, first).read())
    named = {_FOLDER + member.file: member.size_bytes for member in members}
    found = {}
    while (header := archive.next()) is not None:
        plain = header.isreg() and not header.issparse()  # whose holes would fill a disk
        if header.name in found or not plain or named.get(header.name) != header.size:
            raise DataError(f"{source}: holds '{header.name}', which its manifest does not name so.", hint=BROKEN)
        found[header.name] = header
    if len(found) < len(named):
        missing = sorted(set(named) - set(found))[0].removeprefix(_FOLDER)
        raise DataError(f"{source}: lacks '{missing}', which its manifest names.", hint=BROKEN)
    return members


def _manifest(source: Path, text: bytes) -> list[Member]:
    try:
        said: Any = json.loads(text)
        if said["format"] != _FORMAT or said["version"] != _VERSION:
            raise UsageError(f"{source}: a bundle of another version of vision.", hint="Make it anew with this one.")
        lines = said["files"]
        members = [Member(str(x["file"]), int(x["size_bytes"]), str(x["sha256"]), str(x["name"])) for x in lines]
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{source}: its manifest cannot be read: {error!r}.", hint=BROKEN) from error
    bad = [member.file for member in members if not _is_plain(member.file)]
    if bad or len(members) > _MAX_FILES:
        raise DataError(f"{source}: its manifest names '{bad[0] if bad else '...'}', no plain name.", hint=BROKEN)
    return members


def _is_plain(name: str) -> bool:
    """Return whether a name stays in its folder, on any system, and is not hidden."""
    return bool(name) and not name.startswith(".") and not any(each in "/\\:\0" for each in name) and name.isprintable()


def _stream(archive: tarfile.TarFile, header: tarfile.TarInfo) -> IO[bytes]:
    content = archive.extractfile(header)
    if content is None:
        raise tarfile.ReadError(f"'{header.name}' is no file")
    return content


def copied(archive: tarfile.TarFile, member: Member, target: IO[bytes] | None) -> str:
    """Read one member, write it where a target is given, and return its SHA-256."""
    digest = hashlib.sha256()
    with _stream(archive, archive.getmember(_FOLDER + member.file)) as content:
        while chunk := content.read(_CHUNK_BYTES):
            digest.update(chunk)
            if target is not None:
                target.write(chunk)
    return digest.hexdigest()
