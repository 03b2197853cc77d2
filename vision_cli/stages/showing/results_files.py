"""A list of COCO results for photos that are at hand (https://cocodataset.org/#format-results)."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from vision_cli.core import outline
from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError
from vision_cli.reports.browse_labels import Layer

_SHOWN = 10
_NOTHING = msgspec.Raw(b"null")


class _Result(msgspec.Struct):
    image_id: int | str
    category_id: int
    score: float
    bbox: list[float] | None = None
    segmentation: msgspec.Raw = _NOTHING  # `Raw | None` would take null alone
    keypoints: msgspec.Raw = _NOTHING


_RESULTS = msgspec.json.Decoder(list[_Result])


def read(dataset: Dataset, text: bytes, path: Path, least: float) -> tuple[Layer, tuple[int, ...], tuple[str, ...]]:
    """Return the results, the rows of photos that any of them is of, and notes of what was left out.

    Args:
        dataset: its photos have a `source_id`, its origin the ids of the classes.
        text: of the file.
        path: for messages.
        least: results below this score are left out.

    Raises:
        DataError: no list of results, an unknown category, a bad box, or results of other photos only.
    """
    try:
        results = _RESULTS.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DataError(f"{path}: is no list of results: {error}.", hint="See cocodataset.org, results.") from error
    photos = {text: row for row, text in enumerate(dataset.images["source_id"].to_pylist())}
    known = [photos.get(str(each.image_id), -1) for each in results]
    if results and max(known) < 0:
        raise DataError(
            f"{path}: none of its {len(results):,} results is of these photos.", hint="Is it the right file?"
        )
    kept = [(row, each) for row, each in zip(known, results, strict=True) if row >= 0 and each.score >= least]
    _check(kept, results, path)
    others, unsure = (
        known.count(-1),
        sum(row >= 0 and each.score < least for row, each in zip(known, results, strict=True)),
    )
    counts = {"of other photos": others, f"below a score of {least:g}": unsure}
    notes = tuple(f"Results {what}, left out: {count:,}." for what, count in counts.items() if count)
    asked = tuple(sorted({row for row in known if row >= 0}))
    return _layer(kept, _class_ids(dataset, kept, path)), asked, notes


def _check(kept: list[tuple[int, _Result]], results: list[_Result], path: Path) -> None:
    bad = [
        f"result {number}: box {each.bbox}, score {each.score}"
        for number, each in enumerate(results, start=1)
        if not 0 <= each.score <= 1 or (each.bbox is not None and not _is_box(each.bbox))
    ]
    if bad:
        raise DataError(
            f"{path}: {len(bad):,} results are no detections.",
            details=bad[:_SHOWN],
            hint="A box is x, y, width, height; a score 0 to 1.",
        )


def _is_box(box: list[float]) -> bool:
    return len(box) == 4 and all(map(math.isfinite, box)) and min(box[2:]) >= 0


def _class_ids(dataset: Dataset, kept: list[tuple[int, _Result]], path: Path) -> list[int]:
    numbers = {name: at for at, name in enumerate(dataset.classes.names)}
    by_id = {
        number: numbers[name]
        for origin in dataset.origins.values()
        for name, number in origin.class_ids.items()
        if name in numbers
    }
    unknown = sorted({each.category_id for _, each in kept if each.category_id not in by_id})
    if unknown:
        raise DataError(
            f"{path}: {len(unknown)} category ids are not of this data: {', '.join(map(str, unknown[:_SHOWN]))}.",
            hint="The ids of results are those of the ground truth's categories.",
        )
    return [by_id[each.category_id] for _, each in kept]


def _layer(kept: list[tuple[int, _Result]], ids: list[int]) -> Layer:
    outlines = [_bytes(each.segmentation) for _, each in kept]
    points = [_bytes(each.keypoints) for _, each in kept]
    boxes = [_box(each, data) for (_, each), data in zip(kept, outlines, strict=True)]
    return Layer(
        rows=np.array([row for row, _ in kept], dtype=np.int64),
        class_ids=np.array(ids, dtype=np.int64),
        boxes=np.array(boxes, dtype=np.float64).reshape(-1, 4),
        scores=np.array([each.score for _, each in kept], dtype=np.float64),
        outlines=_column(outlines),
        keypoints=_column(points),
    )


def _bytes(raw: msgspec.Raw) -> bytes | None:
    return None if bytes(raw) == bytes(_NOTHING) else bytes(raw)


def _box(result: _Result, data: bytes | None) -> Any:
    if result.bbox is not None:
        return result.bbox
    return (math.nan,) * 4 if data is None else outline.box(outline.parse(data))


def _column(values: list[bytes | None]) -> pa.ChunkedArray | None:
    return pa.chunked_array([pa.array(values, pa.binary())]) if any(values) else None
