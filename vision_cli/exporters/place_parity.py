"""Does an exported detector or segmenter find what the network that it was made from finds?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vision_cli.core.decoding.answers import PhotoObjects, PhotoPixels, PhotoSegments, PlaceAnswer
from vision_cli.core.decoding.suppression import overlaps
from vision_cli.core.errors import DataError

AGREEMENT = {"detect": 0.99, "instance": 0.99, "semantic": 0.995, "panoptic": 0.995}
"""Share of boxes, or of pixels, that must be decided alike."""
BOX_IOU = 0.99
MASK_IOU = 0.95
"""Less than of boxes: a pixel of a small mask is a large share of it."""
_BEST_OF_A_PHOTO = 10
"""Boxes of a photo that are compared where no box of any photo counts as an answer."""


@dataclass(frozen=True, slots=True)
class PlaceLimits:
    """What still counts as equal.

    Attributes:
        confidence: from which score on a box counts as an answer, one for all classes or one each.
        tolerance: a box that counts for one model may lie this much below the confidence for the other.
        agreement: share of boxes, or of pixels, that must be decided alike.
    """

    confidence: tuple[float, ...]
    tolerance: float
    agreement: float


@dataclass(frozen=True, slots=True)
class PlaceParity:
    """The comparison's result.

    Attributes:
        n_photos: compared.
        n_compared: boxes of both models, or pixels.
        agreement: share of them that are alike.
        max_score_difference: of boxes that match; None for pixels.
        worst_iou: the smallest of the boxes' IoUs with their like, or with the nearest of their class where there is
            none (0 without any); None for pixels.
        disagreements: rows of photos with a smaller share than asked for.
        passed: the limit is kept.
        reason: one sentence with the figures.
    """

    n_photos: int
    n_compared: int
    agreement: float
    max_score_difference: float | None
    worst_iou: float | None
    disagreements: tuple[int, ...]
    passed: bool
    reason: str


@dataclass(frozen=True, slots=True)
class _Tally:
    """Of one photo: what was compared, what of it is alike, the largest difference of scores, the smallest IoU."""

    compared: int
    alike: int
    difference: float | None = None
    worst_iou: float | None = None


class Comparison:
    """Compares photo by photo, so that no answers need to be kept."""

    def __init__(self, limits: PlaceLimits) -> None:
        self.limits = limits
        self._tallies: list[_Tally] = []
        self._best: list[_Tally] = []
        self._what = "boxes"

    def add(self, reference: PlaceAnswer, exported: PlaceAnswer) -> None:
        """Compare the answers about one photo.

        Raises:
            DataError: the answers are of different kinds, or about photos of different sizes.
        """
        if type(reference) is not type(exported) or reference.size_px != exported.size_px:
            raise DataError("parity: the two models were not asked about the same photo.")
        if isinstance(reference, PhotoObjects) and isinstance(exported, PhotoObjects):
            limits = self.limits
            self._tallies.append(_objects(reference, exported, _counting(limits.confidence, limits.tolerance)))
            self._best.append(_objects(reference, exported, _best_first))
            return
        self._what = "pixels"
        alike = _alike_pixels(reference, exported)
        self._tallies.append(_Tally(alike.size, int(alike.sum())))

    def result(self) -> PlaceParity:
        """Judge all photos together.

        Where no box counts as an answer for either model, the best of each photo are compared instead.

        Raises:
            DataError: there were no photos, or no model found anything in any of them.
        """
        counted = any(tally.compared for tally in self._tallies)
        tallies = self._tallies if counted else self._best
        compared = sum(tally.compared for tally in tallies)
        if not compared:
            raise DataError(
                "parity: there is nothing to compare: neither model finds anything in the photos.",
                hint="Give photos with objects in them, or train longer.",
            )
        agreement = sum(tally.alike for tally in tallies) / compared
        differences = [tally.difference for tally in tallies if tally.difference is not None]
        worst = min((tally.worst_iou for tally in tallies if tally.worst_iou is not None), default=None)
        needed = self.limits.agreement
        return PlaceParity(
            n_photos=len(tallies),
            n_compared=compared,
            agreement=agreement,
            max_score_difference=max(differences, default=None),
            worst_iou=worst,
            disagreements=tuple(row for row, tally in enumerate(tallies) if tally.alike < needed * tally.compared),
            passed=agreement >= needed,
            reason=f"{agreement:.2%} of {compared} {self._claim(counted)} (needed {needed:.2%}){_nearest(worst)}",
        )

    def _claim(self, counted: bool) -> str:
        if self._what == "pixels":
            return "pixels are alike"
        score = f"with a score from {_text(self.limits.confidence)} on" if counted else "with the best scores"
        return f"boxes {score} have their like at IoU {BOX_IOU:g}"


def _nearest(worst: float | None) -> str:
    return "" if worst is None else f"; the smallest IoU is {worst:.4f}"


Choice = Callable[[PhotoObjects], tuple[PhotoObjects, PhotoObjects]]
"""Of the objects of one model, those that must be found by the other, and those that may be found for the other's."""


