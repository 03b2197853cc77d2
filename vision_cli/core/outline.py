"""The `outline` column: polygons or a run-length mask of an object, as the JSON bytes that COCO uses.

Polygons are `[[x, y, x, y ...] ...]` in pixels from the photo's left top corner, as in COCO; several are parts of one
object and join. A mask is `{"size": [height, width], "counts": ...}` with run lengths or pycocotools' text. Everything
here takes bytes of any origin and ends in a value or a `DataError`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from vision_cli.core import rle
from vision_cli.core.errors import DataError
from vision_cli.core.rasterise import Points, runs_of_polygons, union

MAX_POINTS = 500_000
MAX_COORDINATE_PX = 1e8
RUNS_PARTS = -1
_MIN_POINTS = 3
_MAX_TEXT_BYTES = 1 << 27

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Polygons:
    """Polygons of one object.

    Attributes:
        rings: float64 (P, 2) each, x and y in pixels, not closed.
    """

    rings: tuple[Points, ...]


@dataclass(frozen=True, slots=True)
class Runs:
    """A run-length mask of one object.

    Attributes:
        height: of the photo, in pixels.
        width: likewise.
        counts: int64 (N,), runs of 0 and 1 in turn, down the columns.
    """

    height: int
    width: int
    counts: NDArray[np.int64]


Outline = Polygons | Runs


class _Mask(msgspec.Struct):
    size: list[int]
    counts: str | list[int]


_DECODER = msgspec.json.Decoder(list[list[float]] | _Mask)


def parse(data: bytes) -> Outline:
    """Read one outline.

    Raises:
        DataError: no JSON of this form, an odd number of values, fewer than 3 points, over 500,000 points, a coordinate
            over 1e8, or counts that do not make the mask.
    """
    if len(data) > _MAX_TEXT_BYTES:
        raise DataError(f"the outline has {len(data) / 1e6:.0f} MB; the limit is {_MAX_TEXT_BYTES / 1e6:.0f}.")
    try:
        found = _DECODER.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DataError(
            f"this is no outline: {str(error).rstrip('.')}.",
            hint="Outlines are [[x, y, ...], ...] or {'size': [height, width], 'counts': ...}.",
        ) from error
    return of_runs(found.size, found.counts) if isinstance(found, _Mask) else of_rings(found)


def rings_of(data: bytes) -> tuple[Points, ...]:
    """Read the rings of one outline of polygons, float64 (P, 2) each.

    Raises:
        DataError: it is a mask; see `parse`, too.
    """
    found = parse(data)
    if isinstance(found, Runs):
        raise DataError("this outline is a mask, not polygons.")
    return found.rings


def of_rings(rings: Sequence[Sequence[float]]) -> Polygons:
    """Return polygons of flat lists x, y, x, y ...

    Raises:
        DataError: see `parse`.
    """
    total = sum(map(len, rings))
    if total > 2 * MAX_POINTS:
        raise DataError(f"the outline has {total // 2:,} points; the limit is {MAX_POINTS:,}.")
    for number, ring in enumerate(rings, start=1):
        if len(ring) % 2 or len(ring) < 2 * _MIN_POINTS:
            raise DataError(
                f"polygon {number} of {len(rings)} has {len(ring)} values.", hint="A polygon is 3 or more pairs x, y."
            )
    found = tuple(np.asarray(ring, dtype=np.float64).reshape(-1, 2) for ring in rings)
    for number, points in enumerate(found, start=1):
        # Written so that NaN does not pass.
        if not (np.abs(points) <= MAX_COORDINATE_PX).all():
            raise DataError(f"polygon {number} of {len(rings)} has a coordinate that is no number of pixels.")
    return Polygons(found)


def of_runs(size: Sequence[int], counts: str | bytes | Sequence[int]) -> Runs:
    """Return a mask of COCO's `size` and `counts`.

    Raises:
        DataError: see `rle.runs` and `rle.from_text`.
    """
    if len(size) != 2:
        raise DataError(f"the size of a mask has {len(size)} values.", hint="Size is [height, width].")
    height, width = size
    rle.check_size(height, width)
    if isinstance(counts, str | bytes):
        counts = rle.from_text(counts, max_counts=height * width + 1)
    return Runs(height, width, rle.runs(counts, height, width))


def of_polygons(polygons: Iterable[Points | Sequence[float]]) -> bytes:
    """Return the column's bytes of polygons, (P, 2) or flat each; whole numbers are written as `12.0`."""
    return msgspec.json.encode([np.asarray(ring, dtype=np.float64).ravel().tolist() for ring in polygons])


