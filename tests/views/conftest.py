"""Data sets without files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from vision_cli.core.dataset import ClassMap, Dataset
from vision_cli.core.photo_labels import PhotoColumns, PhotoLabels, build

Make = Callable[..., Dataset]


@pytest.fixture(scope="session")
def make() -> Make:
    """Return a function that builds a data set from (path, labels) rows."""

    def dataset(
        rows: Sequence[tuple[str, Sequence[str]]],
        *,
        source: str = "s",
        splits: Sequence[str | None] | None = None,
        values: Sequence[float] = (),
        metadata: dict[str, Sequence[object]] | None = None,
    ) -> Dataset:
        names = tuple(sorted({label for _, labels in rows for label in labels}))
        photos = PhotoColumns(
            [path for path, _ in rows], [(4, 3)] * len(rows), splits or [None] * len(rows), metadata or {}
        )
        class_rows = [(row, names.index(label)) for row, (_, labels) in enumerate(rows) for label in labels]
        labels = PhotoLabels(ClassMap(names), class_rows, list(enumerate(values)))
        return build(source, Path("/data") / source, photos, labels)

    return dataset
