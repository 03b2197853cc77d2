"""Simulated maps of classes and segments: blocks of classes, and answers that are shifted, misnamed or missing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vision_cli.core.decoding.answers import PhotoSegments
from vision_cli.core.truth_maps import TrueSegments

IGNORED = -1
Classes = NDArray[np.int16]


def blocks(rng: np.random.Generator, classes: int, size: tuple[int, int] = (40, 56), ignored: bool = True) -> Classes:
    """Return a map (H, W) of rectangles on a ground, some of them ignored."""
    height, width = size
    found = np.full(size, rng.integers(0, classes), dtype=np.int16)
    for _ in range(8):
        top, left = rng.integers(0, height - 4), rng.integers(0, width - 4)
        low = IGNORED if ignored else 0
        found[top : top + rng.integers(3, height // 2), left : left + rng.integers(3, width // 2)] = rng.integers(
            low, classes
        )
    return found


def answered(rng: np.random.Generator, truth: Classes, classes: int) -> Classes:
    """Return what a mediocre network says: shifted, with a block of another class, and one where it does not look."""
    said = np.roll(truth, rng.integers(-2, 3, 2), axis=(0, 1))
    said[said == IGNORED] = rng.integers(0, classes)
    top, left = rng.integers(0, truth.shape[0] - 8), rng.integers(0, truth.shape[1] - 8)
    said[top : top + 8, left : left + 8] = rng.integers(0, classes)
    said[:, : rng.integers(0, 3)] = IGNORED
    return said


def segments(rng: np.random.Generator, classes: int, things: int, size: tuple[int, int] = (40, 56)) -> TrueSegments:
    """Return segments: the first classes are things, some of them crowds; void is left between."""
    ids = np.zeros(size, dtype=np.int32)
    names: list[int] = []
    crowd: list[bool] = []
    for name in (*range(things, classes), *rng.integers(0, things, 9).tolist()):
        top, left = rng.integers(0, size[0] - 4), rng.integers(0, size[1] - 4)
        ids[top : top + rng.integers(4, 24), left : left + rng.integers(4, 24)] = len(names) + 1
        is_crowd = name < things and bool(rng.random() < 0.25) and not any(np.array(crowd) & (np.array(names) == name))
        names.append(int(name))
        crowd.append(is_crowd)
    return numbered(ids, np.array(names), np.array(crowd))


def numbered(ids: NDArray[np.int32], names: NDArray[np.int64], crowd: NDArray[np.bool_]) -> TrueSegments:
    """Return the segments that show, numbered without gaps."""
    there = np.unique(ids[ids > 0])
    table = np.zeros(len(names) + 1, dtype=np.int32)
    table[there] = np.arange(1, len(there) + 1)
    return TrueSegments(table[ids], names[there - 1], crowd[there - 1])


def answered_segments(rng: np.random.Generator, truth: TrueSegments, classes: int) -> PhotoSegments:
    """Return segments that are shifted, joined with void, misnamed or new."""
    ids = np.roll(truth.ids, rng.integers(-1, 2, 2), axis=(0, 1)).astype(np.int32)
    names = truth.classes.copy()
    wrong = rng.random(len(names)) < 0.2
    names[wrong] = rng.integers(0, classes, int(wrong.sum()))
    new = rng.integers(0, classes, 4)
    for number, _ in enumerate(new, start=len(names) + 1):
        top, left = rng.integers(0, ids.shape[0] - 8), rng.integers(0, ids.shape[1] - 8)
        ids[top : top + 8, left : left + 8] = number
    found = numbered(ids, np.concatenate([names, new]), np.zeros(len(names) + 4, dtype=bool))
    number = len(found.classes)
    return PhotoSegments(found.ids, found.classes, np.ones(number), np.ones(number, dtype=bool))


def as_answer(truth: TrueSegments) -> PhotoSegments:
    """Return the truth as if it were said."""
    number = len(truth.classes)
    return PhotoSegments(truth.ids, truth.classes, np.ones(number), np.ones(number, dtype=bool))
