"""COCO results: a bare list of detections. Photos and categories come from the one ground truth file beside it.

Format: https://cocodataset.org/#format-results . A result has image_id, category_id, score, and a box, an outline or
keypoints; it has no id, and the list says nothing of the photos' names and sizes.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError
from vision_cli.formats.coco import file as coco_file
from vision_cli.formats.coco import layout as coco_layout
from vision_cli.formats.coco.file import CocoFile, Keep
from vision_cli.formats.coco.records import Records, place
from vision_cli.formats.json_source import check_head, load
from vision_cli.formats.problems import Problems

MARKER = "results"
"""Member of `Origin.header` that says that the annotations were a list of results."""

_ONLY_DIGITS = 18
_HEAD_BYTES = 4096
_MAX_SIBLINGS = 100


def is_list(path: Path) -> bool:
    """Return whether a file holds a list at the top."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}.", hint="Check the path.") from error
    return head[check_head(path, head) :].lstrip()[:1] == b"["


def read(path: Path, keep: Keep) -> CocoFile:
    """Read results with the photos and categories of the ground truth beside them.

    Raises:
        DataError: no ground truth or several, or something in the results is wrong.
    """
    truth = coco_file.read(_truth(path), Keep(outlines=frozenset(), records=keep.records))
    text = load(path)
    problems = Problems(path)
    records = Records(problems, keep.outlines, keep.records)
    coco_file.take(text, records)
    first = 0
    for block in records.blocks:
        scores = np.full(len(block.ids), np.nan) if block.score is None else block.score
        for row in np.flatnonzero(np.isnan(scores)).tolist():
            problems.add("missing scores", f"{place(first + row)}: there is no score", hint="A result has a score.")
        first += len(block.ids)
    found = coco_file.joined(path, truth.photos, truth.classes, records, has_ids=False)
    return replace(found, header={**truth.header, MARKER: b"true"})


def _truth(path: Path) -> Path:
    """Return the one file beside the results that has photos and categories.

    Raises:
        DataError: there is none, or several.
    """
    siblings = sorted(entry.path for entry in os.scandir(path.parent) if entry.name.lower().endswith(".json"))
    files = [Path(file) for file in siblings[:_MAX_SIBLINGS]]
    there = [file for file in files if file != path and file.is_file()]
    found = [file for file in there if coco_layout.sniff(file) in ("coco", "lvis")]
    if len(found) != 1:
        names = ", ".join(file.name for file in found[:10]) or "none"
        raise DataError(
            f"{path}: a list of results needs the one ground truth file beside it; found {len(found)}: {names}.",
            hint="Put the instances_*.json with the photos and categories, and no other, into the same folder.",
        )
    return found[0]


@dataclass(frozen=True, slots=True)
class WrittenResults:
    """A list of results.

    Attributes:
        content: JSON.
        notes: how photos and classes are called in it, where no ground truth says it.
    """

    content: bytes
    notes: tuple[str, ...] = ()


def written(dataset: Dataset) -> WrittenResults:
    """Return predictions as a list of results, a result a line.

    Photos and classes are called as the COCO files say that they came from; others are numbered from 1.

    Args:
        dataset: annotations all have a class, a score and a box.

    Raises:
        DataError: two photos have the same id.
    """
    images, notes = _image_ids(dataset)
    classes, more = _category_ids(dataset)
    columns = dataset.annotations.to_pydict()
    lines = []
    for row, image in enumerate(dataset.rows_of(dataset.annotations["image_id"]).tolist()):
        box = [columns[name][row] for name in "xywh"]
        result: dict[str, Any] = {"image_id": images[image], "category_id": classes[columns["class_id"][row]]}
        if outline := columns.get("outline", {}) and columns["outline"][row]:
            result["segmentation"] = msgspec.Raw(outline)
        lines.append(msgspec.json.encode({**result, "bbox": box, "score": columns["score"][row]}))
    return WrittenResults(b"[" + b",\n".join(lines) + b"]\n", (*notes, *more))


def _image_ids(dataset: Dataset) -> tuple[list[int | str], tuple[str, ...]]:
    column = dataset.images["source_id"].to_pylist() if "source_id" in dataset.images.column_names else []
    known = [each for each in column if each is not None]
    if len(known) < len(dataset):
        note = "No COCO file names the photos: image_id counts them from 1, in the order of their paths as given."
        return list(range(1, len(dataset) + 1)), (note,)
    if len(set(known)) < len(known):
        repeated = next(each for each in known if known.count(each) > 1)
        raise DataError(
            f"COCO results: several photos have the image_id {repeated}.",
            hint="Take one source, or one split: --split.",
        )
    return [int(each) if each.isdecimal() and len(each) <= _ONLY_DIGITS else each for each in known], ()


def _category_ids(dataset: Dataset) -> tuple[list[int], tuple[str, ...]]:
    said = {name: number for origin in dataset.origins.values() for name, number in origin.class_ids.items()}
    names = dataset.classes.names
    if names and all(name in said for name in names):
        return [said[name] for name in names], ()
    note = f"category_id counts the model's classes from 1: {', '.join(names)}."
    return list(range(1, len(names) + 1)), (note,)
