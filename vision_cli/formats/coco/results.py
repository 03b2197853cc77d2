"""COCO results: a bare list of detections. Photos and categories come from the one ground truth file beside it.

Format: https://cocodataset.org/#format-results . A result has image_id, category_id, score, and a box, an outline or
keypoints; it has no id, and the list says nothing of the photos' names and sizes.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np

from vision_cli.core.errors import DataError
from vision_cli.formats.coco import file as coco_file
from vision_cli.formats.coco import layout as coco_layout
from vision_cli.formats.coco.file import CocoFile, Keep
from vision_cli.formats.coco.records import Records, place
from vision_cli.formats.json_source import check_head, load
from vision_cli.formats.problems import Problems

MARKER = "results"
"""Member of `Origin.header` that says that the annotations were a list of results."""

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
    truth = coco_file.read(_truth(path), Keep(outlines=False, records=keep.records))
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
    found = [file for file in files if file != path and coco_layout.sniff(file) in ("coco", "lvis")]
    if len(found) != 1:
        names = ", ".join(file.name for file in found[:10]) or "none"
        raise DataError(
            f"{path}: a list of results needs the one ground truth file beside it; found {len(found)}: {names}.",
            hint="Put the instances_*.json with the photos and categories, and no other, into the same folder.",
        )
    return found[0]
