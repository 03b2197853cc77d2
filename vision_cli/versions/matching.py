"""Which photo and which annotation of one version is which of another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from vision_cli.core.columns import MORE_ANNOTATION_COLUMNS
from vision_cli.core.dataset import Dataset
from vision_cli.versions.overlap import pair_by_overlap
from vision_cli.versions.pairing import Bools, Hashes, Ints, Pairs, column_hashes, mixed, pair, pair_alone

BOX = ("x", "y", "w", "h", "rotation_deg")
_OUTLINE = ("outline", "keypoints")
_NOT_SAID = frozenset({"source_id", "record", "outline_parts"})
_OTHER = tuple(
    name for name in MORE_ANNOTATION_COLUMNS.names if name not in _NOT_SAID and name not in (*BOX, *_OUTLINE)
)
_SURE_IOU = 0.5
How = Callable[[Hashes, Hashes], Pairs]
_PRIME = np.uint64(0x100000001B3)


@dataclass(frozen=True, slots=True)
class Side:
    """One of two versions.

    Attributes:
        dataset: the version.
        sha256: string (N,), of its photos; None where nobody hashed them.
    """

    dataset: Dataset
    sha256: pa.ChunkedArray | None = None


@dataclass(frozen=True, slots=True)
class PhotoPairs:
    """Photos that both versions have: rows of each, and whether it has another path now."""

    rows: Ints
    others: Ints
    renamed: Bools


@dataclass(frozen=True, slots=True)
class Said:
    """What annotations say, one hash a row; 0 where they say nothing of it.

    Attributes:
        photo: number of the pair of photos, -1 without one.
        name: of the class.
        value: a number.
        box: a box.
        outline: an outline or keypoints.
        other: everything else.
        ids: of the source.
    """

    photo: Ints
    name: Hashes
    value: Hashes
    box: Hashes
    outline: Hashes
    other: Hashes
    ids: Hashes

    def key(self, *parts: Hashes) -> Hashes:
        """Return one hash a row of the photo and some parts."""
        total = mixed((self.photo + 1).astype(np.uint64), np.uint64(7))
        with np.errstate(over="ignore"):
            for number, part in enumerate(parts):
                total = (total * _PRIME) ^ mixed(part, np.uint64(number + 11))
        return total


def pair_photos(one: Side, other: Side) -> PhotoPairs:
    """Pair photos by source and path; of the others, those with the same bytes."""
    keys = [column_hashes(side.dataset.images, ("source", "path")) for side in (one, other)]
    rows, others = pair(*keys)
    renamed = np.zeros(len(rows), np.bool_)
    if one.sha256 is not None and other.sha256 is not None:
        left = [_left(len(side.dataset), used) for side, used in ((one, rows), (other, others))]
        found = [_hash_of(side, part) for side, part in ((one, left[0]), (other, left[1]))]
        known = [part[hashes != 0] for part, hashes in zip(left, found, strict=True)]
        more, more_others = pair(*(hashes[hashes != 0] for hashes in found))
        rows, others = np.r_[rows, known[0][more]], np.r_[others, known[1][more_others]]
        renamed = np.r_[renamed, np.ones(len(more), np.bool_)]
    order = np.argsort(rows, kind="stable")
    return PhotoPairs(rows[order], others[order], renamed[order])


def _left(number: int, used: Ints) -> Ints:
    free = np.ones(number, np.bool_)
    free[used] = False
    return np.flatnonzero(free)


def _hash_of(side: Side, rows: Ints) -> Hashes:
    column = pa.nulls(len(rows), pa.string()) if side.sha256 is None else side.sha256.take(pa.array(rows))
    return column_hashes(pa.table({"sha256": column}), ("sha256",))


def said(dataset: Dataset, photo_of_row: Ints) -> Said:
    """Return what the annotations of a version say.

    Args:
        dataset: the version.
        photo_of_row: of each of its photos the number of its pair, -1 without one.
    """
    table = dataset.annotations
    names = pa.array([*dataset.classes.names], pa.string()).take(table["class_id"].combine_chunks())
    named = pa.table({"class": names})
    return Said(
        photo_of_row[dataset.rows_of(table["image_id"])] if table.num_rows else np.empty(0, np.int64),
        column_hashes(named, ("class",)),
        column_hashes(table, ("value",)),
        column_hashes(table, BOX),
        column_hashes(table, _OUTLINE),
        column_hashes(table, _OTHER),
        column_hashes(table, ("source_id",)),
    )


class Matcher:
    """Pairs annotations step by step, the surest first; each step sees what is left of the steps before."""

    def __init__(self, one: Said, other: Said) -> None:
        self.one, self.other = one, other
        self._free = [side.photo >= 0 for side in (one, other)]
        self._rows: list[Ints] = []
        self._others: list[Ints] = []

    def match(self, boxes: tuple[pa.Table, pa.Table]) -> Pairs:
        """Return the pairs: all the same, same id, same place, same class and overlapping, overlapping a lot.

        Args:
            boxes: the annotations of both sides, for their boxes.
        """
        one, other = self.one, self.other
        self._take(pair, [side.key(side.name, side.value, side.box, side.outline, side.other) for side in (one, other)])
        self._take(pair_alone, [side.key(side.ids) for side in (one, other)], [side.ids != 0 for side in (one, other)])
        placed = [(side.box != 0) | (side.outline != 0) for side in (one, other)]
        self._take(pair, [side.key(side.box, side.outline) for side in (one, other)], placed)
        self._take(pair_alone, [side.key() for side in (one, other)], [~mask for mask in placed])
        self._overlapping(boxes)
        self._take(pair_alone, [side.key(side.name) for side in (one, other)], placed)
        return np.concatenate(self._rows), np.concatenate(self._others)

    def _take(self, how: How, keys: list[Hashes], masks: list[Bools] | None = None) -> None:
        left = [np.flatnonzero(free & mask) for free, mask in zip(self._free, masks or self._free, strict=True)]
        rows, others = how(keys[0][left[0]], keys[1][left[1]])
        self._use(left[0][rows], left[1][others])

    def _use(self, rows: Ints, others: Ints) -> None:
        self._free[0][rows] = False
        self._free[1][others] = False
        self._rows.append(rows)
        self._others.append(others)

    def _overlapping(self, boxes: tuple[pa.Table, pa.Table]) -> None:
        if any("x" not in table.column_names for table in boxes):
            return
        left = [
            np.flatnonzero(free & (side.box != 0))
            for free, side in zip(self._free, (self.one, self.other), strict=True)
        ]
        numbers = [_numbers(table, rows) for table, rows in zip(boxes, left, strict=True)]
        photos = (self.one.photo[left[0]], self.other.photo[left[1]])
        names = (self.one.name[left[0]], self.other.name[left[1]])
        rows, others = pair_by_overlap(photos, names, (numbers[0], numbers[1]), sure=_SURE_IOU)
        self._use(left[0][rows], left[1][others])


def _numbers(table: pa.Table, rows: Ints) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    columns = [table[name].take(pa.array(rows)).fill_null(0.0).to_numpy() for name in BOX[:4]]
    return np.stack(columns, axis=1) if len(rows) else np.empty((0, 4))
