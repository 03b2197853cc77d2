"""Data sets with known defects, and requests made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from vision_cli import checks
from vision_cli.checks.finding import Finding
from vision_cli.checks.photo_facts import PhotoFacts, read_all
from vision_cli.checks.request import FileFacts, Request
from vision_cli.checks.settings import Settings
from vision_cli.core.columns import ANNOTATION_COLUMNS, IMAGE_COLUMNS
from vision_cli.core.dataset import ClassMap, Dataset
from vision_cli.core.origin import Origin
from vision_cli.imaging import lookalikes

Box = Sequence[float]


def dataset(
    photos: Sequence[Mapping[str, Any]], boxes: Sequence[tuple[int, int | None, Box]] = (), *, root: Path = Path(),
    classes: Sequence[str] = ("cat", "dog"), pixels: str = "exclusive", form: str = "coco", **columns: Any,
) -> Dataset:  # fmt: skip
    """Return a data set.

    Args:
        photos: columns of each photo; 100 x 80 pixels unless they say otherwise.
        boxes: row of the photo, class, and x, y, w, h.
        root: folder of the photos.
        classes: names.
        pixels: convention of the boxes.
        form: format of the source.
        columns: further columns of the annotations.
    """
    defaults = {"source": "data", "width": 100, "height": 80, "split": None, "group": None}
    rows = [{"id": at, "path": f"{at}.jpg", **defaults, **photo} for at, photo in enumerate(photos)]
    images = pa.table(
        {name: pa.array([row[name] for row in rows], IMAGE_COLUMNS.field(name).type) for name in IMAGE_COLUMNS.names}
    )
    for name in sorted({name for row in rows for name in row} - set(IMAGE_COLUMNS.names)):
        images = images.append_column(name, pa.array([row.get(name) for row in rows]))
    values = [range(len(boxes)), [row for row, _, _ in boxes], [each for _, each, _ in boxes], [None] * len(boxes)]
    table = {
        name: pa.array(list(column), ANNOTATION_COLUMNS.field(name).type)
        for name, column in zip(ANNOTATION_COLUMNS.names, values, strict=True)
    }
    for at, name in enumerate("xywh"):
        table[name] = pa.array([float(box[at]) for _, _, box in boxes], pa.float64())
    for name, column in columns.items():
        table[name] = pa.array(column)
    origin = {"data": Origin(form, pixels)}  # type: ignore[arg-type]
    return Dataset(images, pa.table(table), ClassMap(tuple(classes)), {"data": root}, origins=origin)


def request(data: Dataset, *, photos: bool = False, **thresholds: Any) -> Request:
    """Return a request; with `photos` they are read."""
    facts = thumbnail = None
    if photos:
        paths = data.paths()
        facts = PhotoFacts(list(read_all(paths, lambda done, total: None)))
        thumbnail = lru_cache(None)(lambda row: lookalikes.thumbnail(paths[row]))
    files = FileFacts(np.zeros(len(data), dtype=np.bool_))
    return Request(data, Settings(**thresholds), files, facts, thumbnail)


def find(name: str, asked: Request) -> list[Finding]:
    return checks.find(name, asked)


def rows(found: Sequence[Finding]) -> list[int]:
    """Return the photos of findings."""
    return sorted(row for each in found for row in each.where.images.tolist())


def annotations(found: Sequence[Finding]) -> list[int]:
    """Return the annotations of findings."""
    return sorted(row for each in found for row in each.where.annotations.tolist())
