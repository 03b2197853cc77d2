"""The offenders of a finding as rows that people and programs read."""

from __future__ import annotations

import csv as csv_module
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from vision_cli.checks.finding import Finding
from vision_cli.core.columns import from_numpy
from vision_cli.core.dataset import Dataset

_HEAD = (
    "check",
    "severity",
    "file",
    "annotation",
    "class",
    "x",
    "y",
    "w",
    "h",
    "other_file",
    "value",
    "measure",
    "repair",
    "suggestion",
)
_BLOCK = 10_000


@dataclass(frozen=True, slots=True)
class Place:
    """One offender.

    Attributes:
        file: path of the photo in its source, or of a file that is no photo of the tables.
        annotation: the annotation's id in its source; None where the whole photo is meant.
        label: its class; None without.
        box: x, y, w, h as the source has them; None without.
        other: path of the other photo of a pair; None without.
        value: what was measured; None without.
        suggestion: the label that it should rather have; None without.
    """

    file: str
    annotation: str | None = None
    label: str | None = None
    box: tuple[float, float, float, float] | None = None
    other: str | None = None
    value: float | None = None
    suggestion: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the members that are known."""
        members = {
            "file": self.file,
            "annotation": self.annotation,
            "class": self.label,
            "box": self.box,
            "other_file": self.other,
            "value": self.value,
            "suggestion": self.suggestion,
        }
        return {name: value for name, value in members.items() if value is not None}


def places(dataset: Dataset, finding: Finding, limit: int, *, start: int = 0) -> tuple[Place, ...]:
    """Return some offenders of a finding, in its order."""
    where, part = finding.where, slice(start, start + limit)
    images, annotations, partners = where.images[part], where.annotations[part], where.partners[part]
    paths, others = _texts(dataset.images, "path", images), _texts(dataset.images, "path", partners)
    names = where.files[part] or ("",) * len(images)
    ids, labels, boxes = _ids(dataset, annotations), _labels(dataset, annotations), _boxes(dataset, annotations)
    values = [None if np.isnan(value) else float(value) for value in where.values[part].tolist()]
    rather = where.suggestions[part] or (None,) * len(images)
    rows = zip(paths, names, ids, labels, boxes, others, values, rather, strict=True)
    return tuple(Place(path or name or "", *rest) for path, name, *rest in rows)


def csv(dataset: Dataset, findings: Sequence[Finding]) -> str:
    """Return every offender of every finding as CSV."""
    buffer = io.StringIO()
    writer = csv_module.writer(buffer, lineterminator="\n")
    writer.writerow(_HEAD)
    for finding in findings:
        end = (finding.measure, finding.fixable or "")
        for start in range(0, len(finding.where), _BLOCK):
            for place in places(dataset, finding, _BLOCK, start=start):
                box = place.box or ("", "", "", "")
                middle = (place.file, place.annotation, place.label, *box, place.other, place.value)
                writer.writerow((finding.check, finding.severity, *middle, *end, place.suggestion))
        if not len(finding.where):
            writer.writerow((finding.check, finding.severity, *[""] * 8, finding.figure, *end, ""))
    return buffer.getvalue()


def _texts(table: pa.Table, name: str, rows: np.ndarray[Any, np.dtype[np.int64]]) -> list[str | None]:
    """Return values of a column; None at rows of -1."""
    if not len(rows) or not (rows >= 0).any():
        return [None] * len(rows)
    found: list[str | None] = table[name].take(from_numpy(rows, rows < 0)).to_pylist()
    return found


def _ids(dataset: Dataset, rows: np.ndarray[Any, np.dtype[np.int64]]) -> list[str | None]:
    """Return the id in the source, else its number in the photo's labels, counted from 0 over the whole set."""
    name = "source_id" if "source_id" in dataset.annotations.column_names else "id"
    return [None if value is None else str(value) for value in _texts(dataset.annotations, name, rows)]


def _labels(dataset: Dataset, rows: np.ndarray[Any, np.dtype[np.int64]]) -> list[str | None]:
    names = dataset.classes.names
    ids = _texts(dataset.annotations, "class_id", rows)
    return [names[int(each)] if each is not None and 0 <= int(each) < len(names) else None for each in ids]


def _boxes(
    dataset: Dataset, rows: np.ndarray[Any, np.dtype[np.int64]]
) -> list[tuple[float, float, float, float] | None]:
    if "x" not in dataset.annotations.column_names:
        return [None] * len(rows)
    columns: list[list[Any]] = [_texts(dataset.annotations, name, rows) for name in "xywh"]
    return [None if None in box else box for box in zip(*columns, strict=True)]
