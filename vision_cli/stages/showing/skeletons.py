"""Which keypoints of a class are joined by a line, as the source's own record of the class says it."""

from __future__ import annotations

import msgspec

from vision_cli.core.dataset import Dataset

Edges = list[tuple[int, int]]


class _Category(msgspec.Struct):
    """A category of COCO's keypoints: pairs of points, counted from 1."""

    skeleton: list[tuple[int, int]] | None = None


_CATEGORY = msgspec.json.Decoder(_Category)


def of(dataset: Dataset) -> dict[int, Edges]:
    """Return pairs of points, counted from 0, by class id; classes without a skeleton are left out."""
    found: dict[int, Edges] = {}
    for origin in dataset.origins.values():
        for name, record in origin.class_records.items():
            edges = _edges(record)
            if edges and name in dataset.classes.names:
                found.setdefault(dataset.classes.index(name), edges)
    return found


def _edges(record: bytes) -> Edges:
    """Return the pairs of a record; none where it is no category of COCO's, or its skeleton is broken."""
    try:
        pairs = _CATEGORY.decode(record).skeleton or []
    except (msgspec.DecodeError, UnicodeDecodeError):
        return []
    return [(first - 1, second - 1) for first, second in pairs if min(first, second) >= 1]
