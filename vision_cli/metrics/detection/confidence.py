"""Decisions at a confidence: what is said, found and missed, and which confidence is best."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vision_cli.core.detections import Bools, Detections, Floats, Ints, Truth
from vision_cli.core.errors import DataError
from vision_cli.metrics.detection.evaluator import FALSE, HIT, Judged, Kind, Matching, evaluate

DEFAULT_CONFIDENCE = 0.5
IOU = 0.5
_FEWEST_OBJECTS = 30
"""A class with fewer objects gets the confidence of all together, if that leaves any: its own would be chance."""


@dataclass(frozen=True, slots=True, eq=False)
class Decisions:
    """What counts at the declared confidences, at IoU 0.5.

    Attributes:
        hits: int64 rows of detections that found an object.
        false: int64 rows of detections that found none.
        missed: int64 rows of objects that nothing found.
        wanted: int64 rows of objects to find.
        thresholds: float64 (C,).
    """

    hits: Ints
    false: Ints
    missed: Ints
    wanted: Ints
    thresholds: Floats


def decide(judged: Judged, matching: Matching, thresholds: Floats) -> Decisions:
    """Keep the detections at or above their class's confidence.

    A class's detections are matched in the order of their scores, so those above a threshold are matched as if there
    were no others.
    """
    said = judged.detections
    kept = said.scores >= thresholds[said.class_id]
    hits, wanted = np.flatnonzero(kept & (matching.outcomes == HIT)), judged.to_find()
    found = np.zeros(len(judged.truth), dtype=np.bool_)
    found[matching.partners[hits]] = True
    false, missed = kept & (matching.outcomes == FALSE), wanted & ~found
    return Decisions(hits, np.flatnonzero(false), np.flatnonzero(missed), np.flatnonzero(wanted), thresholds)


def thresholds_of(declared: tuple[float, ...], n_classes: int) -> Floats:
    """Return float64 (C,): one confidence for all classes, or one each.

    Raises:
        DataError: neither one nor as many as classes, or not between 0 and 1.
    """
    found = np.array(declared or (DEFAULT_CONFIDENCE,), dtype=np.float64)
    if found.shape not in ((1,), (n_classes,)) or not ((found >= 0) & (found <= 1)).all():
        raise DataError(f"expected one confidence, or {n_classes}, between 0 and 1, got {list(declared)}.")
    return np.broadcast_to(found, (n_classes,)).copy()


def choose(
    truth: Truth, detections: Detections, n_classes: int, *, kind: Kind = "boxes", per_class: bool = False
) -> tuple[float, ...]:
    """Return the confidence at which F1 is best: one for all classes, or one each. For the validation split only.

    It lies in the middle between the last score that is kept and the first that is not. With nothing to find or
    nothing found it is 0.5.

    Args:
        truth: of the validation photos; a confidence that is chosen on test photos flatters the model.
        detections: in them, down to low scores.
        n_classes: C.
        kind: what overlaps.
        per_class: choose for each class that has 30 objects or more; the others get the common one, but where that
            would leave nothing of what they found: then their own, too.

    Raises:
        DataError: see `Detections.check`.
    """
    judged = evaluate(truth, detections, n_classes, kind=kind)
    outcome, wanted = judged.matching().outcomes, judged.to_find()
    scores, names = detections.scores, detections.class_id
    common = best_confidence(scores[outcome > 0], outcome[outcome > 0] == HIT, int(wanted.sum()))
    if not per_class:
        return (common,)
    found = []
    for name, number in enumerate(np.bincount(truth.class_id[wanted], minlength=n_classes).tolist()):
        own = (names == name) & (outcome > 0)
        hits = outcome[own] == HIT
        silenced = bool(hits.any()) and float(scores[own][hits].max()) < common
        chance = number < _FEWEST_OBJECTS and not silenced
        found.append(common if chance else best_confidence(scores[own], hits, number))
    return tuple(found)


def best_confidence(scores: Floats, is_hit: Bools, wanted: int) -> float:
    """Return the confidence of the best F1, 2 TP / (said + wanted).

    Args:
        scores: float64 (D,), of detections that count.
        is_hit: bool (D,).
        wanted: number of objects to find.
    """
    if not is_hit.any() or not wanted:
        return DEFAULT_CONFIDENCE
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    f1 = 2 * np.cumsum(is_hit[order]) / (np.arange(1, len(ranked) + 1) + wanted)
    f1[:-1][ranked[:-1] == ranked[1:]] = -1  # Equal scores are kept or dropped together.
    last = int(f1.argmax())
    below = float(ranked[last + 1]) if last + 1 < len(ranked) else 0.0
    return (float(ranked[last]) + below) / 2
