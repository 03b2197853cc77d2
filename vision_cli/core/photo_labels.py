"""Data sets of whole-photo labels, built from what a reader knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from vision_cli.core.columns import ANNOTATION_COLUMNS, IMAGE_COLUMNS
from vision_cli.core.dataset import ClassMap, Dataset


@dataclass(frozen=True, slots=True)
class PhotoColumns:
    """What a reader knows of its photos, (N,) each.

    Attributes:
        paths: relative to the source's root.
        sizes: (width, height) in pixels after EXIF orientation.
        splits: None where a photo has none.
        metadata: further columns; `group` fills the group column.
    """

    paths: Sequence[str]
    sizes: Sequence[tuple[int, int]]
    splits: Sequence[str | None]
    metadata: Mapping[str, Sequence[Any]] = field(default_factory=dict)

    def table(self, source: str) -> pa.Table:
        """Return the `images` table."""
        number = len(self.paths)
        group = self.metadata.get("group", [None] * number)
        images = pa.table(
            {
                "id": range(number),
                "source": [source] * number,
                "path": self.paths,
                "width": [width for width, _ in self.sizes],
                "height": [height for _, height in self.sizes],
                "split": [split or None for split in self.splits],
                "group": [None if name is None else str(name) for name in group],
            },
            schema=IMAGE_COLUMNS,
        )
        for name, column in self.metadata.items():
            images = images if name == "group" else images.append_column(name, pa.array(column))
        return images


@dataclass(frozen=True, slots=True)
class PhotoLabels:
    """Labels of whole photos.

    Attributes:
        classes: the class map.
        class_rows: (row of the photo, class id) pairs.
        value_rows: (row of the photo, value) pairs.
    """

    classes: ClassMap = field(default_factory=ClassMap)
    class_rows: Sequence[tuple[int, int]] = ()
    value_rows: Sequence[tuple[int, float]] = ()

    def table(self) -> pa.Table:
        """Return the `annotations` table."""
        rows: list[tuple[int, int | None, float | None]] = [(row, class_id, None) for row, class_id in self.class_rows]
        rows += [(row, None, value) for row, value in self.value_rows]
        return pa.table(
            {
                "id": range(len(rows)),
                "image_id": [row for row, _, _ in rows],
                "class_id": [class_id for _, class_id, _ in rows],
                "value": [value for _, _, value in rows],
            },
            schema=ANNOTATION_COLUMNS,
        )


def build(source: str, root: Path, photos: PhotoColumns, labels: PhotoLabels, notes: Sequence[str] = ()) -> Dataset:
    """Build a data set of whole-photo labels.

    Args:
        source: name of the source.
        root: its folder.
        photos: their columns.
        labels: their labels.
        notes: what was left out and why.
    """
    return Dataset(photos.table(source), labels.table(), labels.classes, {source: root}, tuple(notes))