def of_mask(mask: NDArray[np.bool_]) -> bytes:
    """Return the column's bytes of a mask bool (H, W), its counts as text."""
    return of_counts(rle.encode(mask), *mask.shape)


def of_counts(counts: rle.Counts, height: int, width: int) -> bytes:
    """Return the column's bytes of run lengths, as text; they are trusted."""
    # The text has one character that JSON escapes, the backslash.
    return b'{"size":[%d,%d],"counts":%b}' % (height, width, msgspec.json.encode(rle.to_text(counts)))


def runs(outline: Outline, width: int, height: int) -> NDArray[np.int64]:
    """Return the counts of an outline in a photo; polygons are filled as pycocotools fills them.

    Raises:
        DataError: a mask of another size than the photo, or an outline too intricate to fill.
    """
    if isinstance(outline, Polygons):
        return runs_of_polygons(outline.rings, width, height)
    if (outline.width, outline.height) != (width, height):
        raise DataError(
            f"the mask has {outline.width} x {outline.height} pixels, its photo {width} x {height}.",
            hint="COCO writes a mask's size as [height, width].",
        )
    return outline.counts


def mask(outline: Outline, width: int, height: int) -> NDArray[np.bool_]:
    """Return an outline as bool (height, width); see `runs`."""
    return rle.decode(runs(outline, width, height), height, width)


def area(outline: Outline) -> float:
    """Return the square pixels of an outline: of a mask its pixels, of polygons the sum of their areas by vertices."""
    if isinstance(outline, Runs):
        return float(rle.area(outline.counts))
    return float(sum(abs(signed_area(ring)) for ring in outline.rings))


def signed_area(ring: Points) -> float:
    """Return the area of a polygon float64 (P, 2) by the shoelace formula; positive when clockwise on the screen."""
    x, y = (ring - ring[0]).T
    return float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum() / 2)


def box(outline: Outline) -> Box:
    """Return x, y, width, height around an outline, right and bottom edges exclusive; zeros where it is empty."""
    if isinstance(outline, Runs):
        x, y, width, height = rle.box(outline.counts, outline.height)
        return float(x), float(y), float(width), float(height)
    if not outline.rings:
        return 0.0, 0.0, 0.0, 0.0
    points = np.concatenate(outline.rings)
    (left, top), (right, bottom) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    return left, top, right - left, bottom - top


def parts(data: bytes) -> int:
    """Return the number of polygons, -1 for a mask, 0 for nothing; brackets are counted, nothing is checked."""
    head = data[:64].lstrip()[:1]
    if head == b"{":
        return RUNS_PARTS
    return max(data.count(b"[") - 1, 0) if head == b"[" else 0


def iou(one: Outline, other: Outline, width: int, height: int, *, crowd: bool = False) -> float:
    """Return intersection over union of two outlines in one photo; with `crowd`, over the area of `one` (COCO).

    Raises:
        DataError: see `runs`.
    """
    first, second = (rle.spans(runs(each, width, height)) for each in (one, other))
    starts, ends = union(np.concatenate([first[0], second[0]]), np.concatenate([first[1], second[1]]))
    areas = [int((end - start).sum()) for start, end in (first, second)]
    joined = int((ends - starts).sum())
    whole = areas[0] if crowd else joined
    return (sum(areas) - joined) / whole if whole else 0.0
