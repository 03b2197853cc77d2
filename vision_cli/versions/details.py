"""The rows behind a diff, for a CSV file: one a photo or annotation that was added, removed or changed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from vision_cli.core.dataset import Dataset
from vision_cli.versions.diff import Changes
from vision_cli.versions.matching import BOX
from vision_cli.versions.pairing import Bools, Ints

_SIDES = ("before", "after")


def csv_bytes(before: Dataset, after: Dataset, changes: Changes) -> bytes:
    """Return the CSV: `what`, `change`, then paths, splits, classes and boxes of both versions."""
    sink = pa.BufferOutputStream()
    pyarrow.csv.write_csv(details(before, after, changes), sink)
    return bytes(sink.getvalue())


def details(before: Dataset, after: Dataset, changes: Changes) -> pa.Table:
    """Return one row a difference; what a version does not have is null."""
    photos, labels = _photos(before, after, changes), _annotations(before, after, changes)
    return pa.concat_tables([photos, labels], promote_options="default")


def _photos(before: Dataset, after: Dataset, changes: Changes) -> pa.Table:
    pairs = changes.photos
    named = {"renamed": pairs.renamed, "bytes": changes.bytes_, "split": changes.split, **changes.facts}
    ends, change = _ends(len(before), len(after), (pairs.rows, pairs.others), named)
    columns = {"what": pa.array(["photo"] * len(change), pa.string()), "change": change}
    for side, dataset, rows in zip(_SIDES, (before, after), ends, strict=True):
        for name in ("source", "path", "split"):
            columns[f"{name}_{side}"] = dataset.images[name].take(rows)
    return pa.table(columns)


def _annotations(before: Dataset, after: Dataset, changes: Changes) -> pa.Table:
    sizes = before.annotations.num_rows, after.annotations.num_rows
    ends, change = _ends(*sizes, (changes.rows, changes.others), changes.fields)
    columns = {"what": pa.array(["annotation"] * len(change), pa.string()), "change": change}
    for side, dataset, rows in zip(_SIDES, (before, after), ends, strict=True):
        table = dataset.annotations.take(rows)
        photos = pc.index_in(table["image_id"], dataset.images["id"].combine_chunks())
        photos = pc.if_else(pc.is_valid(table["image_id"]), photos, None)
        for name in ("source", "path", "split"):
            columns[f"{name}_{side}"] = dataset.images[name].take(photos)
        columns[f"class_{side}"] = pa.array(dataset.classes.names, pa.string()).take(table["class_id"].combine_chunks())
        columns.update({f"{name}_{side}": table[name] for name in ("value", *BOX) if name in table.column_names})
    return pa.table(columns)


def _ends(before: int, after: int, pairs: tuple[Ints, Ints], named: Any) -> tuple[list[pa.Array], pa.Array]:
    """Return rows of both sides, null where there is none, and what happened, of all rows that differ."""
    differs = np.logical_or.reduce(list(named.values())) if named else np.zeros(len(pairs[0]), np.bool_)
    rows, others = pairs[0][differs], pairs[1][differs]
    removed, added = _without(before, pairs[0]), _without(after, pairs[1])
    lacks = pa.nulls(len(removed), pa.int64()), pa.nulls(len(added), pa.int64())
    left = pa.concat_arrays([pa.array(rows), pa.array(removed), lacks[1]])
    right = pa.concat_arrays([pa.array(others), lacks[0], pa.array(added)])
    texts = [*_texts({name: mask[differs] for name, mask in named.items()}, len(rows))]
    texts += ["removed"] * len(removed) + ["added"] * len(added)
    return [left, right], pa.array(texts, pa.string())


def _texts(named: dict[str, Bools], number: int) -> list[str]:
    """Return the names of the masks that hold for each row, joined; equal combinations are joined once."""
    if not named or not number:
        return []
    names = np.array(list(named))
    combinations, which = np.unique(np.stack(list(named.values()), axis=1), axis=0, return_inverse=True)
    told = ["+".join(names[row]) for row in combinations]
    return [told[at] for at in which.ravel()]


def _without(number: int, used: Ints) -> Ints:
    free = np.ones(number, np.bool_)
    free[used] = False
    return np.flatnonzero(free)
