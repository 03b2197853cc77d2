"""Figures of a data set: counts, sizes, classes by split, classes that come together. Labels only, whole columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vision_cli.core.dataset import SPLITS, Dataset
from vision_cli.views import statistics_columns
from vision_cli.views.statistics_boxes import Boxes, Spread, boxes, spread
from vision_cli.views.statistics_columns import Column

MOST_PAIRS = 200
"""Pairs of classes that are kept."""

_COMMON_SIZES = 5
_DENSE_PAIRS = 4_000_000

Ints = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True, slots=True)
class Photos:
    """Figures of the photos' sizes.

    Attributes:
        width_px, height_px, megapixels, aspect: over the photos whose size is known; aspect is width by height.
        common: the commonest sizes (width, height, photos), most first.
        sizes: number of distinct sizes.
        unknown: photos without a size.
    """

    width_px: Spread
    height_px: Spread
    megapixels: Spread
    aspect: Spread
    common: tuple[tuple[int, int, int], ...]
    sizes: int
    unknown: int


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """One class.

    Attributes:
        name: of the class.
        photos: that have it.
        annotations: of it.
        by_split: photos and annotations by split; the empty name is of photos without one.
    """

    name: str
    photos: int
    annotations: int
    by_split: Mapping[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two classes that come together.

    Attributes:
        first, second: names.
        photos: that have both.
        share_first, share_second: of the photos that have the one, 0 to 1.
    """

    first: str
    second: str
    photos: int
    share_first: float
    share_second: float


@dataclass(frozen=True, slots=True)
class Statistics:
    """All figures of a data set.

    Attributes:
        photos, annotations, classes: counts; `classes` are those of the class map.
        unlabelled: photos without annotation.
        unused: classes without annotation.
        sizes: of the photos.
        per_photo: annotations a photo, photos without any counted as 0.
        boxes: None where there is none.
        values: of photos labelled by a number; None where there is none.
        shapes: number of annotations with a box, an outline, keypoints, a flag ..., those that there are.
        by_class: in the order of the class map.
        pairs: classes that come together, most photos first.
        pair_count: distinct pairs.
        splits: photos and annotations by split; the empty name is of photos without one.
        sources: photos and annotations by source.
        columns: metadata of the photos.
        notes: of the reader.
    """

    photos: int
    annotations: int
    classes: int
    unlabelled: int
    unused: int
    sizes: Photos
    per_photo: Spread
    boxes: Boxes | None
    values: Spread | None
    shapes: Mapping[str, int]
    by_class: tuple[ClassFigures, ...]
    pairs: tuple[Pair, ...]
    pair_count: int
    splits: Mapping[str, tuple[int, int]]
    sources: Mapping[str, tuple[int, int]]
    columns: tuple[Column, ...]
    notes: tuple[str, ...]


def statistics(dataset: Dataset) -> Statistics:
    """Return the figures of a data set."""
    rows = dataset.rows_of(dataset.annotations["image_id"])
    per_photo = np.bincount(rows, minlength=len(dataset))
    by_class, pairs, pair_count = _classes(dataset, rows)
    values = dataset.annotations["value"].drop_null().to_numpy()
    return Statistics(
        photos=len(dataset),
        annotations=dataset.annotations.num_rows,
        classes=len(dataset.classes),
        unlabelled=int((per_photo == 0).sum()),
        unused=sum(line.annotations == 0 for line in by_class),
        sizes=_photos(dataset.images),
        per_photo=spread(per_photo.astype(np.float64)),
        boxes=boxes(dataset, rows),
        values=spread(values) if len(values) else None,
        shapes=statistics_columns.shapes(dataset.annotations),
        by_class=by_class,
        pairs=pairs,
        pair_count=pair_count,
        splits=_by(dataset, "split", per_photo),
        sources=_by(dataset, "source", per_photo),
        columns=statistics_columns.metadata(dataset.images),
        notes=dataset.notes,
    )


