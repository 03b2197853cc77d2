"""What keeps the AP at IoU 0.5 down, by kinds of error (TIDE: Bolya et al. 2020, ECCV, arXiv:2008.08115).

A false detection is of the first kind that fits: background (it overlaps nothing by 0.1), location (an object of its
class by 0.1 to 0.5), class (one of another class by 0.5), duplicate (one of its class that is already found), both (one
of another class by 0.1 to 0.5). An object that nothing finds is missed, unless a location or class error covers it. The
cost of a kind is by how much AP would rise if it alone were put right: a location or class error becomes a hit where
its object is free, the others go, missed objects are no longer looked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from vision_cli.core.detections import Bools, Floats, Ints
from vision_cli.metrics.detection.evaluator import FALSE, HIT, IGNORED, Judged, Matching
from vision_cli.metrics.detection.pairs import Pairs
from vision_cli.metrics.detection.ranked import Ranked, rank

BACKGROUND_IOU, IOU = 0.1, 0.5
KINDS = ("class", "location", "both", "duplicate", "background", "missed")


@dataclass(frozen=True, slots=True, eq=False)
class Errors:
    """Every error and its kind.

    Attributes:
        kinds: int64 (N,): index into KINDS of each false detection, -1 for others.
        objects: int64 (N,): the object that a location or class error is about, -1 for others.
        missed: int64 rows of the objects that are missed.
    """

    kinds: Ints
    objects: Ints
    missed: Ints

    def counts(self) -> Mapping[str, int]:
        """Return how often each kind occurs."""
        found = {kind: int((self.kinds == index).sum()) for index, kind in enumerate(KINDS)}
        return {**found, "missed": len(self.missed)}


def errors(judged: Judged, matching: Matching, overlaps: Pairs) -> Errors:
    """Tell the kind of each error.

    Args:
        judged: the evaluation; at most 100 detections a class and photo are looked at.
        matching: of it.
        overlaps: of 0.1 or more.
    """
    said, truth, number = judged.detections, judged.truth, len(judged.detections)
    false, found = matching.outcomes == FALSE, _taken(judged, matching)
    real = overlaps.where(~truth.ignored[overlaps.true] & false[overlaps.said])
    same = said.class_id[real.said] == truth.class_id[real.true]
    (own, own_object), (other, other_object) = real.where(same).best(number), real.where(~same).best(number)
    duplicate, _ = real.where(same & found[real.true]).best(number)
    chosen = [
        (np.maximum(own, other) < BACKGROUND_IOU, "background"),
        ((own >= BACKGROUND_IOU) & (own < IOU), "location"),
        (other >= IOU, "class"),
        (duplicate >= IOU, "duplicate"),
        (np.ones(number, dtype=np.bool_), "both"),
    ]
    kinds = np.select([where for where, _ in chosen], [KINDS.index(kind) for _, kind in chosen])
    kinds = np.where(false, kinds, -1)
    objects = np.where(kinds == KINDS.index("location"), own_object, -1)
    objects = np.where(kinds == KINDS.index("class"), other_object, objects)
    covered = np.zeros(len(truth), dtype=np.bool_)
    covered[objects[objects >= 0]] = True
    return Errors(kinds, objects, np.flatnonzero(judged.to_find() & ~found & ~covered))


def rankings(judged: Judged, matching: Matching, found: Errors) -> dict[str, Ranked]:
    """Return the detections as they would rank with each kind of error put right."""
    said, truth = judged.detections, judged.truth
    wanted, taken = judged.to_find(), _taken(judged, matching)
    fixed = {}
    for index, kind in enumerate(KINDS):
        names, own, left = said.class_id.copy(), matching.outcomes.copy(), wanted.copy()
        mine = np.flatnonzero(found.kinds == index)
        own[mine] = IGNORED
        if kind in ("class", "location"):
            hits = _first(found.objects, mine[~taken[found.objects[mine]]], said.scores)
            own[hits], names[hits] = HIT, truth.class_id[found.objects[hits]]
        if kind == "missed":
            left[found.missed] = False
        ranked = (names, said.photo, said.scores, own[:, None])
        fixed[kind] = rank(judged.n_classes, ranked, (truth.class_id[left], truth.photo[left]))
    return fixed


def _taken(judged: Judged, matching: Matching) -> Bools:
    """Return bool (M,): the objects that were found."""
    taken = np.zeros(len(judged.truth), dtype=np.bool_)
    taken[matching.partners[matching.partners >= 0]] = True
    return taken


def _first(objects: Ints, rows: Ints, scores: Floats) -> Ints:
    """Return the row of the highest score for each object."""
    ordered = rows[np.lexsort((rows, -scores[rows], objects[rows]))]
    return np.asarray(ordered[np.flatnonzero(np.diff(objects[ordered], prepend=-2))], dtype=np.int64)
