"""A column of long texts that comes in blocks and grows in one piece: no block is left behind as a hole in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vision_cli.core.columns import from_numpy
from vision_cli.core.spill import SEGMENT_BYTES, LongColumn, is_spilling

_MAX_BYTES = 2**31 - 1


@dataclass(slots=True)
class Texts:
    """Takes texts, byte for byte.

    Attributes:
        data: all of them, one behind the other.
        lengths: int64 a block; -1 where there is no text.
        before: those of earlier blocks, where long columns go to a file.
    """

    data: bytearray = field(default_factory=bytearray)
    lengths: list[NDArray[np.int64]] = field(default_factory=list)
    before: LongColumn = field(default_factory=LongColumn)

    def take(self, raws: Sequence[msgspec.Raw], there: NDArray[np.bool_]) -> None:
        """Add the texts where a bool (N,) mask is true, nothing at the others."""
        rows = None if there.all() else np.flatnonzero(there)
        kept = raws if rows is None else [raws[row] for row in rows.tolist()]
        found = np.fromiter(map(len, kept), dtype=np.int64, count=len(kept))
        self.data += b"".join(kept)
        lengths = found
        if rows is not None:
            lengths = np.full(len(raws), -1, dtype=np.int64)
            lengths[rows] = found
        self.lengths.append(lengths)
        if is_spilling() and len(self.data) >= SEGMENT_BYTES:
            self.before.append(self._waiting())

    def column(self) -> pa.Array | pa.ChunkedArray | None:
        """Return binary (N,) with nulls where there is no text, and forget it all; None without any text."""
        last = self._waiting()
        if not self.before.is_empty:
            self.before.append(last)
            return self.before.column()
        return last if last.null_count < len(last) else None

    def _waiting(self) -> pa.Array:
        """Return the texts that are in memory, and forget them."""
        data, lengths = self.data, np.concatenate(self.lengths or [np.empty(0, dtype=np.int64)])
        self.data, self.lengths = bytearray(), []
        offsets = np.zeros(len(lengths) + 1, dtype=np.int32 if len(data) <= _MAX_BYTES else np.int64)
        np.cumsum(np.maximum(lengths, 0), out=offsets[1:])
        valid = None if (lengths >= 0).all() else from_numpy(lengths >= 0).buffers()[1]
        kind = pa.binary() if offsets.dtype == np.int32 else pa.large_binary()
        return pa.Array.from_buffers(kind, len(lengths), [valid, pa.py_buffer(offsets), pa.py_buffer(data)])