def _photos(images: pa.Table) -> Photos:
    width, height = (pc.fill_null(images[name], 0).to_numpy().astype(np.int64) for name in ("width", "height"))
    known = (width > 0) & (height > 0)
    wide, high = width[known].astype(np.float64), height[known].astype(np.float64)
    keys, counts = np.unique(width[known] << 32 | height[known], return_counts=True)
    order = np.argsort(-counts, kind="stable")[:_COMMON_SIZES]
    common = tuple((int(keys[at] >> 32), int(keys[at] & 0xFFFFFFFF), int(counts[at])) for at in order)
    spreads = (spread(wide), spread(high), spread(wide * high / 1e6), spread(wide / high))
    return Photos(*spreads, common, len(keys), int((~known).sum()))


def _by(dataset: Dataset, column: str, per_photo: Ints) -> dict[str, tuple[int, int]]:
    """Return photos and annotations by the value of a text column: splits in their order, then the others."""
    codes, names = _coded(dataset.images[column])
    photos = np.bincount(codes, minlength=len(names)).tolist()
    annotations = np.bincount(codes, per_photo, minlength=len(names)).astype(np.int64).tolist()
    found = {name: (photos[at], annotations[at]) for at, name in enumerate(names) if photos[at]}
    return {name: found[name] for name in _ordered(found)}


def _ordered(names: Mapping[str, object]) -> list[str]:
    others = sorted(name for name in names if name and name not in SPLITS)
    return [*(name for name in SPLITS if name in names), *others, *([""] if "" in names else [])]


def _coded(column: pa.ChunkedArray) -> tuple[Ints, list[str]]:
    """Return a code a row and the text of each code; null has the empty text."""
    encoded = pc.fill_null(column, "").combine_chunks().dictionary_encode()
    return encoded.indices.to_numpy().astype(np.int64), encoded.dictionary.to_pylist()


def _classes(dataset: Dataset, rows: Ints) -> tuple[tuple[ClassFigures, ...], tuple[Pair, ...], int]:
    ids = pc.fill_null(dataset.annotations["class_id"], -1).to_numpy().astype(np.int64)
    labelled = ids >= 0
    ids, rows, number = ids[labelled], rows[labelled], max(len(dataset.classes), 1)
    present = np.unique(rows * number + ids)
    owners, classes = present // number, present % number
    codes, splits = _coded(dataset.images["split"])
    photos = np.bincount(codes[owners] * number + classes, minlength=len(splits) * number).reshape(-1, number)
    annotations = np.bincount(codes[rows] * number + ids, minlength=len(splits) * number).reshape(-1, number)
    order = [splits.index(name) for name in _ordered(dict.fromkeys(splits))]
    lines = []
    for at, name in enumerate(dataset.classes.names):
        by_split = {splits[code]: (int(photos[code, at]), int(annotations[code, at])) for code in order}
        lines.append(ClassFigures(name, int(photos[:, at].sum()), int(annotations[:, at].sum()), by_split))
    pairs, count = _pairs(owners, classes, lines)
    return tuple(lines), pairs, count


def _pairs(owners: Ints, classes: Ints, lines: list[ClassFigures]) -> tuple[tuple[Pair, ...], int]:
    """Count the photos that two classes share, from the sorted (photo, class) pairs."""
    number = max(len(lines), 1)
    if number**2 <= _DENSE_PAIRS:
        dense = np.zeros(number**2, dtype=np.int64)
        for codes in _together(owners, classes, number):
            dense += np.bincount(codes, minlength=number**2)
        keys = np.flatnonzero(dense)
        counts = dense[keys]
    else:
        found = [np.empty(0, np.int64), *_together(owners, classes, number)]
        keys, counts = np.unique(np.concatenate(found), return_counts=True)
    order = np.argsort(-counts, kind="stable")[:MOST_PAIRS]
    pairs = []
    for key, photos in zip(keys[order].tolist(), counts[order].tolist(), strict=True):
        one, other = lines[key // number], lines[key % number]
        pairs.append(Pair(one.name, other.name, photos, photos / one.photos, photos / other.photos))
    return tuple(pairs), len(keys)


def _together(owners: Ints, classes: Ints, number: int) -> Any:
    """Yield the code of each pair of classes in a photo: those that stand 1 apart in the sorted list, then 2, ..."""
    at, apart = np.arange(len(owners)), 1
    while len(at := at[at + apart < len(owners)]):
        at = at[owners[at] == owners[at + apart]]
        if not len(at):
            return
        yield classes[at] * number + classes[at + apart]
        apart += 1
