"""Checks by embeddings: nearly the same photos, how varied a set is, photos like no other."""

from __future__ import annotations

import numpy as np

from vision_cli.checks import neighbours, variety
from vision_cli.checks.embedded import Embedded
from vision_cli.checks.finding import Finding, at_images, counted, found
from vision_cli.checks.labelled import Labelled, single
from vision_cli.checks.neighbours import Neighbours
from vision_cli.checks.request import Request

_CENTRAL = 20
_FEWEST_OF_CLASS = 10
_UNIFORM = 0.5
_ACROSS = "Crops, mirrored copies or edits: keep them on one side of the split."
_WITHIN = "Look at them: crops, mirrored copies or edits add little."


def photo_alike_embedding(request: Request) -> list[Finding]:
    """Find photos of one split that are nearly the same by their embeddings and not by their hashes."""
    return _neighbours(request, "photo-alike-embedding", across=False)


def leak_alike_embedding(request: Request) -> list[Finding]:
    """Find photos that by their embeddings are nearly the same as a photo of another split."""
    return _neighbours(request, "leak-alike-embedding", across=True)


def _neighbours(request: Request, check: str, *, across: bool) -> list[Finding]:
    deep = request.deep
    if deep is None or (pairs := request.neighbours) is None:
        return []
    rows = deep.rows[pairs.pairs]
    splits = request.splits[rows]
    kept = (splits[:, 0] != splits[:, 1]) & (splits >= 0).all(axis=1)
    kept = kept if across else ~kept
    rows, similarity = rows[kept], pairs.similarities[kept]
    # The offender is the later one; across splits the one that judges: splits are numbered train, val, test.
    if across:
        order = np.argsort(request.splits[rows], axis=1, kind="stable")
        rows = np.take_along_axis(rows, order, axis=1)
    where = at_images(rows[:, 1], similarity, partners=rows[:, 0])
    told = f"{counted(len(rows), 'pair')} {_sides(across)} nearly the same to the backbone {deep.backbone}"
    reason = f"{told}, and not by their hash: {_false(pairs)}"
    return found(check, reason, where, hint=_ACROSS if across else _WITHIN, measure="similarity")


def _sides(across: bool) -> str:
    return "on both sides of a split are" if across else "within a split are"


def _false(pairs: Neighbours) -> str:
    cut = "" if pairs.complete else " The search stopped at a million pairs."
    alarms = f"{pairs.false_alarms:.1f}" if pairs.false_alarms >= 0.05 else "fewer than 0.1"
    of = f"{alarms} of all {len(pairs.pairs):,} such pairs"
    return f"similarity {pairs.threshold:.3f} or more; {of} are expected to be false alarms.{cut}"


def near(deep: Embedded, seed: int) -> Neighbours | None:
    """Return the nearly same pairs of photos; those of one group or with near hashes are known already."""
    return neighbours.near_duplicates(deep.photos, deep.groups[deep.rows], np.random.default_rng(seed))


def variety_looks(request: Request) -> list[Finding]:
    """Say how varied the photos are, and whether more of the same would add anything."""
    if request.deep is None or len(request.deep.rows) < neighbours.FEWEST:
        return []
    of = variety.variety(request.deep.photos, np.random.default_rng(int(request.settings.seed)))
    reason = (
        f"{counted(of.photos, 'photo')} are as varied as {of.score:.0f} that have nothing in common (Vendi score); "
        f"half of them score {of.half:.0f}. Twice the photos made the set {of.growth:.2f} times as varied: near 2 each "
        "photo is new, near 1 more of the same adds nothing."
    )
    return found("variety-looks", reason, at_images(()), figure=of.score)


def variety_class(request: Request) -> list[Finding]:
    """Find classes whose photos, or boxes, are much more alike than those of the other classes."""
    things = None if request.deep is None else single(request, request.deep)
    if things is None:
        return []
    rng = np.random.default_rng(int(request.settings.seed))
    scores = variety.class_varieties(things.embeddings, things.classes, _FEWEST_OF_CLASS, rng)
    middle = float(np.median(list(scores.values()))) if scores else 0.0
    scarce = [label for label, score in scores.items() if score < _UNIFORM * middle]
    return [finding for label in scarce for finding in _uniform(things, label, scores[label], middle)]


def _uniform(things: Labelled, label: int, score: float, middle: float) -> list[Finding]:
    rows = np.flatnonzero(things.classes == label)
    unit = neighbours.Space.of(things.embeddings)[rows]
    typical = unit @ unit.mean(axis=0)
    best = np.argsort(-typical, kind="stable")[:_CENTRAL]
    reason = (
        f"`{things.names[label]}` is as varied as {score:.1f} of its kind that have nothing in common; the classes of "
        f"this set have {middle:.1f} at the same number. Shown: the most typical."
    )
    hint = "Collect it in other places, of other makes, at other times."
    measure = "likeness to the class's mean"
    return found(
        "variety-class", reason, things.places(rows[best], typical[best]), hint=hint, measure=measure, figure=score
    )


def photo_unusual(request: Request) -> list[Finding]:
    """Find photos that are like no other of the set."""
    deep = request.deep
    if deep is None or len(deep.rows) < neighbours.FEWEST:
        return []
    distance = variety.loneliness(deep.photos, np.random.default_rng(int(request.settings.seed)))
    rows = variety.outlying(distance)
    reason = (
        f"{counted(len(rows), 'photo')} of {len(deep.rows):,} are further from their fifth nearest than Tukey's fence: "
        "foreign to the set, or the only ones of their kind."
    )
    hint = "Throw out what does not belong; collect more of what does."
    return found(
        "photo-unusual", reason, at_images(deep.rows[rows], distance[rows]), hint=hint, measure="distance, 0 to 2"
    )
