"""Rows of two tables that are the same thing, found by columns and without loops over rows."""

from __future__ import annotations

import atexit
import gc
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa

Ints = np.ndarray[Any, np.dtype[np.int64]]
Hashes = np.ndarray[Any, np.dtype[np.uint64]]
Bools = np.ndarray[Any, np.dtype[np.bool_]]
Pairs = tuple[Ints, Ints]
"""Rows of one table and rows of the other, side by side."""

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


def pair(one: Hashes, other: Hashes) -> Pairs:
    """Pair rows with equal keys one to one, the first with the first, the second with the second."""
    _, codes = np.unique(np.concatenate([one, other]), return_inverse=True)
    ranks = [_rank(part) for part in (codes[: len(one)], codes[len(one) :])]
    width = 1 + max((int(rank.max(initial=0)) for rank in ranks), default=0)
    left, right = codes[: len(one)] * width + ranks[0], codes[len(one) :] * width + ranks[1]
    _, rows, others = np.intersect1d(left, right, assume_unique=True, return_indices=True)
    return rows.astype(np.int64), others.astype(np.int64)


def _rank(codes: Ints) -> Ints:
    """Return which occurrence of its value each one is, from 0."""
    order = np.argsort(codes, kind="stable")
    sorted_codes = codes[order]
    starts = np.flatnonzero(np.r_[True, sorted_codes[1:] != sorted_codes[:-1]]) if len(codes) else np.empty(0, np.int64)
    lengths = np.diff(np.r_[starts, len(codes)])
    rank = np.empty(len(codes), np.int64)
    rank[order] = np.arange(len(codes)) - np.repeat(starts, lengths)
    return rank


def pair_alone(one: Hashes, other: Hashes) -> Pairs:
    """Pair rows whose key stands once on each side."""
    left, right = (np.unique(part, return_index=True, return_counts=True) for part in (one, other))
    alone = [(keys[counts == 1], rows[counts == 1]) for keys, rows, counts in (left, right)]
    _, at, other_at = np.intersect1d(alone[0][0], alone[1][0], assume_unique=True, return_indices=True)
    return alone[0][1][at].astype(np.int64), alone[1][1][other_at].astype(np.int64)


def column_hashes(table: pa.Table, names: Sequence[str]) -> Hashes:
    """Return one hash a row of some columns, missing columns being null; equal values have equal hashes."""
    total = np.zeros(table.num_rows, np.uint64)
    present = [name for name in names if name in table.column_names]
    found = _hashed(table.select(present)) if present and table.num_rows else {}
    for number, name in enumerate(names):
        if name in found:
            total ^= mixed(found[name], np.uint64(number + 1))
    return total


def mixed(values: Hashes, salt: np.uint64 | Hashes) -> Hashes:
    """Return values scattered (the finaliser of SplitMix64), 0 where the value is null (0)."""
    with np.errstate(over="ignore"):
        z = values + salt * _MULTIPLIER
        z = (z ^ (z >> np.uint64(30))) * _MIX[0]
        z = (z ^ (z >> np.uint64(27))) * _MIX[1]
        z ^= z >> np.uint64(31)
    return np.where(values == 0, np.uint64(0), z)


@cache
def _database() -> Any:
    """Return an empty database in memory that reaches no file; opening one takes longer than hashing a small table."""
    import duckdb

    atexit.register(_leave)
    return duckdb.connect(":memory:", config={"enable_external_access": "false"})


def _leave() -> None:
    """Let duckdb's objects be collected at the end, or it tells the user that they are leaked."""
    _database.cache_clear()
    gc.unfreeze()


def _hashed(table: pa.Table) -> dict[str, Hashes]:
    """Return DuckDB's 64-bit hash of each value, 0 where there is none."""
    plain = table.rename_columns([f"c{at}" for at in range(table.num_columns)])
    # DuckDB's hash of the number 0 is 0, which means null here.
    each = "CASE WHEN {0} IS NULL THEN 0::UBIGINT ELSE greatest(hash({0}), 1::UBIGINT) END AS {0}"
    columns = ", ".join(each.format(name) for name in plain.column_names)
    with _database().cursor() as connection:
        found: pa.Table = connection.from_arrow(plain).project(columns).to_arrow_table()
    return {name: found.column(at).to_numpy() for at, name in enumerate(table.column_names)}
