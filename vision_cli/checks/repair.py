"""What a repair is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from vision_cli.checks.finding import NONE
from vision_cli.checks.request import Mask, Request
from vision_cli.core.dataset import Dataset


@dataclass(frozen=True, slots=True)
class Work:
    """A data set on its way.

    Attributes:
        request: the data as the repairs before left it.
        gone: bool (N,), photos that will be dropped.
    """

    request: Request
    gone: Mask

    @property
    def dataset(self) -> Dataset:
        """Return the tables."""
        return self.request.dataset


@dataclass(frozen=True, slots=True)
class Change:
    """One record that was mended.

    Attributes:
        repair: its name.
        image: row of the photo.
        annotation: row of the annotation before this repair; -1 where the photo is meant.
        before: in words.
        after: in words.
    """

    repair: str
    image: int
    annotation: int
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Repaired:
    """What a repair made.

    Attributes:
        dataset: with as many photos, in the same order.
        changes: one a record.
        drop: rows of photos that must go.
        names: new path of photos that are renamed, by row.
        upright: rows of photos whose pixels must be stored upright.
    """

    dataset: Dataset
    changes: Sequence[Change] = ()
    drop: Sequence[int] = ()
    names: Mapping[int, str] = field(default_factory=dict)
    upright: Sequence[int] = ()


def of_photos(repair: str, rows: Sequence[int], before: Sequence[str], after: Sequence[str]) -> list[Change]:
    """Return a change a photo."""
    return [Change(repair, *item) for item in zip(rows, [NONE] * len(rows), before, after, strict=True)]
