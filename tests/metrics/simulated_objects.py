"""Simulated objects and detections of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vision_cli.core import rle, rle_columns
from vision_cli.core.detections import Detections, Truth

SIDE = 160


def scene(
    seed: int = 0, photos: int = 30, classes: int = 3, objects: int = 5, *, ignored: float = 0.1, decimals: int = 2
) -> tuple[Truth, Detections]:
    """Draw objects, and detections that are near, doubled, misnamed or of nothing; few decimals give ties."""
    rng = np.random.default_rng(seed)
    number = photos * objects
    photo = np.sort(rng.integers(0, photos, number))
    boxes = _boxes(rng, number)
    names = rng.integers(0, classes, number)
    ignore = rng.uniform(size=(2, number)) < ignored
    sizes = np.full((photos, 2), SIDE)
    truth = Truth(
        sizes,
        photo,
        names,
        boxes,
        areas=boxes[:, 2] * boxes[:, 3] * rng.uniform(0.5, 1, number),
        crowd=ignore[0],
        difficult=ignore[1] & ~ignore[0],
    )
    near = rng.permutation(np.repeat(np.arange(number), 2))[: int(1.6 * number)]
    shifted = boxes[near] + rng.normal(0, 0.15, (len(near), 4)) * boxes[near][:, [2, 3, 2, 3]]
    shifted[:, 2:] = np.maximum(shifted[:, 2:], 1)
    lost = number // 2
    said = np.where(rng.uniform(size=len(near)) < 0.85, names[near], rng.integers(0, classes, len(near)))
    order = rng.permutation(len(near) + lost)
    detections = Detections(
        sizes,
        np.concatenate([photo[near], rng.integers(0, photos, lost)])[order],
        np.concatenate([said, rng.integers(0, classes, lost)])[order],
        np.round(np.concatenate([shifted, _boxes(rng, lost)]), 2)[order],
        scores=np.round(np.concatenate([rng.beta(4, 2, len(near)), rng.beta(2, 4, lost)]), decimals)[order],
    )
    return truth, detections


def _boxes(rng: np.random.Generator, number: int) -> np.ndarray:  # type: ignore[type-arg]
    size = np.exp(rng.uniform(np.log(8), np.log(140), (number, 1))) * rng.uniform(0.8, 1.1, (number, 2))
    return np.round(np.concatenate([rng.uniform(0, 1, (number, 2)) * (SIDE - size.clip(0, SIDE)), size], axis=1), 2)


def with_masks(objects: Truth | Detections) -> Truth | Detections:
    """Return the same objects with the mask of each box's ellipse."""
    texts = []
    for (x, y, w, h), photo in zip(objects.boxes, objects.photo, strict=True):
        width, height = objects.sizes[photo]
        across, down = np.arange(width) + 0.5, np.arange(height) + 0.5
        mask = ((across[None] - x - w / 2) / (w / 2)) ** 2 + ((down[:, None] - y - h / 2) / (h / 2)) ** 2 <= 1
        texts.append(rle.to_text(rle.encode(mask)).encode())
    return replace(objects, masks=rle_columns.of_texts(texts))


def perfect(truth: Truth) -> Detections:
    """Return detections that say just what is true; nothing is said of what need not be found."""
    wanted = truth.select(~truth.ignored)
    scores = np.linspace(0.99, 0.6, len(wanted))
    return Detections(
        wanted.sizes, wanted.photo, wanted.class_id, wanted.boxes, wanted.masks, wanted.keypoints, scores=scores
    )


def nothing(detections: Detections) -> Detections:
    """Return no detection in the same photos."""
    return detections.select(np.zeros(len(detections), np.bool_))


def iou(one: np.ndarray, other: np.ndarray, *, crowd: bool = False) -> float:  # type: ignore[type-arg]
    """Return the overlap of two boxes x, y, w, h, in plain steps."""
    width = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    height = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = float(width * height)
    own = float(one[2] * one[3])
    return shared / (own if crowd else own + float(other[2] * other[3]) - shared)
