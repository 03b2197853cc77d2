"""How far people agree about boxes and masks: objects matched by IoU, one to one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vision_cli.labelling.answers import Answers, Floats, Ints
from vision_cli.labelling.matching import match, overlaps


@dataclass(frozen=True, slots=True)
class Meeting:
    """Two people's objects of one photo.

    Attributes:
        photo: index.
        one: index of an annotator.
        other: index of another.
        first: int64 (n,), rows of the one.
        second: int64 (m,), rows of the other.
        pairs: int64 (k, 2), rows that are the same object.
        ious: float64 (k,).
    """

    photo: int
    one: int
    other: int
    first: Ints
    second: Ints
    pairs: Ints
    ious: Floats


@dataclass(frozen=True, slots=True)
class Tally:
    """Sums over meetings.

    Attributes:
        objects: that both drew, added up.
        matched: pairs of the same place.
        same_class: pairs of the same place and class.
        iou: added up over the matched pairs.
        meetings: photos that two people share.
    """

    objects: int
    matched: int
    same_class: int
    iou: float
    meetings: int

    @property
    def f1(self) -> float | None:
        """Return the share of objects that the other drew as well, at the same place with the same class."""
        return 2 * self.same_class / self.objects if self.objects else None

    @property
    def found(self) -> float | None:
        """Return the share of objects that the other drew at the same place, whatever the class."""
        return 2 * self.matched / self.objects if self.objects else None

    @property
    def class_agreement(self) -> float | None:
        """Return the share of matched objects with the same class."""
        return self.same_class / self.matched if self.matched else None

    @property
    def mean_iou(self) -> float | None:
        """Return the mean IoU of the matched objects."""
        return self.iou / self.matched if self.matched else None

    def as_json(self) -> dict[str, float | int | None]:
        """Return sums and figures."""
        return {
            "f1": self.f1,
            "found": self.found,
            "class_agreement": self.class_agreement,
            "mean_iou": self.mean_iou,
            "objects": self.objects,
            "matched": self.matched,
            "photos": self.meetings,
        }


def meetings(answers: Answers, at: float) -> list[Meeting]:
    """Match the objects of each two people who answered about the same photo.

    Args:
        answers: of several people.
        at: smallest IoU of the same object.
    """
    return [meeting(answers, at, *who) for who in answers.meetings()]


def meeting(answers: Answers, at: float, photo: int, one: int, other: int) -> Meeting:
    """Match two people's objects of one photo."""
    first, second = answers.objects(photo, one), answers.objects(photo, other)
    iou = overlaps(answers, photo, first, second)
    pairs = match(iou, at, answers.class_ids[first][:, None] == answers.class_ids[second][None, :])
    rows = np.stack([first[pairs[:, 0]], second[pairs[:, 1]]], axis=1)
    return Meeting(photo, one, other, first, second, rows, iou[pairs[:, 0], pairs[:, 1]])


def tally(answers: Answers, met: Sequence[Meeting]) -> Tally:
    """Add up meetings."""
    return Tally(
        sum(len(each.first) + len(each.second) for each in met),
        sum(len(each.pairs) for each in met),
        sum(int(_same(answers, each).sum()) for each in met),
        float(sum(each.ious.sum() for each in met)),
        len(met),
    )


def _same(answers: Answers, each: Meeting) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    classes = answers.class_ids[each.pairs]
    return np.asarray(classes[:, 0] == classes[:, 1])


def of_class(answers: Answers, met: Sequence[Meeting], class_id: int) -> Tally:
    """Add up the objects of one class: matched is who drew the same place, whatever the other called it."""
    objects = matched = same = 0
    iou = 0.0
    for each in met:
        rows = np.concatenate([each.first, each.second])
        objects += int((answers.class_ids[rows] == class_id).sum())
        classes = answers.class_ids[each.pairs]
        both = (classes == class_id).all(axis=1)
        matched += int((classes == class_id).any(axis=1).sum())
        same += int(both.sum())
        iou += float(each.ious[(classes == class_id).any(axis=1)].sum())
    return Tally(objects, matched, same, iou, len(met))


def by_photo(answers: Answers, met: Sequence[Meeting]) -> Floats:
    """Return float64 (N, 2): twice the objects that two people agree on, and all objects, of each photo."""
    sums = np.zeros((len(answers.photos), 2))
    for each in met:
        sums[each.photo] += 2 * int(_same(answers, each).sum()), len(each.first) + len(each.second)
    return sums


def matched_classes(answers: Answers, met: Sequence[Meeting]) -> Ints:
    """Return int64 (k, 2): both classes of each matched pair."""
    return np.concatenate([np.empty((0, 2), np.int64), *(answers.class_ids[each.pairs] for each in met)])
