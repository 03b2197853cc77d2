"""Read archives from front to back, packed with gzip or not, without trusting what they announce.

gzip: RFC 1952; several members one after the other are one stream.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from vision_cli.core.errors import DataError

_GZIP_MAGIC = b"\x1f\x8b"
_GZIP_WINDOW = 31
_CHUNK_BYTES = 1 << 16
_PIECE_BYTES = 1 << 20
# Photos hardly shrink; what unfolds a hundredfold is a bomb or nothing but zeros.
_MAX_RATIO = 100
_FREE_BYTES = 16 << 20


class Broken(ValueError):
    """The bytes are cut, damaged, or not what they claim; its text says what and where."""


class Stream(Protocol):
    """Bytes in order. `position` counts those read and skipped, after unpacking."""

    position: int

    def read(self, size: int) -> bytes:
        """Return that many bytes, fewer only at the end."""
        ...

    def skip(self, size: int) -> bool:
        """Pass over bytes; false if the end comes before."""
        ...


@contextmanager
def opened(path: Path) -> Iterator[Stream]:
    """Open a file as a stream, unpacked if it is gzip.

    Raises:
        DataError: the file cannot be read, or what is done with it finds it broken.
    """
    try:
        with path.open("rb") as file:
            packed = file.read(2) == _GZIP_MAGIC
            file.seek(0)
            yield _Inflated(file, os.fstat(file.fileno()).st_size) if packed else _Plain(file)
    except Broken as error:
        raise DataError(f"{path}: {error}.", hint="Nothing of it was used. Fetch or write the file again.") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}.", hint="Check the path.") from error


class _Plain:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._size = os.fstat(file.fileno()).st_size
        self.position = 0

    def read(self, size: int) -> bytes:
        content = self._file.read(min(size, self._size - self.position))
        self.position += len(content)
        return content

    def skip(self, size: int) -> bool:
        if size > self._size - self.position:
            self.position = self._size
            return False
        self.position += size
        self._file.seek(self.position)
        return True


class _Inflated:
    """Unpacks piece by piece; at no time is more in memory than was asked for and one piece."""

    def __init__(self, file: BinaryIO, packed_bytes: int) -> None:
        self._file = file
        self._limit = packed_bytes * _MAX_RATIO + _FREE_BYTES
        self._zlib = zlib.decompressobj(_GZIP_WINDOW)
        self._rest = b""
        self._piece = memoryview(b"")
        self._unpacked = 0
        self.position = 0

    def read(self, size: int) -> bytes:
        parts = list(self._pieces(size))
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def skip(self, size: int) -> bool:
        return sum(len(piece) for piece in self._pieces(size)) == size

    def _pieces(self, size: int) -> Iterator[bytes]:
        while size > 0:
            if not self._piece:
                self._piece = memoryview(self._next())
                if not self._piece:
                    return
            piece, self._piece = self._piece[:size], self._piece[size:]
            size -= len(piece)
            self.position += len(piece)
            yield bytes(piece)

    def _next(self) -> bytes:
        """Return the next unpacked bytes, none at the end."""
        while True:
            if self._zlib.eof and not self._next_member():
                return b""
            packed = self._rest or self._file.read(_CHUNK_BYTES)
            if not packed:
                raise Broken(f"the gzip data is cut: it ends after {self._unpacked:,} unpacked bytes")
            try:
                piece = self._zlib.decompress(packed, _PIECE_BYTES)
            except zlib.error as error:
                raise Broken(f"the gzip data is damaged after {self._unpacked:,} unpacked bytes: {error}") from error
            self._rest = self._zlib.unconsumed_tail
            self._unpacked += len(piece)
            if self._unpacked > self._limit:
                raise Broken(f"it unfolds to more than {self._limit:,} bytes, {_MAX_RATIO} times its size")
            if piece:
                return piece

    def _next_member(self) -> bool:
        """Start the next gzip member; false where the file ends."""
        rest = self._zlib.unused_data or self._file.read(_CHUNK_BYTES)
        if not rest.strip(b"\0"):
            return False
        self._zlib, self._rest = zlib.decompressobj(_GZIP_WINDOW), rest
        return True
