"""Average precision of ranked detections under weights of photos: once with ones, and for each bootstrap resample.

Photos are weighted, nothing is matched again: a detection's verdict depends on its own photo only. Along a class's
ranking the weights of hits and false alarms add up; rows whose verdict is the same at every IoU are added up once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from vision_cli.core.detections import Floats, Ints
from vision_cli.metrics.detection.evaluator import FALSE, HIT, Judged, Verdicts

Weights = np.ndarray[Any, np.dtype[np.floating[Any]]]
Outcomes = np.ndarray[Any, np.dtype[np.uint8]]
COCO_POINTS, VOC2007_POINTS, EVERY_POINT, OF_OTHERS = 101, 11, 0, -1
"""Recalls at which precision is read: 0, 0.01 … 1; 0, 0.1 … 1; or wherever recall rises. The last reads it there, too,
but of the detections ranked before: the others take the best precision at that recall or more, the hit itself counted,
and chance alone lifts both where objects are few.
"""
_TOUCH = {np.dtype(np.float32): 1e-4, np.dtype(np.float64): 1e-9}
"""Of a step between recalls: what a quotient of that type may miss a recall by."""


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
    """Detections of C classes in P photos, ordered by class, then falling score, and the objects to find.

    Attributes:
        starts: int64 (C + 1,), first detection of each class.
        photo: int64 (D,), of each detection.
        outcomes: uint8 (D, T).
        wanted_starts: int64 (C + 1,), first object of each class.
        wanted_photo: int64 (G,), photo of each object to find, ordered by class.
    """

    starts: Ints
    photo: Ints
    outcomes: Outcomes
    wanted_starts: Ints
    wanted_photo: Ints

    @property
    def n_classes(self) -> int:
        """Return C."""
        return len(self.starts) - 1

    @property
    def wanted(self) -> Ints:
        """Return int64 (C,): objects to find of each class."""
        return np.diff(self.wanted_starts)

    def photos_with(self, name: int) -> int:
        """Return the number of photos with an object of a class."""
        return len(np.unique(self.wanted_photo[self.wanted_starts[name] : self.wanted_starts[name + 1]]))

    def of_class(self, name: int) -> tuple[Ints, Outcomes]:
        """Return photos and outcomes of one class's detections, ranked."""
        chosen = slice(self.starts[name], self.starts[name + 1])
        return self.photo[chosen], self.outcomes[chosen]


def ranked(judged: Judged, verdicts: Verdicts, area: str = "all") -> Ranked:
    """Rank an evaluation's detections; those of equal score in the order of their photos, as pycocotools has them."""
    said, truth, rows = judged.detections, judged.truth, verdicts.rows
    wanted = judged.to_find(area)
    return rank(
        judged.n_classes,
        (said.class_id[rows], said.photo[rows], said.scores[rows], verdicts.outcomes),
        (truth.class_id[wanted], truth.photo[wanted]),
    )


def rank(n_classes: int, said: tuple[Ints, Ints, Floats, Outcomes], wanted: tuple[Ints, Ints]) -> Ranked:
    """Rank detections.

    Args:
        n_classes: C.
        said: class, photo, score and outcomes (D, T) of each detection.
        wanted: class and photo of each object to find.
    """
    names, photo, scores, outcomes = said
    order = np.lexsort((-scores, names))
    by_class = np.argsort(wanted[0], kind="stable")
    bounds = np.arange(n_classes + 1)
    return Ranked(
        np.searchsorted(names[order], bounds),
        photo[order],
        outcomes[order],
        np.searchsorted(wanted[0][by_class], bounds),
        wanted[1][by_class],
    )


def totals(table: Ranked, weights: Weights) -> Weights:
    """Return the weight of the objects to find, (C, R), under weights (P, R)."""
    sums = [
        weights[table.wanted_photo[first:last]].sum(axis=0)
        for first, last in zip(table.wanted_starts[:-1], table.wanted_starts[1:], strict=True)
    ]
    return np.array(sums, dtype=weights.dtype).reshape(table.n_classes, weights.shape[1])


