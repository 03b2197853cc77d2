"""Which rows a conversion keeps, and the counts of its conservation report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from vision_cli.core.columns import from_numpy
from vision_cli.core.conservation import ClassLine, Loss, Mask, Tally
from vision_cli.core.dataset import Dataset
from vision_cli.formats import conserving
from vision_cli.stages.converting import runs

Share = tuple[Loss, Mask]
"""A loss with the rows that are its own, bool (N,)."""
Counts = Sequence[tuple[str, Sequence[int]]]


@dataclass(frozen=True, slots=True)
class Account:
    """What becomes of each row: it is dropped for the first reason that holds, or stays and may lose details.

    Attributes:
        dataset: all that went in.
        kept_images: bool (N,).
        kept_rows: bool (A,), of the annotations.
        image_drops: the losses that drop photos, no photo twice.
        row_drops: the losses that drop annotations, those of dropped photos included; none twice.
        image_changes: the details that photos lose which stay.
        row_changes: the details that annotations lose which stay.
    """

    dataset: Dataset
    kept_images: Mask
    kept_rows: Mask
    image_drops: Sequence[Share]
    row_drops: Sequence[Share]
    image_changes: Sequence[Share]
    row_changes: Sequence[Share]

    def kept(self) -> Dataset:
        """Return the rows that stay, numbered from 0 as in every data set; classes are as they were."""
        dataset = self.dataset
        if self.kept_images.all() and self.kept_rows.all():
            return dataset
        rows = (np.cumsum(self.kept_images) - 1)[_photo_rows(dataset)[self.kept_rows]]
        images = _numbered(dataset.images.filter(from_numpy(self.kept_images)))
        annotations = _numbered(_filtered(dataset.annotations, self.kept_rows))
        at = annotations.schema.get_field_index("image_id")
        return replace(dataset, images=images, annotations=annotations.set_column(at, "image_id", from_numpy(rows)))

    def counts(self) -> Account:
        """Return the same account without the columns that nobody counts: outlines are most of a data set's memory."""
        columns = [name for name in ("image_id", "class_id") if name in self.dataset.annotations.column_names]
        return replace(self, dataset=replace(self.dataset, annotations=self.dataset.annotations.select(columns)))

    def changed(self, names: frozenset[str]) -> Mask:
        """Return which of the annotations that stay lose a detail of one of these names."""
        found = np.zeros(len(self.kept_rows), dtype=np.bool_)
        for loss, rows in self.row_changes:
            found |= rows if loss.name in names else False
        return found[self.kept_rows]

    def names(self) -> list[str]:
        """Return the names of the losses that somebody has to allow."""
        shares = [*self.image_drops, *self.row_drops, *self.image_changes, *self.row_changes]
        return list(dict.fromkeys(loss.name for loss, _ in shares if not loss.allowed))

    def image_tally(self) -> Tally:
        """Count the photos."""
        return _tally(self.kept_images, self.image_drops, self.image_changes)

    def annotation_tally(self) -> Tally:
        """Count the annotations."""
        return _tally(self.kept_rows, self.row_drops, self.row_changes)

    def class_lines(self, source_ids: Mapping[str, int], target_ids: Mapping[str, int]) -> list[ClassLine]:
        """Count the annotations of each class; details that need no word are told once, for all of them."""
        names = self.dataset.classes.names
        ids = conserving.numbers(self.dataset.annotations, "class_id", len(names)).astype(np.int64)

        def count(rows: Mask) -> list[int]:
            found: list[int] = np.bincount(ids[rows], minlength=len(names) + 1).tolist()
            return found

        before, after = np.bincount(ids, minlength=len(names) + 1).tolist(), count(self.kept_rows)
        dropped = [(loss.reason, count(rows)) for loss, rows in self.row_drops]
        changed = [(loss.reason, count(rows)) for loss, rows in self.row_changes if not loss.allowed]
        tallies = (
            Tally(before[at], after[at], _of_class(dropped, at), _of_class(changed, at)) for at in range(len(names))
        )
        return [
            ClassLine(name, source_ids.get(name), target_ids.get(name), tally)
            for name, tally in zip(names, tallies, strict=True)
        ]

    def unlabelled(self) -> int:
        """Return the number of photos that stay without any annotation."""
        labelled = np.zeros(len(self.kept_images), dtype=np.bool_)
        labelled[_photo_rows(self.dataset)[self.kept_rows]] = True
        return int((self.kept_images & ~labelled).sum())


