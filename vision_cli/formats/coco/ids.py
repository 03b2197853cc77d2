"""Ids of COCO's records: whole numbers or texts, distinct, and found again where others name them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from vision_cli.core.columns import from_numpy
from vision_cli.formats.coco.columns import Ids
from vision_cli.formats.problems import Problems

Rows = NDArray[np.int64]
Place = Callable[[int], str]
"""What a row is called in messages."""


def joined(parts: Sequence[Ids]) -> Ids:
    """Return the ids of several blocks as one array."""
    if not parts:
        return np.empty(0, dtype=np.int64)
    if all(part.dtype == np.int64 for part in parts):
        return np.concatenate(parts)
    return np.concatenate([part.astype(object) for part in parts])


def check(ids: Ids, place: Place, problems: Problems) -> None:
    """Refuse ids that are missing, of more than 63 bits, or repeated; 1 and "1" count as repeated."""
    if ids.dtype == np.int64:
        repeated = _repeated(ids)
    else:
        for row, value in enumerate(ids.tolist()):
            if value is None:
                problems.add("missing ids", f"{place(row)}: there is no id", hint="Give each record an id of its own.")
            elif isinstance(value, int) and not -(2**63) <= value < 2**63:
                problems.add("ids out of range", f"{place(row)}: id {str(value)[:40]} has more than 63 bits")
        repeated = _repeated_objects(ids.tolist())
    for row in repeated.tolist():
        text = f"{place(row)}: id {str(ids[row])[:40]} stands before already"
        problems.add("repeated ids", text, hint="Ids are distinct within a list.")


def _repeated(ids: NDArray[np.int64]) -> Rows:
    """Return the rows whose id stood before."""
    if not len(ids) or (np.diff(ids) > 0).all():
        return np.empty(0, dtype=np.int64)
    order = np.argsort(ids, kind="stable")
    return np.sort(order[1:][np.diff(ids[order]) == 0])


def _repeated_objects(ids: Sequence[Any]) -> Rows:
    seen: set[str] = set()
    rows = []
    for row, value in enumerate(ids):
        if value is not None and str(value) in seen:
            rows.append(row)
        seen.add(str(value))
    return np.array(rows, dtype=np.int64)


def find(wanted: Ids, ids: Ids) -> Rows:
    """Return the row in `ids` of each wanted id, -1 where there is none; a number is never a text."""
    if wanted.dtype == ids.dtype == np.int64:
        rows = pc.index_in(from_numpy(wanted), from_numpy(ids)).fill_null(-1)
        return np.asarray(rows.to_numpy(), dtype=np.int64)
    where = {value: row for row, value in enumerate(ids.tolist()) if value is not None}
    return np.fromiter((where.get(value, -1) for value in wanted.tolist()), dtype=np.int64, count=len(wanted))


def texts(ids: Ids) -> pa.Array:
    """Return ids as text, null where there is none."""
    if ids.dtype == np.int64:
        return pc.cast(from_numpy(ids), pa.string())
    return pa.array([None if value is None else str(value) for value in ids.tolist()], type=pa.string())
