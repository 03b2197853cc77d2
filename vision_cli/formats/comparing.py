"""Whether columns still say what the source's records say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

Mask = np.ndarray[Any, np.dtype[np.bool_]]


def differs(now: pa.ChunkedArray, before: pa.Array) -> Mask:
    """Return bool (N,): where two columns say different things; null equals null."""
    one = now.combine_chunks().cast(before.type)
    same = pc.fill_null(pc.equal(one, before), False)
    both_null = pc.and_(one.is_null(), before.is_null())
    return ~np.asarray(pc.or_(same, both_null).to_numpy(zero_copy_only=False), dtype=np.bool_)
