"""From one photo's raw outputs of a dense detector to its best boxes, in pixels of the input."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vision_cli.core.decoding import anchors, suppression
from vision_cli.core.decoding.placing import clipped
from vision_cli.core.place_decode import PlaceDecode

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
TOP_K = 5000
"""Boxes of a photo, over all classes, that go into suppression at most: RetinaNet's 1000 of each of its five levels."""
N_COORDINATES = 4


@dataclass(frozen=True, slots=True)
class Boxes:
    """Boxes of one photo in pixels of the input, best first.

    Attributes:
        xyxy: float64 (D, 4).
        scores: float64 (D,).
        classes: int64 (D,).
        rows: int64 (D,), of the raw output that they come from.
    """

    xyxy: Floats
    scores: Floats
    classes: Ints
    rows: Ints


def best_boxes(raw: NDArray[Any], decode: PlaceDecode, size_px: tuple[int, int]) -> Boxes:
    """Return the boxes of one photo that survive score floor, top-k and suppression.

    Boxes are clipped to the input before they are compared, as torchvision's detectors do it.

    Args:
        raw: float32 (A, 4 + K), (A, 4 + K + 1) or (D, 6), by the layout; without coefficients of masks.
        decode: the parameters.
        size_px: (width, height) of the input.
    """
    match decode.layout:
        case "anchors":
            return _suppressed(_of_anchors(raw, decode, size_px), decode, size_px)
        case "points":
            return _suppressed(_of_points(raw, decode, size_px), decode, size_px)
        case "scored":
            return _suppressed(_of_scored(raw, decode), decode, size_px)
        case _:
            return _of_boxes(raw, decode)


def _of_boxes(raw: NDArray[Any], decode: PlaceDecode) -> Boxes:
    """Return the rows of a network that suppresses by itself, without the empty ones."""
    scores = raw[:, 4].astype(np.float64)
    rows = np.flatnonzero((raw[:, 5] >= 0) & (scores > decode.score_floor))
    rows = rows[np.argsort(-scores[rows], kind="stable")][: decode.max_detections]
    classes = np.rint(raw[rows, 5]).astype(np.int64)
    return Boxes(raw[rows, :4].astype(np.float64), scores[rows], classes, rows)


def _of_anchors(raw: NDArray[Any], decode: PlaceDecode, size_px: tuple[int, int]) -> Boxes:
    rows, classes, scores = _best(*_scores(raw[:, N_COORDINATES:], decode))
    centred = anchors.anchors(decode.levels, size_px)[rows]
    boxes = anchors.boxes_of_offsets(raw[rows, :N_COORDINATES], centred, decode.box_weights)
    return Boxes(boxes, scores, classes, rows)


def _of_scored(raw: NDArray[Any], decode: PlaceDecode) -> Boxes:
    rows, classes = np.nonzero(raw[:, N_COORDINATES:] > decode.score_floor)
    scores = raw[rows, N_COORDINATES + classes].astype(np.float64)
    rows, classes, scores = _best(rows, classes.astype(np.int64), scores)
    return Boxes(raw[rows, :N_COORDINATES].astype(np.float64), scores, classes, rows)


def _of_points(raw: NDArray[Any], decode: PlaceDecode, size_px: tuple[int, int]) -> Boxes:
    centred = sigmoid(raw[:, -1])
    # The score is the geometric mean with the centre-ness, so that a class above the floor's square may pass.
    rows, classes, scores = _scores(raw[:, N_COORDINATES:-1], decode, floor=decode.score_floor**2)
    scores = np.sqrt(scores * centred[rows])
    passed = scores > decode.score_floor
    rows, classes, scores = _best(rows[passed], classes[passed], scores[passed])
    centres = anchors.points(decode.levels, size_px)[rows]
    return Boxes(anchors.boxes_of_distances(raw[rows, :N_COORDINATES], centres), scores, classes, rows)


def _scores(logits: NDArray[Any], decode: PlaceDecode, floor: float | None = None) -> tuple[Ints, Ints, Floats]:
    """Return row, class and score of all above the floor."""
    floor = decode.score_floor if floor is None else floor
    if decode.activation == "sigmoid":
        return _above(np.arange(len(logits)), logits, floor)
    # A class has at most the share that it has against the background alone: most rows need no softmax.
    margins = logits[:, 1:].max(axis=1, initial=-np.inf).astype(np.float64) - logits[:, 0]
    rows = np.flatnonzero(margins > _logit(floor))
    shares = softmax(logits[rows])[:, 1:]
    found, classes = np.nonzero(shares > floor)
    return rows[found], classes.astype(np.int64), shares[found, classes]


def _above(rows: Ints, logits: NDArray[Any], floor: float) -> tuple[Ints, Ints, Floats]:
    found, classes = np.nonzero(logits > _logit(floor))
    return rows[found], classes.astype(np.int64), sigmoid(logits[found, classes])


def _best(rows: Ints, classes: Ints, scores: Floats) -> tuple[Ints, Ints, Floats]:
    order = np.argsort(-scores, kind="stable")[:TOP_K]
    return rows[order], classes[order], scores[order]


def _suppressed(boxes: Boxes, decode: PlaceDecode, size_px: tuple[int, int]) -> Boxes:
    inside = clipped(boxes.xyxy, size_px)
    seen = np.flatnonzero((inside[:, 2:] > inside[:, :2]).all(axis=1))
    kept = suppression.suppress(
        inside[seen], boxes.scores[seen], boxes.classes[seen], iou=decode.nms_iou, limit=decode.max_detections
    )
    rows = seen[kept]
    return Boxes(inside[rows], boxes.scores[rows], boxes.classes[rows], boxes.rows[rows])


def sigmoid(logits: NDArray[Any]) -> Floats:
    """Return 1 / (1 + exp(-logit)), float64."""
    return np.asarray(1 / (1 + np.exp(-np.clip(logits.astype(np.float64), -700, 700))))


def softmax(logits: NDArray[Any]) -> Floats:
    """Return the softmax over the last axis, float64."""
    shifted = logits.astype(np.float64)
    weights = np.exp(shifted - shifted.max(axis=-1, keepdims=True, initial=-np.inf))
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True))


def _logit(share: float) -> float:
    if share <= 0:
        return -math.inf
    return math.inf if share >= 1 else math.log(share / (1 - share))
