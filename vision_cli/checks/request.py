"""What a check is given: the tables, and all that several checks need, computed once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from vision_cli.checks.finding import Floats, Ids
from vision_cli.checks.outline_facts import OutlineFacts
from vision_cli.checks.settings import Settings
from vision_cli.core.dataset import Dataset
from vision_cli.core.origin import Pixels

if TYPE_CHECKING:
    from vision_cli.checks.embedded import Embedded
    from vision_cli.checks.neighbours import Neighbours
    from vision_cli.checks.photo_facts import PhotoFacts  # OpenCV, for those who decode photos

Mask = NDArray[np.bool_]
Across = Sequence[tuple[tuple[str, str], Sequence[tuple[int, int]]]]
"""Of each two splits, by name, pairs of rows; the one that is learnt comes first."""

_FIRST: dict[Pixels, int] = {"exclusive": 0, "inclusive-0": 0, "inclusive-1": 1}


@dataclass(frozen=True, slots=True)
class FileFacts:
    """Which files are there, without opening any.

    Attributes:
        missing: bool (N,), photos of the tables that are not there.
        lone_photos: photo files beside the others that no label names.
        lone_labels: label files that no photo belongs to.
    """

    missing: Mask
    lone_photos: tuple[str, ...] = ()
    lone_labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Boxes:
    """The boxes of N annotations as edges: 0 is the photo's left edge, the right edge is exclusive.

    Attributes:
        there: bool (N,), which annotations have a box.
        upright: bool (N,), which boxes are not rotated.
        left: float64 (N,), pixels; NaN without a box, as `top`, `right`, `bottom`.
        top: likewise.
        right: likewise.
        bottom: likewise.
    """

    there: Mask
    upright: Mask
    left: Floats
    top: Floats
    right: Floats
    bottom: Floats

    @property
    def width(self) -> Floats:
        """Return right minus left."""
        return self.right - self.left

    @property
    def height(self) -> Floats:
        """Return bottom minus top."""
        return self.bottom - self.top


@dataclass(frozen=True, eq=False)
class Request:
    """One data set, with facts that are computed when the first check asks for them.

    Attributes:
        dataset: photos and labels.
        settings: thresholds.
        files: what stands on the disk.
        photos: what decoding them told; None when nobody wanted that.
        thumbnail: float32 (32, 32, 3) of a photo's row, for comparing looks.
        refusal: what a reader said of labels that it refused; the photos then stand here without any.
        deep: embeddings; None when nobody wanted them.
        answers: float64 (N, C), probabilities of each photo's classes by a model that did not learn from it; NaN where
            there are none. None when nobody gave them.
    """

    dataset: Dataset
    settings: Settings = field(default_factory=Settings)
    files: FileFacts | None = None
    photos: PhotoFacts | None = None
    thumbnail: Callable[[int], NDArray[np.float32]] | None = None
    refusal: tuple[str, ...] = ()
    deep: Embedded | None = None
    answers: Floats | None = None

    @cached_property
    def rows(self) -> Ids:
        """Return the row of each annotation's photo, int64 (N,)."""
        ids = self.dataset.images["id"].to_numpy()
        wanted = self.dataset.annotations["image_id"].to_numpy()
        if len(ids) and ids[0] == 0 and ids[-1] == len(ids) - 1 and bool((np.diff(ids) == 1).all()):
            return np.asarray(wanted, dtype=np.int64)
        return self.dataset.rows_of(self.dataset.annotations["image_id"])

    @cached_property
    def class_ids(self) -> Ids:
        """Return the class of each annotation, int64 (N,); -1 without."""
        column = self.dataset.annotations["class_id"]
        return np.asarray((column.fill_null(-1) if column.null_count else column).to_numpy(), dtype=np.int64)

    @cached_property
    def splits(self) -> Ids:
        """Return the number of each photo's split in `split_names`, int64 (N,); -1 without."""
        found = pc.index_in(self.dataset.images["split"], pa.array(self.split_names, pa.string()))
        return np.asarray(found.fill_null(-1).to_numpy(), dtype=np.int64)

    @cached_property
    def split_names(self) -> tuple[str, ...]:
        """Return the splits that have photos: train, val, test, then others."""
        present = [name for name in pc.unique(self.dataset.images["split"]).to_pylist() if name]
        order = {"train": 0, "val": 1, "test": 2}
        return tuple(sorted(present, key=lambda name: (order.get(name, 3), name)))

    @cached_property
    def sizes(self) -> Floats:
        """Return (width, height) of each annotation's photo, float64 (N, 2); 0 where unknown."""
        return self.image_sizes[self.rows]

    @cached_property
    def image_sizes(self) -> Floats:
        """Return (width, height) of each photo as the labels have it, float64 (N, 2); 0 where unknown."""
        images = self.dataset.images
        return np.stack([floats(images, "width", 0), floats(images, "height", 0)], axis=1)

    @cached_property
    def boxes(self) -> Boxes:
        """Return the boxes as edges."""
        table = self.dataset.annotations
        x, y, w, h = (floats(table, name, np.nan) for name in "xywh")
        first, more = self._conventions()
        left, top = x - first, y - first
        there = ~np.isnan(left + top + w + h)
        return Boxes(there, floats(table, "rotation_deg", 0) == 0, left, top, left + w + more, top + h + more)

    @cached_property
    def outlines(self) -> OutlineFacts | None:
        """Return figures of the outlines; None where no annotation has one."""
        table = self.dataset.annotations
        if "outline" not in table.column_names or table["outline"].null_count == table.num_rows:
            return None
        return OutlineFacts.of(table["outline"])

    @cached_property
    def per_photo(self) -> Ids:
        """Return how many annotations each photo has, int64 (N,)."""
        return np.bincount(self.rows, minlength=len(self.dataset)).astype(np.int64)

    @cached_property
    def neighbours(self) -> Neighbours | None:
        """Return the photos that are nearly the same by their embeddings; None where there are too few to tell."""
        from vision_cli.checks import looks

        return None if self.deep is None else looks.near(self.deep, int(self.settings.seed))

    @cached_property
    def same_across(self) -> Across:
        """Return the pairs of photos of two splits with the same bytes."""
        from vision_cli.checks import leakage

        return leakage.same_across(self)

    @cached_property
    def alike_across(self) -> Across:
        """Return the pairs of photos of two splits that look alike and have other bytes."""
        from vision_cli.checks import leakage

        return leakage.alike_across(self)

    def leaking(self, *, alike: bool) -> frozenset[int]:
        """Return the rows that leak by their bytes, and by their looks, too."""
        told = [*self.same_across, *(self.alike_across if alike else ())]
        return frozenset(row for each in told for _, row in each[1])

    def _conventions(self) -> tuple[Any, Any]:
        """Return what to take from left and top, and to add to right and bottom; numbers, or one an annotation."""
        origins = self.dataset.origins
        pixels: dict[str, Pixels] = {
            name: origins[name].pixels if name in origins else "exclusive" for name in self.dataset.roots
        }
        kinds = set(pixels.values())
        if len(kinds) <= 1:
            kind: Pixels = next(iter(kinds), "exclusive")
            return _FIRST[kind], int(kind != "exclusive")
        names = list(pixels)
        index = pc.index_in(self.dataset.images["source"], pa.array(names)).to_numpy()[self.rows]
        first = np.array([_FIRST[pixels[name]] for name in names])[index]
        return first, np.array([int(pixels[name] != "exclusive") for name in names])[index]


def floats(table: pa.Table, name: str, default: float) -> Floats:
    """Return a column as float64 (N,); the default where it is null or absent."""
    if name not in table.column_names:
        return np.full(table.num_rows, default)
    column = table[name]
    column = column if pa.types.is_float64(column.type) else column.cast(pa.float64())
    return np.asarray((column.fill_null(default) if column.null_count else column).to_numpy(), dtype=np.float64)
