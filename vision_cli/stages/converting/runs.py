"""Rows of large texts, copied in runs of neighbours."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from vision_cli.core.conservation import Mask


def kept(texts: pa.BinaryArray, rows: Mask) -> pa.BinaryArray:
    """Return the texts where a bool (N,) mask is true.

    Args:
        texts: binary, 2 GiB at most.
        rows: which stay.
    """
    offsets = np.frombuffer(texts.buffers()[1], dtype=np.int32)[texts.offset : texts.offset + len(texts) + 1]
    data = memoryview(texts.buffers()[2] or b"")
    edges = np.flatnonzero(np.diff(rows, prepend=False, append=False))
    bounds = offsets[edges].reshape(-1, 2).tolist()
    whole = b"".join([data[start:end] for start, end in bounds])
    ends = np.cumsum(np.diff(offsets)[rows], dtype=np.int32)
    valid = None
    if texts.null_count:
        valid = pa.array(np.asarray(texts.is_valid())[rows]).buffers()[1]
    buffers = [valid, pa.py_buffer(np.concatenate([np.zeros(1, np.int32), ends])), pa.py_buffer(whole)]
    return pa.Array.from_buffers(pa.binary(), int(rows.sum()), buffers)
