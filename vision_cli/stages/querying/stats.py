"""`vision data stats`: the figures of a data set, from its labels alone."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from vision_cli.stages.named_source import DataRequest, find
from vision_cli.views.statistics import Statistics, statistics

NEED = frozenset(
    (
        *("class", "classes", "value", "box", "area", "crowd", "truncated", "occluded", "difficult"),
        *("split", "group", "metadata", "unlabelled", "order"),
    )
)
"""What of a data set is read: no outline, no record."""


@dataclass(frozen=True, slots=True)
class Stats:
    """The figures of a view or a path.

    Attributes:
        name: what was looked at.
        format: of a path; empty for a view.
        figures: of it.
    """

    name: str
    format: str
    figures: Statistics

    def as_json(self) -> dict[str, Any]:
        """Return the members that `--json` prints."""
        members = {field.name: getattr(self.figures, field.name) for field in fields(self.figures)}
        members["splits"] = _counts(self.figures.splits)
        members["sources"] = _counts(self.figures.sources)
        members["by_class"] = [
            {
                "name": line.name,
                "photos": line.photos,
                "annotations": line.annotations,
                "splits": _counts(line.by_split),
            }
            for line in self.figures.by_class
        ]
        members["sizes"] = {field.name: getattr(self.figures.sizes, field.name) for field in fields(self.figures.sizes)}
        members["sizes"]["common"] = [
            {"width_px": width, "height_px": height, "photos": photos}
            for width, height, photos in self.figures.sizes.common
        ]
        return {"name": self.name, "format": self.format or None, **members}


def stats(request: DataRequest) -> Stats:
    """Return the figures of a view or a path.

    Raises:
        UsageError: no view of that name.
        DataError: the data is refused.
    """
    found = find(request)
    return Stats(found.title, found.format, statistics(found.dataset))


def class_table(stats: Stats) -> str:
    """Return the classes by split as CSV (RFC 4180): one line a class and split, and one of all splits (`*`)."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(("class", "split", "photos", "annotations"))
    writer.writerows(_lines(stats))
    return text.getvalue()


def _lines(stats: Stats) -> Iterator[tuple[object, ...]]:
    for line in stats.figures.by_class:
        yield line.name, "*", line.photos, line.annotations
        for split, counts in line.by_split.items():
            yield line.name, split, *counts


def _counts(found: Mapping[str, tuple[int, int]]) -> dict[str, dict[str, int]]:
    return {name: {"photos": photos, "annotations": annotations} for name, (photos, annotations) in found.items()}
