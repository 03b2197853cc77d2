"""What a detector or segmenter says about one photo, in pixels of the photo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vision_cli.core.errors import DataError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class PhotoObjects:
    """Objects of one photo, best first.

    Attributes:
        size_px: (width, height) of the photo.
        boxes: float64 (D, 4): left, top, right, bottom, edges, inside of the photo.
        scores: float64 (D,), 0 to 1.
        classes: int64 (D,), index into the class map.
        masks: run lengths of each mask, of the photo's size (see `core/rle.py`); None for `detect`.
    """

    size_px: tuple[int, int]
    boxes: Floats
    scores: Floats
    classes: Ints
    masks: tuple[Ints, ...] | None = None

    def __len__(self) -> int:
        """Return the number of objects."""
        return len(self.scores)

    def select(self, rows: NDArray[Any]) -> PhotoObjects:
        """Return the objects of a mask bool (D,) or of row numbers."""
        indices = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
        masks = None if self.masks is None else tuple(self.masks[index] for index in indices.tolist())
        return replace(
            self, boxes=self.boxes[indices], scores=self.scores[indices], classes=self.classes[indices], masks=masks
        )

    def above(self, confidence: Sequence[float]) -> PhotoObjects:
        """Return the objects whose score counts as an answer; `confidence` is as in `PlaceDecode`."""
        return self.select(self.scores >= thresholds(confidence, self.classes))


def thresholds(confidence: Sequence[float], classes: NDArray[np.integer]) -> NDArray[np.float64]:
    """Return float64 (N,): from which score on each of N objects counts.

    Raises:
        DataError: there are more classes than confidences.
    """
    values = np.asarray(confidence, dtype=np.float64)
    if len(values) == 1:
        return np.full(len(classes), values[0])
    if classes.size and int(classes.max()) >= len(values):
        raise DataError(f"decode: {len(values)} confidences, but a class {int(classes.max())}.")
    return np.asarray(values[classes])


@dataclass(frozen=True, slots=True, eq=False)
class PhotoPixels:
    """A class for each pixel of one photo.

    Attributes:
        classes: int16 (H, W), index into the class map; IGNORED where the network did not look (outside of its crop).
    """

    classes: NDArray[np.int16]

    @property
    def size_px(self) -> tuple[int, int]:
        """Return (width, height) of the photo."""
        return self.classes.shape[1], self.classes.shape[0]


@dataclass(frozen=True, slots=True, eq=False)
class PhotoSegments:
    """Objects and stuff of one photo; no pixel belongs to two.

    Attributes:
        ids: int32 (H, W): 1 + row of the segment, 0 where there is none.
        classes: int64 (S,), index into the class map.
        scores: float64 (S,), 0 to 1; 1 for stuff.
        is_thing: bool (S,).
    """

    ids: NDArray[np.int32]
    classes: Ints
    scores: Floats
    is_thing: NDArray[np.bool_]

    def __len__(self) -> int:
        """Return the number of segments."""
        return len(self.classes)

    @property
    def size_px(self) -> tuple[int, int]:
        """Return (width, height) of the photo."""
        return self.ids.shape[1], self.ids.shape[0]


PlaceAnswer = PhotoObjects | PhotoPixels | PhotoSegments
