"""`dataset.json` of a version: all of a Dataset that is no table."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec

from vision_cli.core.dataset import ClassMap
from vision_cli.core.errors import DataError
from vision_cli.core.files import json_text, read_limited
from vision_cli.core.origin import Origin, Pixels

FORMAT = "vision"
VERSION = 1
MANIFEST = "dataset.json"
_MAX_BYTES = 1 << 28


class TableFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One Parquet file: its rows and the SHA-256 of its bytes in hex."""

    rows: Annotated[int, msgspec.Meta(ge=0)]
    sha256: str


class Raw(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Bytes in JSON: as text where they are UTF-8, else in base64."""

    text: str | None = None
    base64: str | None = None


class OriginRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An `Origin` in JSON."""

    format: str
    pixels: Pixels
    class_ids: dict[str, int]
    class_records: dict[str, Raw]
    header: dict[str, Raw]
    companions: list[str]


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The document.

    Attributes:
        format: always `vision`.
        version: of the layout.
        classes: names in order.
        class_digest: the class map's digest.
        roots: folder of each source, relative to the document's folder, with `/`.
        notes: the data set's notes.
        origins: the data set's origins, by source.
        images: the file `images.parquet`.
        annotations: the file `annotations.parquet`.
    """

    format: str
    version: int
    classes: list[str]
    class_digest: str
    roots: dict[str, str]
    notes: list[str]
    origins: dict[str, OriginRecord]
    images: TableFile
    annotations: TableFile


class _Head(msgspec.Struct):
    format: str = ""
    version: int = 0


def is_manifest(path: Path) -> bool:
    """Return whether a file is the manifest of a version, of whatever layout."""
    try:
        return msgspec.json.decode(read_limited(path, max_bytes=_MAX_BYTES, what="it"), type=_Head).format == FORMAT
    except (DataError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False


def read_manifest(path: Path) -> Manifest:
    """Read and check a manifest.

    Raises:
        DataError: no such file, not JSON, not ours, a newer layout, or classes that are not those of the digest.
    """
    content = read_limited(path, max_bytes=_MAX_BYTES, what="the manifest of the version")
    try:
        head = msgspec.json.decode(content, type=_Head)
        if head.format != FORMAT or head.version != VERSION:
            raise DataError(
                f"{path}: the format is '{head.format}', version {head.version}; this program reads "
                f"'{FORMAT}', version {VERSION}.",
                hint="Is it a data set of `vision`? If it is newer, update the program.",
            )
        manifest = msgspec.json.decode(content, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DataError(f"{path}: {error}.", hint="The version is damaged: write it again.") from error
    if ClassMap(tuple(manifest.classes)).digest != manifest.class_digest:
        raise DataError(f"{path}: the classes are not those of class_digest.", hint="Write the version again.")
    return manifest


def manifest_text(manifest: Manifest) -> str:
    """Return the document's text."""
    return json_text(msgspec.to_builtins(manifest)) + "\n"


def origin_record(origin: Origin) -> OriginRecord:
    """Return an origin ready for JSON."""
    return OriginRecord(
        origin.format,
        origin.pixels,
        dict(origin.class_ids),
        {name: _raw(content) for name, content in origin.class_records.items()},
        {name: _raw(content) for name, content in origin.header.items()},
        list(origin.companions),
    )


def origin_of(record: OriginRecord, where: Path) -> Origin:
    """Return the origin of a record.

    Raises:
        DataError: bytes that are no base64.
    """
    return Origin(
        record.format,
        record.pixels,
        record.class_ids,
        _contents(record.class_records, where),
        _contents(record.header, where),
        tuple(record.companions),
    )


def _raw(content: bytes) -> Raw:
    try:
        return Raw(text=content.decode())
    except UnicodeDecodeError:
        return Raw(base64=base64.b64encode(content).decode("ascii"))


def _contents(records: Mapping[str, Raw], where: Path) -> dict[str, bytes]:
    return {name: _content(name, raw, where) for name, raw in records.items()}


def _content(name: str, raw: Raw, where: Path) -> bytes:
    if (raw.text is None) == (raw.base64 is None):
        raise DataError(f"{where}: origins: '{name}' has neither text nor base64, or both.")
    if raw.text is not None:
        return raw.text.encode()
    try:
        return base64.b64decode(raw.base64 or "", validate=True)
    except (binascii.Error, ValueError) as error:
        raise DataError(f"{where}: origins: '{name}' is no base64: {error}.") from error
