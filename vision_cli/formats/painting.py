"""From outlines to pictures of labels: what each pixel shows where objects lie on one another.

Formats of pixels (panoptic, Cityscapes, mask folders, VOC segmentation) hold one object a pixel. Objects are painted in
row order, so a later row covers an earlier one; that is the order in which Cityscapes' polygons are drawn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from vision_cli.core import outline, outline_columns, rle
from vision_cli.core.conservation import Loss
from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError

Rows = NDArray[np.int64]
PIXEL_FORMATS = frozenset({"panoptic", "masks"})
"""Origins whose objects never lie on one another."""

_OF_PIXELS = frozenset({"mask", "polygon", "polygons", "box"})
_NO_ROWS: Rows = np.empty(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Painted:
    """What one photo shows.

    Attributes:
        picture: int32 (H, W), 1 + the place in `rows` of the object that each pixel shows, 0 for none.
        rows: int64 (N,), rows of `annotations` that were painted, in order.
        areas: int64 (N,), pixels of each before others covered it.
    """

    picture: NDArray[np.int32]
    rows: Rows
    areas: NDArray[np.int64]

    @property
    def visible(self) -> NDArray[np.int64]:
        """Return int64 (N,): pixels of each object that show."""
        return np.bincount(self.picture.ravel(), minlength=len(self.rows) + 1)[1:]

    def filled(self, values: Sequence[int] | NDArray[Any], empty: int, kind: type[np.generic]) -> NDArray[Any]:
        """Return the picture (H, W) with a value for each object instead of its place."""
        table = np.concatenate([[empty], np.asarray(values, dtype=np.int64)]).astype(kind)
        return np.asarray(table[self.picture])


def needs_pixels(need: frozenset[str] | None) -> bool:
    """Return whether a reader that was asked for these names of `CARRIED` must make outlines; boxes come from them."""
    return need is None or bool(need & _OF_PIXELS)


def outlined_rows(dataset: Dataset) -> list[Rows]:
    """Return for each photo the rows of its annotations that have an outline, ascending."""
    if "outline" not in dataset.annotations.column_names:
        return [_NO_ROWS] * len(dataset)
    rows = np.flatnonzero(pc.is_valid(dataset.annotations["outline"]).to_numpy())
    photos = dataset.rows_of(dataset.annotations["image_id"])[rows]
    order = np.argsort(photos, kind="stable")
    bounds = np.searchsorted(photos[order], np.arange(1, len(dataset)))
    return np.split(rows[order], bounds)


def paint(dataset: Dataset, photo: int, rows: Rows) -> Painted:
    """Paint annotations of one photo.

    Args:
        dataset: the data.
        photo: its row in `images`.
        rows: of `annotations`, in the order of painting.

    Raises:
        DataError: a photo without a known size, or an outline that cannot be filled, with photo and row.
    """
    path, width, height = (dataset.images[name][photo].as_py() for name in ("path", "width", "height"))
    if not width or not height:
        raise DataError(f"{path}: its size is not known, so no mask can be written.", hint="Give the photos.")
    rle.check_size(height, width)
    flat = np.zeros(height * width, dtype=np.int32)
    areas = np.zeros(len(rows), dtype=np.int64)
    outlines = dataset.annotations["outline"].take(pa.array(rows)).to_pylist() if len(rows) else []
    for place, data in enumerate(outlines):
        try:
            starts, ends = rle.spans(outline.runs(outline.parse(data), width, height))
        except DataError as error:
            raise DataError(f"{path}: annotation {int(rows[place])}: {error.message}", hint=error.hint) from error
        areas[place] = int((ends - starts).sum())
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            flat[start:end] = place + 1
    return Painted(flat.reshape(width, height).T, rows, areas)


def painted(dataset: Dataset) -> Iterator[Painted]:
    """Paint photo after photo, in row order."""
    for photo, rows in enumerate(outlined_rows(dataset)):
        yield paint(dataset, photo, rows)


def empty_losses(dataset: Dataset) -> list[Loss]:
    """Return the masks without a pixel."""
    if "outline" not in dataset.annotations.column_names:
        return []
    empty = outline_columns.areas(dataset.annotations["outline"]) == 0
    masks = np.asarray(
        pc.equal(outline_columns.parts(dataset.annotations["outline"]), outline.RUNS_PARTS).to_numpy(False)
    )
    loss = Loss("no-area", "annotation", "a mask without a pixel", empty & masks)
    return [loss] if loss.rows.any() else []


def overlap_losses(dataset: Dataset) -> list[Loss]:
    """Return the objects that others cover, wholly or in part; nothing is painted where none can."""
    number = dataset.annotations.num_rows
    if all(origin.format in PIXEL_FORMATS for origin in dataset.origins.values()) and len(dataset.origins) == 1:
        return []
    gone, partly = np.zeros(number, dtype=np.bool_), np.zeros(number, dtype=np.bool_)
    for found in painted(dataset):
        visible = found.visible
        gone[found.rows[visible == 0]] = True
        partly[found.rows[(visible > 0) & (visible < found.areas)]] = True
    return [
        loss
        for loss in (
            Loss("overlaps", "annotation", "no pixel left under other objects", gone),
            Loss("overlaps", "detail", "pixels under other objects", partly),
        )
        if loss.rows.any()
    ]