def average_precisions(table: Ranked, weights: Weights, points: int = COCO_POINTS) -> Weights:
    """Return the average precision of each class at each IoU, (C, T, R); NaN where nothing is to find.

    Args:
        table: what to judge.
        weights: (P, R) of the photos; all ones give the figure itself.
        points: recalls at which precision is read.
    """
    sums = totals(table, weights)
    found = np.full((table.n_classes, table.outcomes.shape[1], weights.shape[1]), np.nan, dtype=weights.dtype)
    for name in np.flatnonzero(table.wanted).tolist():
        found[name] = _of_class(*table.of_class(name), weights, sums[name], points)
        found[name][:, sums[name] <= 0] = np.nan
    return found


def _of_class(photo: Ints, outcomes: Outcomes, weights: Weights, total: Weights, points: int) -> Weights:
    found = np.zeros((outcomes.shape[1], weights.shape[1]), dtype=weights.dtype)
    varying = np.flatnonzero((outcomes == HIT).any(axis=1) | (outcomes.min(axis=1) != outcomes.max(axis=1)))
    if not varying.size:
        return found
    always = np.flatnonzero((outcomes == FALSE).all(axis=1))
    before = np.searchsorted(always, varying)
    alarms = _running(weights[photo[always[: before[-1]]]])
    base, own = alarms[before], weights[photo[varying]]
    for column in range(outcomes.shape[1]):
        outcome = outcomes[varying, column]
        hit = outcome == HIT
        if hit.any():
            false = base[hit] + np.cumsum(own * (outcome == FALSE)[:, None], axis=0, dtype=own.dtype)[hit]
            found[column] = _area(np.cumsum(own[hit], axis=0, dtype=own.dtype), false, total, points)
    return found


def _running(rows: Weights) -> Weights:
    """Return the sums of the first 0, 1, 2 … rows."""
    sums = np.zeros((len(rows) + 1, rows.shape[1]), dtype=rows.dtype)
    np.cumsum(rows, axis=0, out=sums[1:])
    return sums


def _area(hits: Weights, false: Weights, total: Weights, points: int) -> Weights:
    """Return the area below the precision that never rises with recall, (R,)."""
    said = hits + false
    precision = np.divide(hits, said, out=np.zeros_like(hits), where=said > 0)
    best = np.maximum.accumulate(precision[::-1], axis=0)[::-1]
    recall = hits / np.maximum(total, np.finfo(hits.dtype).tiny)
    if points == OF_OTHERS:
        own = np.diff(hits, axis=0, prepend=0)
        before = np.divide(hits - own, said - own, out=precision.copy(), where=said > own)
        return np.asarray((before * np.diff(recall, axis=0, prepend=0)).sum(axis=0))
    if points == EVERY_POINT:
        return np.asarray((best * np.diff(recall, axis=0, prepend=0)).sum(axis=0))
    reached = np.minimum(np.floor(recall * (points - 1) + _TOUCH[recall.dtype]) + 1, points)
    return np.asarray((best * np.diff(reached, axis=0, prepend=0)).sum(axis=0) / points)


def hits(table: Ranked, weights: Weights) -> Weights:
    """Return the weight of what was found, (C, T, R)."""
    found = np.zeros((table.n_classes, table.outcomes.shape[1], weights.shape[1]), dtype=weights.dtype)
    for name in range(table.n_classes):
        photo, outcomes = table.of_class(name)
        rows = np.flatnonzero((outcomes == HIT).any(axis=1))
        if rows.size:
            found[name] = (outcomes[rows] == HIT).T.astype(weights.dtype) @ weights[photo[rows]]
    return found


def recalls(table: Ranked, weights: Weights) -> Weights:
    """Return the recall of each class at each IoU, (C, T, R); NaN where nothing is to find."""
    found, sums = hits(table, weights), totals(table, weights)[:, None, :]
    return np.asarray(np.divide(found, sums, out=np.full_like(found, np.nan), where=sums > 0))
