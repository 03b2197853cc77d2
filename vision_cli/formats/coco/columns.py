"""COCO annotation records to columns, a block of some thousand at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vision_cli.formats.coco.careful import ABSENT, Record, Usual
from vision_cli.formats.coco.outlines import MAX_PX, Outlines

Ids = NDArray[Any]
"""int64 (N,); objects where one is a text, missing, or of more than 63 bits."""
Members = Mapping[str, Sequence[Any]]
"""The values of each member, None or ABSENT where a record has none."""
Found = Callable[[str, int, str], None]
"""Receives the kind, the row and what is wrong."""

_NO_BOX = (np.nan,) * 4
_KEYPOINTS = msgspec.json.Decoder(list[float])
_IDS = ("id", "image_id", "category_id")
_RAWS = ("keypoints", "segments_info", "caption")


@dataclass(frozen=True, slots=True)
class Block:
    """Columns of some records; None where no record has the member.

    Attributes:
        ids: `id`.
        image_ids: `image_id`.
        category_ids: `category_id`.
        boxes: float64 (N, 4), x, y, w, h; NaN without a box.
        area: float64 (N,), NaN where it is not said.
        crowd: bool (N,).
        score: float64 (N,), NaN without.
        track_ids: Arrow int64.
        parts: int16 (N,), as in the column `outline_parts`.
        masks: int64 (M, 3), row, height and width of each run-length mask.
        keypoints: Arrow binary, JSON.
        present: members of all records together, of those that are known.
        captions: records that are captions.
        panoptic: records of panoptic segmentation.
    """

    ids: Ids
    image_ids: Ids
    category_ids: Ids
    boxes: NDArray[np.float64]
    area: NDArray[np.float64] | None
    crowd: NDArray[np.bool_] | None
    score: NDArray[np.float64] | None
    track_ids: pa.Array | None
    parts: NDArray[np.int16]
    masks: NDArray[np.int64]
    keypoints: pa.Array | None
    present: int
    captions: int
    panoptic: int


def members(records: Sequence[Record | Usual]) -> Members:
    """Return the members of all records, which are of one type."""
    names = records[0].__struct_fields__ if records else ()
    return dict(zip(names, zip(*map(msgspec.structs.astuple, records), strict=True), strict=True))


def block(said: Members, outlines: Outlines, first: int, bad: Found) -> Block:
    """Return columns of the members of records; what is wrong with numbers goes to `bad`."""
    ids = {name: id_array(said.get(name, ())) for name in _IDS}
    boxes = _boxes(said.get("bbox", ()), bad)
    numbers = {name: _floats(said.get(name, ())) for name in ("area", "score")}
    crowd = _crowd(said.get("iscrowd", ()), bad)
    counts = {name: len(said.get(name, ())) - said.get(name, ()).count(ABSENT) for name in _RAWS}
    found = {**ids, **numbers, "bbox": boxes[:, 0], "iscrowd": crowd, "track_id": None, "num_keypoints": None}
    present = sum(_present(said.get(name, ()), column) for name, column in found.items())
    return Block(
        ids=ids["id"],
        image_ids=ids["image_id"],
        category_ids=ids["category_id"],
        boxes=boxes,
        area=numbers["area"],
        crowd=crowd,
        score=numbers["score"],
        track_ids=_integers(said.get("track_id", ()), bad),
        parts=outlines.parts,
        masks=np.array([(first + row, *size) for row, size in outlines.masks], dtype=np.int64).reshape(-1, 3),
        keypoints=_keypoints(said.get("keypoints", ()), bad),
        present=present + len(boxes) - outlines.absent + sum(counts.values()),
        captions=counts["caption"],
        panoptic=counts["segments_info"],
    )


def _present(values: Sequence[Any], column: NDArray[Any] | None) -> int:
    """Return how many values are said; a column tells it faster than its values: JSON has no NaN."""
    if column is not None and column.dtype == np.float64:
        return len(column) - int(np.isnan(column).sum())
    if column is not None and column.dtype == np.int64:
        return len(column)
    return len(values) - values.count(None)


def id_array(values: Sequence[Any]) -> Ids:
    """Return int64 where all fit; numpy would turn 1 and "1" into texts, so types are looked at first."""
    if set(map(type, values)) == {int}:
        try:
            return np.fromiter(values, dtype=np.int64, count=len(values))
        except OverflowError:
            pass
    return np.fromiter(values, dtype=object, count=len(values))


def _boxes(values: Sequence[Any], bad: Found) -> NDArray[np.float64]:
    if None in values:
        values = [_NO_BOX if value is None else value for value in values]
    count = len(values)
    boxes = np.fromiter(chain.from_iterable(values), dtype=np.float64, count=4 * count).reshape(count, 4)
    if (np.abs(boxes) < MAX_PX).all() and (boxes[:, 2:] >= 0).all():  # as nearly always
        return boxes
    wrong = (np.abs(boxes) >= MAX_PX).any(axis=1)
    negative = (boxes[:, 2:] < 0).any(axis=1) & ~wrong
    for row in np.flatnonzero(wrong).tolist():
        bad("bad boxes", row, f"bbox is {boxes[row].tolist()}; a box stays below {MAX_PX:,.0f} pixels")
    for row in np.flatnonzero(negative).tolist():
        bad("boxes of negative size", row, f"bbox is {boxes[row].tolist()}; it is [x, y, width, height]")
    return boxes


def _floats(values: Sequence[Any]) -> NDArray[np.float64] | None:
    found = np.array(values, dtype=np.float64)
    return None if np.isnan(found).all() else found


def _crowd(values: Sequence[Any], bad: Found) -> NDArray[np.bool_] | None:
    try:
        flags = np.frombuffer(bytes(values), dtype=np.uint8)
    except (TypeError, ValueError):  # not all are numbers of a byte
        flags = np.empty(0, dtype=np.uint8)
    if flags.size and flags.max() <= 1:
        return flags.view(np.bool_)
    if values.count(None) == len(values):
        return None
    if values.count(0) + values.count(1) + values.count(None) != len(values):
        for row, value in enumerate(values):
            if value not in (0, 1, None):
                bad("bad crowd flags", row, f"iscrowd is {str(value)[:40]}; it is 0 or 1")
    return np.fromiter(map(bool, values), dtype=np.bool_, count=len(values))


def _integers(values: Sequence[Any], bad: Found) -> pa.Array | None:
    if values.count(None) == len(values):
        return None
    found = list(values)
    for row, value in enumerate(values):
        if value is not None and abs(value) >= 2**63:
            bad("bad numbers", row, f"track_id is {str(value)[:40]}, no whole number of 64 bits")
            found[row] = None
    return pa.array(found, type=pa.int64())


def _keypoints(raws: Sequence[msgspec.Raw], bad: Found) -> pa.Array | None:
    if raws.count(ABSENT) == len(raws):
        return None
    texts = [None if raw is ABSENT else _keypoint_text(row, raw, bad) for row, raw in enumerate(raws)]
    return pa.array(texts, type=pa.binary())


def _keypoint_text(row: int, raw: msgspec.Raw, bad: Found) -> bytes | None:
    text = bytes(raw)
    if text in (b"null", b"[]"):
        return None
    try:
        values = _KEYPOINTS.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        bad("bad keypoints", row, f"keypoints: {str(error)[:1].lower()}{str(error)[1:]}")
        return None
    if len(values) % 3:
        bad("bad keypoints", row, f"keypoints are {len(values)} values; x, y and visibility of each are needed")
    elif values and max(map(abs, values)) >= MAX_PX:
        bad("bad keypoints", row, f"keypoints hold {max(values, key=abs)}, no number of pixels")
    return text
