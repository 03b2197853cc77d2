"""A list of COCO results as detections: each on its photo, of its class, checked before any evaluator sees it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from vision_cli.core import outline, rle, rle_columns
from vision_cli.core.detections import MAX_COORDINATE_PX, Bools, Detections, Floats, Ints
from vision_cli.core.errors import DataError
from vision_cli.stages.coco_results import Results, refuse

_KEYPOINTS = msgspec.json.Decoder(list[float])
_LEAST_SIDE_PX = 1.0


class _Runs(msgspec.Struct):
    """A compressed mask, as pycocotools writes it."""

    size: tuple[int, int]
    counts: str


_RUNS = msgspec.json.Decoder(_Runs)


@dataclass(frozen=True, slots=True)
class Judged:
    """What of results is judged.

    Attributes:
        overlap: what has to overlap; None where keypoints alone are judged.
        keypoints: number of each object; 0 where they are not judged.
    """

    overlap: str | None
    keypoints: int = 0

    @property
    def task(self) -> str:
        """Return the task whose metrics they answer."""
        return "instance" if self.overlap == "masks" else "detect"

    @property
    def holds(self) -> list[str]:
        """Return what is judged, in words."""
        return [*([self.overlap] if self.overlap else []), *(["keypoints"] if self.keypoints else [])]


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """Results that are judged.

    Attributes:
        rows: int64 (N,), of the results.
        photo: int64 (N,), row of the photo of each.
        class_id: int64 (N,).
        sizes: int64 (P, 2), width and height of each photo, in pixels.
    """

    rows: Ints
    photo: Ints
    class_id: Ints
    sizes: Ints


def detections(results: Results, placed: Placed, judged: Judged) -> Detections:
    """Return the detections, in the order of the results.

    Raises:
        DataError: results without what is judged, boxes without an area, masks that do not make up their photo, or
            keypoints that are no places or not as many as wanted; by the number of the result.
    """
    found = _Found(results, placed)
    points = found.keypoints(judged.keypoints) if judged.keypoints else None
    masks, boxes = None, None
    if judged.overlap == "masks":
        masks, boxes = found.masks()
    elif judged.overlap == "boxes":
        boxes = found.boxes()
    if boxes is None:
        boxes = _around(points)
    return Detections(
        placed.sizes, placed.photo, placed.class_id, boxes, masks, points, scores=results.scores[placed.rows]
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    results: Results
    placed: Placed

    def _refuse(self, wrong: Any, problem: str, say: Callable[[int], str], hint: str) -> None:
        """Refuse those of the placed results that are wrong, bool (N,); `say` gets the row among all."""
        every = np.zeros(len(self.results), dtype=np.bool_)
        every[self.placed.rows] = wrong
        refuse(self.results.path, every, problem, say, hint=hint)

    def _texts(self, values: Sequence[bytes | None], what: str) -> list[bytes]:
        texts = [values[row] for row in self.placed.rows.tolist()]
        self._refuse(
            [text is None for text in texts],
            f"results have no {what}, and others have",
            lambda row: f"image_id {self.results.image_ids[row]}",
            f"All results of a file are of one kind: give each its {what}.",
        )
        return [text for text in texts if text is not None]

    def boxes(self) -> Floats:
        """Return float64 (N, 4); of masks without a box, those around them."""
        boxes = self.results.boxes[self.placed.rows].copy()
        there = [self.results.outlines[row] is not None for row in self.placed.rows.tolist()]
        outlined = np.isnan(boxes[:, 0]) & np.array(there, dtype=np.bool_)
        if outlined.any():
            boxes[outlined] = self._only(outlined).masks()[1]
        self._refuse(
            np.isnan(boxes[:, 0]),
            "results have no bbox, and others have",
            lambda row: f"image_id {self.results.image_ids[row]}",
            "All results of a file are of one kind: give each its bbox.",
        )
        self._refuse(
            ~((np.abs(boxes) <= MAX_COORDINATE_PX).all(axis=1) & (boxes[:, 2:] > 0).all(axis=1)),
            "boxes have no area, or are no place in a photo",
            lambda row: f"bbox {self.results.boxes[row].tolist()}",
            "A box is [x, y, width, height] in pixels: leave those without an area out.",
        )
        self._refuse(
            np.full(len(boxes), bool(len(boxes)) and bool((boxes[:, :2] + boxes[:, 2:] <= 1).all())),
            "boxes end within the first pixel of their photos, all of them",
            lambda row: f"bbox {self.results.boxes[row].tolist()}",
            "A box is [x, y, width, height] in pixels: multiply shares of the photo by its width and height.",
        )
        return boxes

    def _only(self, rows: Bools) -> _Found:
        placed = self.placed
        return _Found(self.results, Placed(placed.rows[rows], placed.photo[rows], placed.class_id[rows], placed.sizes))

    def masks(self) -> tuple[pa.LargeBinaryArray, Floats]:
        """Return the masks, and the boxes around them."""
        sizes = self.placed.sizes[self.placed.photo]
        read: list[bytes] = []
        faults: dict[int, str] = {}
        for row, text in enumerate(self._texts(self.results.outlines, "segmentation")):
            mask = _mask(text, *sizes[row].tolist())
            faults |= {row: mask} if isinstance(mask, str) else {}
            read.append(b"" if isinstance(mask, str) else mask)
        masks = rle_columns.of_texts(read)
        figures = rle_columns.figures(masks, sizes)
        at = {row: place for place, row in enumerate(self.placed.rows.tolist())}

        def say(row: int) -> str:
            place = at[row]
            return faults.get(place) or rle_columns.fault(read[place], *sizes[place].tolist()).message

        self._refuse(
            ~figures.sound,
            "segmentations are no masks of their photos",
            say,
            "A mask is {size: [height, width], counts} of its photo's size, as pycocotools writes it.",
        )
        return masks, figures.boxes

    def keypoints(self, number: int) -> Floats:
        """Return float64 (N, number, 3)."""
        texts = self._texts(self.results.keypoints, "keypoints")
        values = [_numbers(text) for text in texts]
        at = {row: place for place, row in enumerate(self.placed.rows.tolist())}
        self._refuse(
            [each is None or len(each) != 3 * number for each in values],
            f"results do not have the {number} keypoints of the labels",
            lambda row: _said(values[at[row]]),
            f"They are x, y and visibility of each of {number} keypoints: {3 * number} numbers.",
        )
        points = np.array(values, dtype=np.float64).reshape(len(values), number, 3)
        self._refuse(
            ~(np.abs(points) <= MAX_COORDINATE_PX).all(axis=(1, 2)),
            "results have keypoints that are no places in a photo",
            lambda row: f"{np.abs(points[at[row]]).max():g}",
            "Keypoints are in pixels of the photo.",
        )
        return points


def _mask(text: bytes, width: int, height: int) -> bytes | str:
    """Return the compressed runs of a mask; in words what is wrong with its size or form."""
    try:
        runs = _RUNS.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _other(text, width, height)
    if runs.size != (height, width):
        return f"the mask's size is {list(runs.size)}, its photo's [{height}, {width}]"
    try:
        return runs.counts.encode("ascii")
    except UnicodeEncodeError:
        return "the mask's counts are no text that pycocotools writes"


def _other(text: bytes, width: int, height: int) -> bytes | str:
    """Return the runs of polygons, or of a mask whose counts are numbers."""
    try:
        return rle.to_text(outline.runs(outline.parse(text), width, height)).encode("ascii")
    except DataError as error:
        return error.message


def _numbers(text: bytes) -> list[float] | None:
    try:
        return _KEYPOINTS.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _said(values: Any) -> str:
    return "keypoints are no list of numbers" if values is None else f"{len(values)} numbers"


def _around(points: Floats | None) -> Floats:
    """Return boxes around keypoints, for pictures; one pixel at least, for nothing is drawn without an area."""
    if points is None or not len(points):
        return np.empty((0, 4))
    low, high = points[:, :, :2].min(axis=1), points[:, :, :2].max(axis=1)
    return np.concatenate([low, np.maximum(high - low, _LEAST_SIDE_PX)], axis=1)
