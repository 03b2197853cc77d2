"""What the deep checks are given: embeddings of photos and of the crops of boxes, and which photos belong together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.compute as pc

from vision_cli.checks.intervals import Ids
from vision_cli.checks.out_of_fold import Rows

if TYPE_CHECKING:
    from vision_cli.checks.request import Request

_CROP_MARGIN = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Embedded:
    """Embeddings of a set by one frozen backbone.

    Attributes:
        rows: int64 (M,), the photos that have one: those that could be decoded.
        photos: float32 (M, D).
        groups: int64 (N,), of every photo of the set; photos of one number belong together.
        crop_rows: int64 (K,), annotations whose box was cut out.
        crops: float32 (K, D).
        boxes: number of boxes with a class, of which K were drawn.
        backbone: its name.
        bounds: recall that each class is to reach, by name; "" for all photos together.
    """

    rows: Ids
    photos: Rows
    groups: Ids
    crop_rows: Ids
    crops: Rows
    boxes: int
    backbone: str
    bounds: Mapping[str, float] = field(default_factory=dict)


def together(number: int, pairs: Iterable[tuple[int, int]], names: Iterable[object] = ()) -> Ids:
    """Return a number for each photo, int64 (N,), equal where pairs or equal names chain photos together.

    Args:
        number: of photos.
        pairs: of rows.
        names: (N,) group of each photo; None has none.
    """
    parent = list(range(number))

    def root(row: int) -> int:
        while parent[row] != row:
            parent[row] = parent[parent[row]]
            row = parent[row]
        return row

    first: dict[object, int] = {}
    named = ((first.setdefault(name, row), row) for row, name in enumerate(names) if name is not None)
    for left, right in (*pairs, *named):
        low, high = sorted((root(left), root(right)))
        parent[high] = low
    return np.array([root(row) for row in range(number)], dtype=np.int64)


def groups_of(request: Request) -> Ids:
    """Return which photos stand together: the same bytes, nearly the same looks, or one group."""
    from vision_cli.imaging.lookalikes import Looks, earlier_pairs

    pairs: list[tuple[int, int]] = []
    images = request.dataset.images
    if request.photos is not None:
        first: dict[str, int] = {}
        digests = request.photos.column("sha256").tolist()
        pairs += [(first.setdefault(digest, row), row) for row, digest in enumerate(digests) if digest]
        if request.thumbnail is not None:
            looks = Looks.of(request.photos.column("looks"))
            alone = [row for row in np.flatnonzero(request.photos.good).tolist() if first[digests[row]] == row]
            pairs += earlier_pairs(looks, alone, request.thumbnail)
    return together(len(images), pairs, images["group"].to_pylist())


def drawn_boxes(request: Request, rng: np.random.Generator) -> tuple[Ids, int]:
    """Return the annotations whose boxes to cut out, ascending, and how many boxes there are.

    Upright boxes of at least a pixel on a decoded photo, with a class, no crowds. Of more than `crops` of the settings
    so many are drawn: the first of every class in an order by chance, then the second of every class, and so on.
    """
    boxes, good = request.boxes, request.photos
    usable = boxes.there & boxes.upright & (request.class_ids >= 0) & (boxes.width >= 1) & (boxes.height >= 1)
    usable &= (boxes.right > 0) & (boxes.bottom > 0)
    if good is not None:
        usable &= good.good[request.rows]
    table = request.dataset.annotations
    if "iscrowd" in table.column_names:
        usable &= ~np.asarray(pc.fill_null(table["iscrowd"], False).to_numpy(), dtype=np.bool_)
    rows = rng.permutation(np.flatnonzero(usable))
    classes = request.class_ids[rows]
    order = np.argsort(classes, kind="stable")
    place = np.empty(len(rows), dtype=np.int64)
    counts = np.bincount(classes, minlength=1)
    place[order] = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    chosen = rows[np.argsort(place, kind="stable")][: int(request.settings.crops)]
    return np.sort(chosen), len(rows)


def crop_edges(request: Request, row: int, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return left, top, right, bottom of a box with a tenth of its sides around it, in whole pixels of its photo.

    Args:
        request: with the box.
        row: of the annotation.
        size: (width, height) of the decoded photo.
    """
    boxes = request.boxes
    ends = []
    for low, high, end in ((boxes.left[row], boxes.right[row], size[0]), (boxes.top[row], boxes.bottom[row], size[1])):
        margin = _CROP_MARGIN * (high - low)
        start = int(np.clip(np.floor(low - margin), 0, end - 1))
        ends.append((start, int(np.clip(np.ceil(high + margin), start + 1, end))))
    (left, right), (top, bottom) = ends
    return left, top, right, bottom
