"""What a conversion keeps and what it loses, counted: the conservation report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

Kind = Literal["image", "annotation", "detail", "image-detail"]
Mask = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True, slots=True)
class Loss:
    """Rows that a format cannot hold, for one reason.

    Attributes:
        name: what a user allows by name: `polygons`, `crowd`, `keypoints` ...
        kind: `image` and `annotation` rows are dropped; of a `detail` the annotation stays and loses something, of an
            `image-detail` the photo does.
        reason: in words, for a table: `polygon -> box`, `no area`, `out of frame`.
        rows: bool (N,), over the images or the annotations of the data set.
        allowed: nobody needs to allow it: the target has no place for it by its very nature, and no label suffers.
    """

    name: str
    kind: Kind
    reason: str
    rows: Mask
    allowed: bool = False


@dataclass(frozen=True, slots=True)
class Tally:
    """Rows of one kind.

    Attributes:
        before: rows that went in.
        after: rows that came out.
        dropped: rows by reason; `before` is `after` plus their sum.
        changed: rows that stay and lose something, by reason; a row may stand under several.
    """

    before: int
    after: int
    dropped: Mapping[str, int] = field(default_factory=dict)
    changed: Mapping[str, int] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return `in`, `out`, `dropped` and `changed`."""
        return {"in": self.before, "out": self.after, "dropped": dict(self.dropped), "changed": dict(self.changed)}


@dataclass(frozen=True, slots=True)
class ClassLine:
    """One class on both sides.

    Attributes:
        name: of the class.
        source_id: in the source's own numbering; None where it has none.
        target_id: in the target's own numbering; None where it has none, or the class was dropped.
        annotations: its rows.
    """

    name: str
    source_id: int | None
    target_id: int | None
    annotations: Tally


@dataclass(frozen=True, slots=True)
class Conservation:
    """The report of a conversion.

    Attributes:
        source_format: a line of the table of formats.
        target_format: another, or the same.
        source_pixels: the box convention of the source's numbers.
        target_pixels: the box convention of the numbers that were written.
        images: photos.
        annotations: all of them.
        classes: one line a class, in the order of the class map.
        unlabelled: photos without any annotation that are written.
        not_allowed: names of losses that nobody allowed.
        notes: what else a reader should know, one sentence each.
    """

    source_format: str
    target_format: str
    source_pixels: str
    target_pixels: str
    images: Tally
    annotations: Tally
    classes: Sequence[ClassLine]
    unlabelled: int = 0
    not_allowed: Sequence[str] = ()
    notes: Sequence[str] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the report as a JSON object."""
        return {
            "from": self.source_format,
            "to": self.target_format,
            "pixels": {"in": self.source_pixels, "out": self.target_pixels},
            "images": self.images.as_json(),
            "annotations": self.annotations.as_json(),
            "classes": [
                {"name": line.name, "in_id": line.source_id, "out_id": line.target_id, **line.annotations.as_json()}
                for line in self.classes
            ],
            "unlabelled": self.unlabelled,
            "not_allowed": list(self.not_allowed),
            "notes": list(self.notes),
        }