def account(dataset: Dataset, losses: Sequence[Loss], carries: frozenset[str]) -> Account:
    """Give each row to the first loss that drops it.

    Photos that losses other than `unlabelled` drop take their annotations along; then annotations are dropped for
    reasons of their own; what photos are empty then is found anew.
    """
    photo_rows = _photo_rows(dataset)
    by_kind = {kind: [loss for loss in losses if loss.kind == kind] for kind in ("image", "annotation")}
    kept_images, image_drops = _deal(len(dataset), [loss for loss in by_kind["image"] if loss.name != "unlabelled"])
    along = [(loss, rows[photo_rows]) for loss, rows in image_drops]
    gone = ~kept_images[photo_rows]
    kept_rows, own = _deal(dataset.annotations.num_rows, by_kind["annotation"], gone)
    empty = conserving.unlabelled(dataset, ~kept_rows, carries)
    kept_images, more = _deal(len(dataset), empty, ~kept_images)
    return Account(
        dataset,
        kept_images,
        kept_rows,
        [*image_drops, *more],
        _not_empty([*along, *own]),
        _not_empty([(loss, loss.rows & kept_images) for loss in losses if loss.kind == "image-detail"]),
        _not_empty([(loss, loss.rows & kept_rows) for loss in losses if loss.kind == "detail"]),
    )


def _deal(number: int, losses: Sequence[Loss], gone: Mask | None = None) -> tuple[Mask, list[Share]]:
    """Return what stays of so many rows, and what each loss takes; rows that are gone before belong to nobody."""
    kept = np.ones(number, dtype=np.bool_) if gone is None else ~gone
    shares = []
    for loss in losses:
        shares.append((loss, loss.rows & kept))
        kept &= ~loss.rows
    return kept, _not_empty(shares)


def _not_empty(shares: Sequence[Share]) -> list[Share]:
    return [(loss, rows) for loss, rows in shares if rows.any()]


def _filtered(table: pa.Table, kept: Mask) -> pa.Table:
    """Return the rows that stay; outlines are copied piece by piece: Arrow holds three times their bytes meanwhile."""
    if "outline" not in table.column_names or kept.all():
        return table.filter(from_numpy(kept))
    others = table.drop_columns(["outline"]).filter(from_numpy(kept))
    outline = pa.chunked_array([runs.kept(texts, rows) for texts, rows in _pieces(table["outline"], kept)], pa.binary())
    return others.add_column(table.column_names.index("outline"), "outline", outline)


def _pieces(column: pa.ChunkedArray, kept: Mask) -> Iterator[tuple[pa.Array, Mask]]:
    first = 0
    for texts in column.chunks:
        yield texts, kept[first : first + len(texts)]
        first += len(texts)


def _numbered(table: pa.Table) -> pa.Table:
    return table.set_column(table.schema.get_field_index("id"), "id", from_numpy(np.arange(table.num_rows)))


def _tally(kept: Mask, drops: Sequence[Share], changes: Sequence[Share]) -> Tally:
    return Tally(len(kept), int(kept.sum()), _sums(drops), _sums(changes))


def _sums(shares: Sequence[Share]) -> dict[str, int]:
    found: dict[str, int] = {}
    for loss, rows in shares:
        found[loss.reason] = found.get(loss.reason, 0) + int(rows.sum())
    return found


def _of_class(counts: Counts, at: int) -> dict[str, int]:
    found: dict[str, int] = {}
    for reason, numbers in counts:
        if numbers[at]:
            found[reason] = found.get(reason, 0) + numbers[at]
    return found


def _photo_rows(dataset: Dataset) -> np.ndarray[Any, np.dtype[np.int64]]:
    return dataset.rows_of(dataset.annotations["image_id"])
