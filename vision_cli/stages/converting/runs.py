"""Rows of large texts, copied in runs of neighbours."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vision_cli.core.columns import from_numpy
from vision_cli.core.conservation import Mask


def kept(texts: pa.BinaryArray, rows: Mask) -> pa.BinaryArray:
    """Return the texts where a bool (N,) mask is true; their bytes are not copied where the others have none.

    Args:
        texts: binary, 2 GiB at most.
        rows: which stay.
    """
    offsets = np.frombuffer(texts.buffers()[1], dtype=np.int32)[texts.offset : texts.offset + len(texts) + 1]
    if not np.diff(offsets)[~rows].any():  # their bytes follow each other as they are
        return _texts(texts, rows, np.append(offsets[:-1][rows], offsets[-1]), texts.buffers()[2])
    data = memoryview(texts.buffers()[2] or b"")
    edges = np.flatnonzero(np.diff(rows, prepend=False, append=False))
    bounds = offsets[edges].reshape(-1, 2).tolist()
    whole = b"".join([data[start:end] for start, end in bounds])
    ends = np.cumsum(np.diff(offsets)[rows], dtype=np.int32)
    return _texts(texts, rows, np.append(np.zeros(1, np.int32), ends), pa.py_buffer(whole))


def _texts(before: pa.BinaryArray, rows: Mask, offsets: NDArray[np.int32], data: pa.Buffer) -> pa.BinaryArray:
    """Return the rows that stay, null where they were, with texts of these bytes."""
    valid = from_numpy(np.asarray(before.is_valid())[rows]).buffers()[1] if before.null_count else None
    return pa.Array.from_buffers(pa.binary(), int(rows.sum()), [valid, pa.py_buffer(offsets), data])
