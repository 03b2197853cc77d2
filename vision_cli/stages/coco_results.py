"""A list of COCO results (https://cocodataset.org/#format-results) as columns, and the photos and classes it is about.

Photos and classes are known by the ids of the COCO file that they came from, as COCO's own evaluator knows them. The
numbers of results in messages count from 1.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np

from vision_cli.core import files
from vision_cli.core.dataset import Dataset
from vision_cli.core.detections import Bools, Floats, Ints
from vision_cli.core.errors import DataError
from vision_cli.formats.json_source import without_collector

SHOWN = 10
LEFT_OUT = -1
"""Class of a category that the source has and the view drops."""
_MAX_BYTES = (1 << 31) - 1
_NOTHING = msgspec.Raw(b"null")
_NO_BOX = (np.nan,) * 4
_PLACE = re.compile(r"`\$\[(\d+)\]\.?([^`]*)`")
_HINT = (
    "A result is {image_id, category_id, score} with bbox, segmentation or keypoints; cocodataset.org/#format-results."
)

_HINT_OF_OBJECTS = (
    "Results are a bare list, [{image_id, category_id, score, bbox}, ...]: of a COCO file with scores its "
    "`annotations`, of vision's own models what `vision predict --to coco-results` writes."
)


class _Result(msgspec.Struct, gc=False):
    image_id: int | str
    category_id: Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
    score: float
    bbox: list[float] | None = None
    segmentation: msgspec.Raw = _NOTHING  # `Raw | None` would take null alone
    keypoints: msgspec.Raw = _NOTHING


_RESULTS = msgspec.json.Decoder(list[_Result])


@dataclass(frozen=True, slots=True, eq=False)
class Results:
    """N results.

    Attributes:
        path: of their file, for messages.
        image_ids: as they stand there.
        category_ids: int64 (N,).
        scores: float64 (N,), 0 to 1.
        boxes: float64 (N, 4), x, y, width, height in pixels; NaN without.
        outlines: JSON as in the column `outline`; None without.
        keypoints: JSON as in the column `keypoints`; None without.
    """

    path: Path
    image_ids: Sequence[int | str]
    category_ids: Ints
    scores: Floats
    boxes: Floats
    outlines: Sequence[bytes | None]
    keypoints: Sequence[bytes | None]

    def __len__(self) -> int:
        return len(self.image_ids)


def load(path: Path) -> Results:
    """Read a file of results.

    Raises:
        DataError: see `parse`, or it cannot be read.
    """
    return parse(files.read_limited(path, max_bytes=_MAX_BYTES, what="the list of results"), path)


def parse(text: bytes, path: Path) -> Results:
    """Return the results that a text holds.

    Raises:
        DataError: no list of results, a score that is not between 0 and 1, or a box that is none.
    """
    found = _decoded(text, path)
    results = Results(
        path,
        [each.image_id for each in found],
        np.fromiter((each.category_id for each in found), dtype=np.int64, count=len(found)),
        np.fromiter((each.score for each in found), dtype=np.float64, count=len(found)),
        _boxes([each.bbox for each in found], path),
        [_bytes(each.segmentation) for each in found],
        [_bytes(each.keypoints) for each in found],
    )
    refuse(
        path,
        ~((results.scores >= 0) & (results.scores <= 1)),
        "scores are not between 0 and 1",
        lambda row: f"score {results.scores[row]:g}",
        hint="Divide scores in per cent by 100; ranks and logits are none: have the tool write probabilities.",
    )
    return results


def refuse(path: Path, wrong: Bools, problem: str, say: Callable[[int], str], *, hint: str) -> None:
    """Refuse results.

    Args:
        path: of their file.
        wrong: bool (N,).
        problem: what is wrong with them.
        say: what is there, of one row.
        hint: what to do about it.

    Raises:
        DataError: any is wrong; the first ten are named.
    """
    rows = np.flatnonzero(wrong)
    if rows.size:
        details = [f"result {row + 1:,}: {say(row)}" for row in rows[:SHOWN].tolist()]
        raise DataError(f"{path}: {rows.size:,} of {len(wrong):,} {problem}.", details=details, hint=hint)


def _decoded(text: bytes, path: Path) -> list[_Result]:
    try:
        with without_collector():
            return _RESULTS.decode(text.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, OverflowError) as error:
        said = _not_finite(text) or _PLACE.sub(_place, str(error))
        hint = _HINT_OF_OBJECTS if text.lstrip()[:1] == b"{" else _HINT
        raise DataError(f"{path}: is no list of results: {said.rstrip('.')}.", hint=hint) from error


def _place(match: re.Match[str]) -> str:
    return f"result {int(match[1]) + 1:,}" + (f", {match[2]}" if match[2] else "")


def _not_finite(text: bytes) -> str:
    """Return which result holds the NaN or Infinity that Python writes and JSON does not know; nothing without one."""
    if b"NaN" not in text and b"Infinity" not in text:
        return ""
    try:
        for number, result in enumerate(json.loads(text), start=1):
            if any(mark in json.dumps(result) for mark in ("NaN", "Infinity")):
                return f"result {number:,}: {json.dumps(result)[:120]} holds a value that is no number"
    except (ValueError, TypeError, RecursionError):
        return ""
    return ""


def _boxes(values: Sequence[list[float] | None], path: Path) -> Floats:
    short = np.fromiter((each is not None and len(each) != 4 for each in values), dtype=np.bool_, count=len(values))
    if not short.any():
        flat = chain.from_iterable(_NO_BOX if each is None else each for each in values)
        boxes = np.fromiter(flat, dtype=np.float64, count=4 * len(values)).reshape(-1, 4)
        there = np.fromiter((each is not None for each in values), dtype=np.bool_, count=len(values))
        short = there & ~(np.isfinite(boxes).all(axis=1) & (boxes[:, 2:] >= 0).all(axis=1))
    refuse(
        path,
        short,
        "results are no detections",
        lambda row: f"bbox {values[row]}",
        hint="A box is [x, y, width, height], in pixels of the photo.",
    )
    return boxes


def _bytes(raw: msgspec.Raw) -> bytes | None:
    text = bytes(raw)
    return None if text in (b"null", b"[]") else text


def rows_of(image_ids: Sequence[int | str], known: Iterable[str | None]) -> Ints:
    """Return the row of the photo of each result, -1 of those that are not known; 42 and "42" are one.

    Args:
        image_ids: of the results.
        known: id of each photo, as text.
    """
    where = {text: row for row, text in enumerate(known) if text is not None}
    rows = (where.get(str(each), -1) for each in image_ids)
    return np.fromiter(rows, dtype=np.int64, count=len(image_ids))


def classes_of(
    category_ids: Ints, photos: Ints, dataset: Dataset, path: Path, renames: Mapping[str, str | None] | None = None
) -> Ints:
    """Return the class of each result; LEFT_OUT where the data drops the category.

    Each source gives its categories ids of its own, so what an id means depends on the photo.

    Args:
        category_ids: int64 (N,).
        photos: int64 (N,), row of the photo of each.
        dataset: its origins have the ids of the classes.
        path: for messages.
        renames: what a view calls the sources' classes; None of those that it drops.

    Raises:
        DataError: an id that is of no category.
    """
    classes = np.full(len(category_ids), LEFT_OUT, dtype=np.int64)
    unknown = np.ones(len(category_ids), dtype=np.bool_)
    names = np.array(dataset.images["source"].to_pylist(), dtype=object)[photos]
    for source, origin in dataset.origins.items():
        own = np.flatnonzero(names == source)
        ids = _ids(dataset, origin.class_ids, renames or {})
        numbers = np.array(sorted(ids), dtype=np.int64)
        at = np.searchsorted(numbers, category_ids[own])
        there = np.isin(category_ids[own], numbers)
        unknown[own] = ~there
        classes[own[there]] = np.array([ids[number] for number in numbers.tolist()], dtype=np.int64)[at[there]]
    _refuse_unknown(category_ids, unknown, dataset, path)
    return classes


def _ids(dataset: Dataset, given: Mapping[str, int], renames: Mapping[str, str | None]) -> dict[int, int]:
    numbers: dict[str | None, int] = {name: at for at, name in enumerate(dataset.classes.names)}
    return {number: numbers.get(renames.get(name, name), LEFT_OUT) for name, number in given.items()}


def _refuse_unknown(category_ids: Ints, unknown: Bools, dataset: Dataset, path: Path) -> None:
    if not unknown.any():
        return
    values, first = np.unique(category_ids[unknown], return_index=True)
    rows = np.flatnonzero(unknown)[first]
    known = sorted({number for origin in dataset.origins.values() for number in origin.class_ids.values()})
    ids = ", ".join(map(str, known[:SHOWN])) + (" …" if len(known) > SHOWN else "")
    raise DataError(
        f"{path}: {len(values)} category ids are not of this data: {', '.join(map(str, values[:SHOWN].tolist()))}.",
        details=[f"result {row + 1:,}: category_id {category_ids[row]}" for row in rows[:SHOWN].tolist()],
        hint=f"The ids of results are those of the ground truth's categories: {ids or 'this data has none'}.",
    )
