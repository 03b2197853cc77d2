"""What most people say: votes on labels, medians of values and of the boxes that are the same object."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from vision_cli.core import outline, rle
from vision_cli.labelling.answers import Answers, Floats, Ints
from vision_cli.labelling.matching import overlaps


@dataclass(frozen=True, slots=True)
class Agreed:
    """One row of the consensus.

    Attributes:
        photo: index.
        class_id: -1 without a class.
        value: NaN without one.
        box: left, top, right, bottom; None for the whole photo.
        outline: bytes of `core.outline`.
        votes: people who said so.
        of: people who answered about the photo.
    """

    photo: int
    class_id: int
    value: float
    box: Floats | None
    outline: bytes | None
    votes: int
    of: int


@dataclass(frozen=True, slots=True)
class Tie:
    """Where nobody has the most votes: nothing is written, somebody has to decide.

    Attributes:
        photo: index.
        what: in words.
        box: left, top, right, bottom of the object; None for the whole photo.
    """

    photo: int
    what: str
    box: Floats | None = None


@dataclass(frozen=True, slots=True)
class Consensus:
    """What people agree on.

    Attributes:
        rows: by photo.
        ties: what is left open.
        outvoted: objects of too few people, by photo.
    """

    rows: list[Agreed] = field(default_factory=list)
    ties: list[Tie] = field(default_factory=list)
    outvoted: Counter[int] = field(default_factory=Counter)


def consensus(answers: Answers, at: float, votes: int | None = None) -> Consensus:
    """Return the consensus of the people who answered.

    A class holds that more people chose than any other; of several classes a photo each that more than half chose; a
    value is the median. Boxes are the same object where each two of them overlap by `at`; their class is the one that
    most of them have, their box the median of the edges, their mask the pixels that more than half of them cover.

    Args:
        answers: of several people.
        at: smallest IoU of the same object.
        votes: people who must have drawn an object; more than half of those who answered when None.
    """
    found = Consensus()
    several = _several_classes(answers)
    for photo in np.flatnonzero(answers.seen.any(axis=1)).tolist():
        people = np.flatnonzero(answers.seen[photo]).tolist()
        rows = np.concatenate([answers.rows(photo, who) for who in people])
        whole = rows[np.isnan(answers.boxes[rows]).any(axis=1)]
        (_vote_several if several else _vote_one)(answers, photo, whole, len(people), found)
        _values(answers, photo, whole, len(people), found)
        needed = votes if votes is not None else len(people) // 2 + 1
        _objects(answers, photo, people, (at, needed), found)
    return found


def _several_classes(answers: Answers) -> bool:
    """Tell whether anybody gave a photo several classes."""
    rows = np.flatnonzero(~answers.placed & (answers.class_ids >= 0))
    keys = np.stack([answers.photo_ids[rows], answers.annotator_ids[rows], answers.class_ids[rows]], axis=1)
    distinct = np.unique(keys, axis=0)
    return len(np.unique(distinct[:, :2], axis=0)) < len(distinct)


def _cast(answers: Answers, rows: Ints) -> Ints:
    """Return int64 (n, 2): each person's classes, each once."""
    rows = rows[answers.class_ids[rows] >= 0]
    cast: Ints = np.unique(np.stack([answers.annotator_ids[rows], answers.class_ids[rows]], axis=1), axis=0)
    return cast


def _vote_several(answers: Answers, photo: int, rows: Ints, people: int, found: Consensus) -> None:
    """Add the classes that more than half of the people gave a photo."""
    counts = Counter(_cast(answers, rows)[:, 1].tolist())
    for each in sorted(counts):
        if 2 * counts[each] > people:
            found.rows.append(Agreed(photo, each, np.nan, None, None, counts[each], people))
        elif 2 * counts[each] == people:
            found.ties.append(Tie(photo, f"{answers.classes.names[each]} {counts[each]} of {people}"))


