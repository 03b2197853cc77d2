"""How far answers match a gold standard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from vision_cli.labelling import labels
from vision_cli.labelling.answers import Answers, Floats
from vision_cli.labelling.places import meeting

GOLD = 0
"""The index of the annotator that is the gold standard."""


@dataclass(frozen=True, slots=True)
class Score:
    """One person's answers about gold photos, a row a photo that both answered.

    Attributes:
        photos: int64 (P,), index.
        hits: float64 (P,), objects at a gold object's place with its class.
        drawn: float64 (P,), objects.
        gold: float64 (P,), gold objects.
        matched: float64 (P,), objects at a gold object's place, whatever the class.
        iou: float64 (P,), added up over the matched.
        hits_of: float64 (P, C), hits by class; `drawn_of` and `gold_of` likewise.
        drawn_of: see `hits_of`.
        gold_of: see `hits_of`.
        right: float64 (P,), 1 where the photo's own labels are the gold's; NaN where gold says none.
        errors: float64 (P,), value minus the gold's; NaN without.
    """

    photos: NDArray[np.int64]
    hits: Floats
    drawn: Floats
    gold: Floats
    matched: Floats
    iou: Floats
    hits_of: Floats
    drawn_of: Floats
    gold_of: Floats
    right: Floats
    errors: Floats


def score(answers: Answers, who: int, at: float) -> Score:
    """Compare one person with the gold standard, which is the first annotator.

    Args:
        answers: of the gold standard and others.
        who: index of an annotator.
        at: smallest IoU of the same object.
    """
    photos = np.flatnonzero(answers.seen[:, GOLD] & answers.seen[:, who])
    number = len(answers.classes)
    plain = np.zeros((len(photos), 5))
    by_class = np.zeros((3, len(photos), number))
    for place, photo in enumerate(photos.tolist()):
        met = meeting(answers, at, photo, GOLD, who)
        classes = answers.class_ids[met.pairs]
        same = classes[classes[:, 0] == classes[:, 1], 0]
        plain[place] = len(same), len(met.second), len(met.first), len(met.pairs), met.ious.sum()
        for row, ids in enumerate((same, answers.class_ids[met.second], answers.class_ids[met.first])):
            by_class[row, place] = np.bincount(ids[ids >= 0], minlength=number)
    hits, drawn, gold, matched, iou = plain.T
    right, errors = _right(answers, who)[photos], _errors(answers, who)[photos]
    return Score(photos, hits, drawn, gold, matched, iou, by_class[0], by_class[1], by_class[2], right, errors)


def pooled(scores: Sequence[Score]) -> Score:
    """Return several people's answers as one: a row a person and photo."""
    joined = [np.concatenate([getattr(each, item.name) for each in scores]) for item in fields(Score)]
    return Score(*joined)


def _right(answers: Answers, who: int) -> Floats:
    chosen = labels.labels(answers)
    if chosen is None:
        return np.full(len(answers.photos), np.nan)
    gold = chosen.chosen[:, GOLD]
    says = (gold >= 0) & (np.array([*chosen.categories, ""])[gold] != labels.NOTHING)
    return np.where(says, (chosen.chosen[:, who] == gold).astype(np.float64), np.nan)


def _errors(answers: Answers, who: int) -> Floats:
    found = labels.values(answers)
    return np.full(len(answers.photos), np.nan) if found is None else np.asarray(found[:, who] - found[:, GOLD])
