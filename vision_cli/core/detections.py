"""Objects in photos, said and true, as columns: what detectors yield and what their metrics compare it with.

Boxes count edges: 0 is the photo's left edge, x + w the right edge of the last pixel, in pixels of the original photo.
Masks are COCO's compressed run lengths, of the photo's size.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vision_cli.core import rle, rle_columns
from vision_cli.core.errors import DataError

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
MAX_COORDINATE_PX = 1e7
_SHOWN = 10


@dataclass(frozen=True, slots=True, eq=False)
class Objects:
    """N objects in P photos.

    Attributes:
        sizes: int64 (P, 2), width and height of each photo, in pixels.
        photo: int64 (N,), row of the photo.
        class_id: int64 (N,), index into the class map.
        boxes: float64 (N, 4): x, y, width, height in pixels, edges counted.
        masks: large_binary (N,), COCO's compressed `counts`; None where there are only boxes.
        keypoints: float64 (N, K, 3): x, y, visibility (0 not labelled, 1 hidden, 2 seen); None without.
    """

    sizes: Ints
    photo: Ints
    class_id: Ints
    boxes: Floats
    masks: pa.LargeBinaryArray | None = None
    keypoints: Floats | None = None

    def __post_init__(self) -> None:
        number = len(self.photo)
        shapes = [self.sizes.shape[1:] == (2,), self.class_id.shape == (number,), self.boxes.shape == (number, 4)]
        shapes.append(self.masks is None or len(self.masks) == number)
        shapes.append(self.keypoints is None or self.keypoints.shape[::2] == (number, 3))
        if not all(shapes) or self.photo.ndim != 1:
            raise DataError(
                f"objects: photo {self.photo.shape}, class {self.class_id.shape}, boxes {self.boxes.shape} and photo "
                f"sizes {self.sizes.shape} do not fit each other."
            )

    def __len__(self) -> int:
        return len(self.photo)

    @property
    def n_photos(self) -> int:
        """Return P."""
        return len(self.sizes)

    def xyxy(self) -> Floats:
        """Return float64 (N, 4): left, top, right, bottom."""
        return np.concatenate([self.boxes[:, :2], self.boxes[:, :2] + self.boxes[:, 2:]], axis=1)


@dataclass(frozen=True, slots=True, eq=False)
class Detections(Objects):
    """What a detector said.

    Attributes:
        scores: float64 (N,), 0 to 1.
    """

    scores: Floats = field(kw_only=True)

    def __post_init__(self) -> None:
        Objects.__post_init__(self)
        if np.shape(self.scores) != (len(self),):
            raise DataError(f"detections: {len(self)} objects need as many scores.")

    def select(self, rows: Bools | Ints) -> Detections:
        """Return the detections of a mask bool (N,) or of row numbers."""
        chosen = _chosen(self, rows)
        return replace(self, **chosen, scores=self.scores[rows])

    def check(self, n_classes: int, what: str = "the detections") -> None:
        """Refuse numbers that no detection has.

        Raises:
            DataError: a photo or class out of range, a score that is no number between 0 and 1, a box without area or
                of no finite size, or a mask whose runs do not make up its photo; the first ten are named.
        """
        _check_ids(self, n_classes, what)
        _refuse(
            np.flatnonzero(~((self.scores >= 0) & (self.scores <= 1))),
            self,
            lambda row: f"score {self.scores[row]}",
            what,
            "a score is no number between 0 and 1",
        )
        _check_boxes(self, what)
        _check_masks(self, what)
        _check_keypoints(self, what)


@dataclass(frozen=True, slots=True, eq=False)
class Truth(Objects):
    """What is in the photos.

    Attributes:
        areas: float64 (N,), square pixels, by which objects are small, medium or large: the annotation's own where it
            has one, as in COCO.
        crowd: bool (N,): a region of many objects (COCO's `iscrowd`, KITTI's DontCare): never missed, and what is
            found inside of it counts neither way.
        difficult: bool (N,): one object that need not be found (Pascal VOC).
        notes: what was left out and why, one sentence each.
    """

    areas: Floats = field(kw_only=True)
    crowd: Bools = field(kw_only=True)
    difficult: Bools = field(kw_only=True)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        Objects.__post_init__(self)
        if any(np.shape(each) != (len(self),) for each in (self.areas, self.crowd, self.difficult)):
            raise DataError(f"truth: {len(self)} objects need as many areas and flags.")

    @property
    def ignored(self) -> Bools:
        """Return bool (N,): objects that need not be found."""
        return self.crowd | self.difficult

    def select(self, rows: Bools | Ints) -> Truth:
        """Return the objects of a mask bool (N,) or of row numbers."""
        chosen = _chosen(self, rows)
        areas, crowd, difficult = self.areas[rows], self.crowd[rows], self.difficult[rows]
        return replace(self, **chosen, areas=areas, crowd=crowd, difficult=difficult)

    def check(self, n_classes: int, what: str = "the labels") -> None:
        """Refuse numbers that no label has; see `Detections.check`."""
        _check_ids(self, n_classes, what)
        wrong = np.flatnonzero(~(np.isfinite(self.areas) & (self.areas >= 0)))
        _refuse(wrong, self, lambda row: f"area {self.areas[row]}", what, "an area is no number of square pixels")
        _check_boxes(self, what)
        _check_masks(self, what)
        _check_keypoints(self, what)


def of_edges(xyxy: Floats) -> Floats:
    """Return x, y, width, height of left, top, right, bottom, float64 (N, 4)."""
    return np.concatenate([xyxy[:, :2], xyxy[:, 2:] - xyxy[:, :2]], axis=1)


def _chosen(objects: Objects, rows: Bools | Ints) -> dict[str, Any]:
    indices = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
    return {
        "photo": objects.photo[rows],
        "class_id": objects.class_id[rows],
        "boxes": objects.boxes[rows],
        "masks": None if objects.masks is None else objects.masks.take(pa.array(indices)),
        "keypoints": None if objects.keypoints is None else objects.keypoints[rows],
    }


def _check_ids(objects: Objects, n_classes: int, what: str) -> None:
    sides = objects.sizes
    if len(sides) and not ((sides > 0).all() and (sides.prod(axis=1) <= rle.MAX_PIXELS).all()):
        raise DataError(f"{what}: a photo has no size, or over {rle.MAX_PIXELS / 1e6:.0f} megapixels.")
    for name, values, limit in (("photo", objects.photo, len(sides)), ("class", objects.class_id, n_classes)):
        wrong = np.flatnonzero((values < 0) | (values >= limit))
        _refuse(wrong, objects, partial(_said, name, values), what, f"a {name} is not one of {limit}")


def _said(name: str, values: Ints, row: int) -> str:
    return f"{name} {values[row]}"


def _check_boxes(objects: Objects, what: str) -> None:
    boxes = objects.boxes
    # Written so that NaN does not pass. A mask speaks for itself: its box may be empty.
    least = boxes[:, 2:] > 0 if objects.masks is None else boxes[:, 2:] >= 0
    wrong = np.flatnonzero(~((np.abs(boxes) <= MAX_COORDINATE_PX).all(axis=1) & least.all(axis=1)))
    _refuse(
        wrong,
        objects,
        lambda row: f"x, y, width, height {boxes[row].tolist()}",
        what,
        "a box has no area or no finite size",
    )


def _check_masks(objects: Objects, what: str) -> None:
    if objects.masks is None or not len(objects):
        return
    sizes = objects.sizes[objects.photo]
    wrong = np.flatnonzero(~rle_columns.sound(objects.masks, sizes))
    texts = objects.masks

    def reason(row: int) -> str:
        width, height = sizes[row].tolist()
        return rle_columns.fault(texts[row].as_py(), width, height).message

    _refuse(wrong, objects, reason, what, "a mask does not make up its photo")


def _check_keypoints(objects: Objects, what: str) -> None:
    if objects.keypoints is None:
        return
    wrong = np.flatnonzero(~(np.abs(objects.keypoints) <= MAX_COORDINATE_PX).all(axis=(1, 2)))
    _refuse(wrong, objects, lambda row: "a keypoint is no place", what, "a keypoint is no number of pixels")


def _refuse(wrong: Ints, objects: Objects, say: Callable[[int], str], what: str, problem: str) -> None:
    if not wrong.size:
        return
    shown = [f"object {row} of photo {objects.photo[row]}: {say(row)}" for row in wrong[:_SHOWN].tolist()]
    raise DataError(
        f"{what}: {problem}, {wrong.size} time{'s' if wrong.size > 1 else ''} in {len(objects)} objects.",
        details=shown,
        hint="Nothing was measured: correct or leave out these objects.",
    )