def _vote_one(answers: Answers, photo: int, rows: Ints, people: int, found: Consensus) -> None:
    """Add the class that more people gave a photo than any other, or none at all."""
    cast = _cast(answers, rows)
    if not len(cast):
        return
    counts = Counter(cast[:, 1].tolist())
    nothing = people - len(cast)
    most = max(*counts.values(), nothing)
    chosen = [each for each in sorted(counts) if counts[each] == most]
    if len(chosen) + (nothing == most) > 1:
        told = [f"{answers.classes.names[each]} {counts[each]}" for each in sorted(counts)]
        found.ties.append(Tie(photo, ", ".join(told + ([f"nothing {nothing}"] if nothing else []))))
    elif chosen:
        found.rows.append(Agreed(photo, chosen[0], np.nan, None, None, most, people))


def _values(answers: Answers, photo: int, rows: Ints, people: int, found: Consensus) -> None:
    said = answers.values[rows]
    said = said[~np.isnan(said)]
    if said.size:
        found.rows.append(Agreed(photo, -1, float(np.median(said)), None, None, len(said), people))


def _objects(answers: Answers, photo: int, people: list[int], rule: tuple[float, int], found: Consensus) -> None:
    at, needed = rule
    rows = np.concatenate([answers.objects(photo, who) for who in people])
    for members in clusters(answers, photo, rows, at):
        if len(members) < needed:
            found.outvoted[photo] += 1
            continue
        box = np.median(answers.boxes[members], axis=0)
        counts = Counter(answers.class_ids[members].tolist())
        most = max(counts.values())
        best = [each for each, number in counts.items() if number == most]
        if len(best) > 1:
            told = ", ".join(f"{_name(answers, each)} {counts[each]}" for each in sorted(counts))
            found.ties.append(Tie(photo, told, box))
            continue
        drawn = _common(answers, photo, members)
        if drawn is not None:
            x, y, w, h = outline.box(outline.parse(drawn))
            box = np.array([x, y, x + w, y + h])
        found.rows.append(Agreed(photo, best[0], np.nan, box, drawn, len(members), len(people)))


def _name(answers: Answers, class_id: int) -> str:
    return answers.classes.names[class_id] if class_id >= 0 else "no class"


def clusters(answers: Answers, photo: int, rows: Ints, at: float) -> Iterator[Ints]:
    """Yield rows that are one object: at most one a person, and each two overlap by `at` or more.

    Pairs are joined from the largest overlap down (complete linkage), so that the order of people does not matter.
    """
    # Equal overlaps are told apart by where boxes are, never by who drew them.
    rows = rows[np.lexsort([answers.class_ids[rows], *answers.boxes[rows].T])]
    iou = overlaps(answers, photo, rows, rows)
    who = answers.annotator_ids[rows]
    iou[who[:, None] == who[None, :]] = 0
    first, second = np.nonzero(np.triu(iou >= at, 1))
    order = np.lexsort([second, first, -iou[first, second]])
    group = list(range(len(rows)))
    members = [[place] for place in range(len(rows))]
    for one, other in zip(first[order].tolist(), second[order].tolist(), strict=True):
        left, right = group[one], group[other]
        if left == right or (iou[np.ix_(members[left], members[right])] < at).any():
            continue
        members[left] += members[right]
        for place in members[right]:
            group[place] = left
        members[right] = []
    yield from (rows[sorted(found)] for found in members if found)


def _common(answers: Answers, photo: int, members: Ints) -> bytes | None:
    """Return the pixels that more than half of the outlines cover; None where not all have one, or none is left."""
    width, height = (int(side) for side in answers.sizes[photo])
    drawn: Sequence[bytes | None] = [answers.outlines[row] for row in members.tolist()]
    if not (width and height) or any(data is None for data in drawn):
        return None
    # Down the columns, as run lengths are: +1 where an outline begins, -1 where it ends.
    steps = np.zeros(width * height + 1, dtype=np.int32)
    for data in drawn:
        starts, ends = rle.spans(outline.runs(outline.parse(data or b"[]"), width, height))
        np.add.at(steps, starts, 1)
        np.add.at(steps, ends, -1)
    mask = (2 * np.cumsum(steps[:-1]) > len(drawn)).reshape(width, height).T
    return outline.of_mask(np.asarray(mask)) if mask.any() else None
