"""Columns of long texts in a file without a name, mapped into memory, for work that goes once through all of them.

A reader appends to a `LongColumn`; whoever can do with a mapped file opens `spilling`. Without it, or on a disk with
little room, the column stays in memory.
"""

from __future__ import annotations

import ctypes
import mmap
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa

from vision_cli.core.errors import ResourceError
from vision_cli.core.files import disk_errors

SEGMENT_BYTES = 1 << 25
"""So much of a column is in memory before it goes to the file; shorter columns never do."""

_SPARE_BYTES = 1 << 29
_ROOM = 4  # of the disk's free room, one part in so many at most: the same data is to be written there


@dataclass(slots=True)
class Spill:
    """The file of one piece of work.

    Attributes:
        file: has no name; it is gone with the process.
        end: bytes that are written.
        maps: its parts in memory.
    """

    file: IO[bytes]
    end: int = 0
    maps: list[mmap.mmap] = field(default_factory=list)

    def keep(self, texts: pa.Array) -> pa.Array:
        """Return binary texts whose bytes are in the file; the same ones where there is no room."""
        data = _content(texts)
        size = len(data)
        status = os.fstatvfs(self.file.fileno())
        if size == 0 or status.f_bavail * status.f_frsize < _ROOM * (self.end + size) + _SPARE_BYTES:
            return texts
        self.file.seek(self.end)
        try:
            self.file.write(data)
            self.file.flush()
        except OSError:  # somebody else filled the disk
            self.file.truncate(self.end)
            return texts
        mapped = mmap.mmap(self.file.fileno(), size, prot=mmap.PROT_READ, offset=self.end)
        self.maps.append(mapped)
        step = mmap.ALLOCATIONGRANULARITY
        self.end += -(-size // step) * step
        return _with_content(texts, pa.py_buffer(mapped))


_CURRENT: ContextVar[Spill | None] = ContextVar("spill", default=None)


@contextmanager
def spilling(folder: Path) -> Iterator[None]:
    """Let long columns that are read within go to a file in a folder, if it can be written."""
    import tempfile

    with ExitStack() as stack:
        try:
            with disk_errors(folder):
                file = stack.enter_context(tempfile.TemporaryFile(dir=folder, buffering=0))
        except ResourceError:  # who writes there will say so
            yield
            return
        token = _CURRENT.set(Spill(file))
        try:
            yield
        finally:
            _CURRENT.reset(token)


def is_spilling() -> bool:
    """Return whether long columns go to a file."""
    return _CURRENT.get() is not None


def let_go() -> None:
    """Give the memory back in which mapped columns were looked at; it is filled again by whoever looks again."""
    spill = _CURRENT.get()
    for mapped in spill.maps if spill is not None else ():
        mapped.madvise(mmap.MADV_DONTNEED)


def trim() -> None:
    """Give the memory back that was freed and that allocators keep; nothing outside of `spilling`."""
    if not is_spilling():
        return
    pa.default_memory_pool().release_unused()
    with suppress(OSError, AttributeError):  # a C library of its own kind
        ctypes.CDLL(None).malloc_trim(0)


@dataclass(slots=True)
class LongColumn:
    """A column of binary texts that grows block by block.

    Attributes:
        blocks: Arrow binary, in memory.
        waiting: their bytes.
        segments: what was kept elsewhere before.
    """

    blocks: list[pa.Array] = field(default_factory=list)
    waiting: int = 0
    segments: list[pa.Array] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Return whether there is no block."""
        return not self.blocks and not self.segments

    def append(self, block: pa.Array) -> None:
        """Add rows."""
        self.blocks.append(block)
        self.waiting += block.nbytes
        spill = _CURRENT.get()
        if spill is not None and self.waiting >= SEGMENT_BYTES:
            self.segments.append(spill.keep(pa.concat_arrays(self.blocks)))
            self.blocks, self.waiting = [], 0

    def column(self) -> pa.Array | pa.ChunkedArray | None:
        """Return all rows and forget them, in one piece where they are in memory; None without any block."""
        rest = [pa.concat_arrays(self.blocks)] if self.blocks else []
        pieces = [*self.segments, *rest]
        self.blocks, self.waiting, self.segments = [], 0, []
        return None if not pieces else pieces[0] if len(pieces) == 1 else pa.chunked_array(pieces)


def _offsets(texts: pa.Array) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    return np.frombuffer(texts.buffers()[1], np.int32)[texts.offset : texts.offset + len(texts) + 1]


def _content(texts: pa.Array) -> memoryview:
    if not len(texts) or texts.buffers()[2] is None:
        return memoryview(b"")
    edges = _offsets(texts)
    return memoryview(texts.buffers()[2])[int(edges[0]) : int(edges[-1])]


def _with_content(texts: pa.Array, data: pa.Buffer) -> pa.Array:
    edges = _offsets(texts)
    there = texts.is_valid().to_numpy(zero_copy_only=False)
    valid = None if there.all() else pa.array(there).buffers()[1]
    return pa.Array.from_buffers(texts.type, len(texts), [valid, pa.py_buffer(edges - edges[0]), data])
