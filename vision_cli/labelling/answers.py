"""What several people said of the same photos, in columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from vision_cli.core.dataset import ClassMap

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers of A people about N photos, M rows.

    Attributes:
        photos: ids of the photos.
        sizes: int64 (N, 2), width and height in pixels; 0 where unknown.
        annotators: their names.
        classes: the class map.
        seen: bool (N, A): who answered about which photo, be it with nothing.
        photo_ids: int64 (M,), index into photos.
        annotator_ids: int64 (M,), index into annotators.
        class_ids: int64 (M,); -1 without a class.
        values: float64 (M,); NaN without a value.
        boxes: float64 (M, 4), left, top, right, bottom in pixels, right and bottom exclusive; NaN for what is said of
            the whole photo.
        outlines: (M,), bytes of `core.outline`; None without one.
    """

    photos: Sequence[str]
    sizes: Ints
    annotators: Sequence[str]
    classes: ClassMap
    seen: NDArray[np.bool_]
    photo_ids: Ints
    annotator_ids: Ints
    class_ids: Ints
    values: Floats
    boxes: Floats
    outlines: Sequence[bytes | None]
    _index: Mapping[tuple[int, int], Ints] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        order = np.lexsort([self.annotator_ids, self.photo_ids])
        keys = np.stack([self.photo_ids, self.annotator_ids], axis=1)[order]
        starts = np.flatnonzero((np.diff(keys, axis=0) != 0).any(axis=1)) + 1
        parts = np.split(order, starts) if len(order) else []
        index = {(int(self.photo_ids[rows[0]]), int(self.annotator_ids[rows[0]])): rows for rows in parts}
        object.__setattr__(self, "_index", index)

    @property
    def placed(self) -> NDArray[np.bool_]:
        """Return which rows are somewhere on their photo, bool (M,)."""
        return np.asarray(~np.isnan(self.boxes).any(axis=1))

    def rows(self, photo: int, annotator: int) -> Ints:
        """Return the rows of one person about one photo."""
        return self._index.get((photo, annotator), np.empty(0, dtype=np.int64))

    def objects(self, photo: int, annotator: int) -> Ints:
        """Return those of the rows that are somewhere on the photo."""
        rows = self.rows(photo, annotator)
        found: Ints = rows[~np.isnan(self.boxes[rows]).any(axis=1)]
        return found

    def meetings(self) -> Iterator[tuple[int, int, int]]:
        """Yield photo and two people for each pair of people who both answered about a photo."""
        for photo in np.flatnonzero(self.seen.sum(axis=1) > 1).tolist():
            for one, other in combinations(np.flatnonzero(self.seen[photo]).tolist(), 2):
                yield photo, one, other