def _text(confidence: tuple[float, ...]) -> str:
    low, high = min(confidence), max(confidence)
    return f"{low:g}" if low == high else f"{low:.3g} to {high:.3g}"


def _counting(confidence: tuple[float, ...], tolerance: float) -> Choice:
    least = tuple(value - tolerance for value in confidence)
    return lambda objects: (objects.above(confidence), objects.above(least))


def _best_first(objects: PhotoObjects) -> tuple[PhotoObjects, PhotoObjects]:
    return objects.select(np.arange(min(_BEST_OF_A_PHOTO, len(objects)))), objects


def _objects(reference: PhotoObjects, exported: PhotoObjects, choice: Choice) -> _Tally:
    """Look for each model's objects among the other's."""
    (ours, ours_about), (theirs, theirs_about) = choice(reference), choice(exported)
    pairs = [*_matches(ours, theirs_about), *_matches(theirs, ours_about)]
    found = [pair.difference for pair in pairs if pair.difference is not None]
    worst = min((pair.iou for pair in pairs), default=None)
    return _Tally(len(ours) + len(theirs), len(found), max(found, default=None), worst)


@dataclass(frozen=True, slots=True)
class _Pair:
    """An object and its like: their IoU and difference of scores; without one, the IoU of the nearest, and None."""

    iou: float
    difference: float | None = None


def _matches(wanted: PhotoObjects, offered: PhotoObjects) -> list[_Pair]:
    """Return for each object what of the other model's is its own, best first."""
    free = np.ones(len(offered), dtype=np.bool_)
    found: list[_Pair] = []
    for row in range(len(wanted)):
        shares = overlaps(wanted.boxes[row], offered.boxes)
        same = np.flatnonzero(free & (offered.classes == wanted.classes[row]))
        fits = same[shares[same] >= BOX_IOU]
        fits = fits[[_same_mask(wanted, row, offered, other) for other in fits.tolist()]] if fits.size else fits
        if not fits.size:
            found.append(_Pair(float(np.nan_to_num(shares[same]).max(initial=0))))
            continue
        best = fits[shares[fits].argmax()]
        free[best] = False
        found.append(_Pair(float(shares[best]), float(abs(wanted.scores[row] - offered.scores[best]))))
    return found


def _same_mask(wanted: PhotoObjects, row: int, offered: PhotoObjects, other: int) -> bool:
    if wanted.masks is None or offered.masks is None:
        return True
    return mask_iou(wanted.masks[row], offered.masks[other]) >= MASK_IOU


def mask_iou(counts: NDArray[np.int64], others: NDArray[np.int64]) -> float:
    """Return the intersection over union of two masks of one size, by their run lengths; 1 if both are empty."""
    first, second = np.cumsum(counts), np.cumsum(others)
    ends = np.union1d(first, second)
    lengths = np.diff(ends, prepend=0)
    # The number of runs that end before a stretch tells whether it lies in a run of ones.
    in_first, in_second = (np.searchsorted(each, ends, side="left") % 2 == 1 for each in (first, second))
    union = int(lengths[in_first | in_second].sum())
    return int(lengths[in_first & in_second].sum()) / union if union else 1.0


def _alike_pixels(reference: PlaceAnswer, exported: PlaceAnswer) -> NDArray[np.bool_]:
    if isinstance(reference, PhotoPixels) and isinstance(exported, PhotoPixels):
        return np.asarray(reference.classes == exported.classes)
    if isinstance(reference, PhotoSegments) and isinstance(exported, PhotoSegments):
        return _alike_segments(reference, exported)
    raise DataError("parity: there is no way to compare these answers.")


def _alike_segments(reference: PhotoSegments, exported: PhotoSegments) -> NDArray[np.bool_]:
    """Return which pixels lie in segments of one class that overlap most with each other, or in none of both."""
    shape = (len(reference) + 1, len(exported) + 1)
    pairs = reference.ids.astype(np.int64) * shape[1] + exported.ids
    common = np.bincount(pairs.ravel(), minlength=shape[0] * shape[1]).reshape(shape)
    same: NDArray[Any] = np.zeros(shape, dtype=np.bool_)
    same[0, 0] = True
    same[1:, 1:] = reference.classes[:, None] == exported.classes[None]
    mutual = (common == common.max(axis=0, keepdims=True)) & (common == common.max(axis=1, keepdims=True))
    mutual[0, 0] = True
    return np.asarray((same & mutual).ravel()[pairs])
