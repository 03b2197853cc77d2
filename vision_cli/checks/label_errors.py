"""The check of labels that a classifier, which did not learn from them, doubts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vision_cli.checks.confident import doubts, share_interval
from vision_cli.checks.embedded import Embedded, groups_of
from vision_cli.checks.finding import Finding, Offenders, counted, found
from vision_cli.checks.intervals import Floats, Ids, Range, share_range
from vision_cli.checks.labelled import Labelled, Tagged, single, tagged
from vision_cli.checks.out_of_fold import out_of_fold, scaled
from vision_cli.checks.request import Request

_HINT = "Look at them from the top: about half are right in sets that were tried; correct those that are wrong."
_MEASURE = "confidence in the suggested class"
_LISTED = 5


def label_doubtful(request: Request) -> list[Finding]:
    """Find labels that are probably wrong, the most doubtful first, and estimate how many there are.

    By the answers that the request has, or else by those of a classifier on embeddings.
    """
    rng = np.random.default_rng(int(request.settings.seed))
    if request.answers is not None:
        return _of_answers(request, request.answers, rng)
    if request.deep is None:
        return []
    one = single(request, request.deep)
    if one is not None:
        return _of_one(one, request.deep.boxes, rng)
    several = tagged(request, request.deep)
    return _of_several(several, rng) if several.names else []


def _of_answers(request: Request, answers: Floats, rng: np.random.Generator) -> list[Finding]:
    """Judge photos of one class each that have answers."""
    rows = np.flatnonzero(np.isfinite(answers).all(axis=1))
    none = np.empty(0, dtype=np.int64)
    empty = np.empty((len(rows), 0), dtype=np.float32)
    deep = Embedded(rows, empty, groups_of(request), none, empty[:0], 0, "")
    things = single(request, deep)
    if things is None:
        return []
    columns = [request.dataset.classes.names.index(name) for name in things.names]
    probabilities = answers[things.images][:, columns]
    totals = np.maximum(probabilities.sum(axis=1, keepdims=True), 1e-12)
    return _of_one(things, 0, rng, probabilities / totals)


def _of_one(
    things: Labelled, boxes: int, rng: np.random.Generator, probabilities: Floats | None = None
) -> list[Finding]:
    if probabilities is None:
        probabilities = out_of_fold(scaled(things.embeddings), things.classes, things.groups, rng)
    found_doubts = doubts(probabilities, things.classes)
    share = share_interval(probabilities, things.classes, things.groups, rng)
    right = float((probabilities.argmax(axis=1) == things.classes).mean())
    rows, suggested = found_doubts.rows, found_doubts.suggested
    words = tuple(things.names[label] for label in suggested.tolist())
    where = replace(things.places(rows, probabilities[rows, suggested]), suggestions=words)
    of = f"{counted(len(things.classes), things.noun)}"
    drawn = (
        f" drawn of {boxes:,}, every class alike as far as it goes,"
        if things.noun == "box" and len(things.classes) < boxes
        else ""
    )
    few = f" Too few to judge: {', '.join(things.left_out[:_LISTED])}." if things.left_out else ""
    number = f"{counted(len(rows), 'label')} of {of}{drawn}"
    return _said(where, number, share, right, few)


def _of_several(things: Tagged, rng: np.random.Generator) -> list[Finding]:
    """Judge each class by itself: has it or not."""
    rows, values, words, margins, wrong, variance = [], [], [], [], 0.0, 0.0
    right, embeddings = [], scaled(things.embeddings)
    for column, name in enumerate(things.names):
        has = things.has[:, column].astype(np.int64)
        probabilities = out_of_fold(embeddings, has, things.groups, rng)
        one = doubts(probabilities, has)
        share = share_interval(probabilities, has, things.groups, rng)
        rows.append(one.rows)
        margins.append(one.margins)
        values.append(probabilities[one.rows, one.suggested])
        words += [f"{'has' if label else 'lacks'} {name}" for label in one.suggested.tolist()]
        wrong, variance = wrong + share.value, variance + ((share.high - share.low) / 3.92) ** 2
        right.append(float((probabilities.argmax(axis=1) == has).mean()))
    number = len(things.names)
    share = share_range(wrong / number, float(np.sqrt(variance)) / number, float(things.has.size))
    where = _ranked(things, (np.concatenate(rows), np.concatenate(values), np.concatenate(margins)), words)
    of = f"{things.has.size:,} ({len(things.has):,} photos x {counted(number, 'class')})"
    return _said(where, f"{counted(len(where), 'label')} of {of}", share, float(np.mean(right)), "")


def _ranked(things: Tagged, columns: tuple[Ids, Floats, Floats], words: list[str]) -> Offenders:
    rows, values, margins = columns
    order = np.lexsort((np.arange(len(rows)), margins))
    ranked = tuple(words[place] for place in order.tolist())
    return replace(things.places(rows[order], values[order]), suggestions=ranked)


def _said(where: Offenders, number: str, share: Range, right: float, few: str) -> list[Finding]:
    reason = (
        f"{number} are doubtful; confident learning puts the share of wrong labels at {share.percent()}. The "
        f"classifier that doubts them agrees with {right:.0%} of the labels; where it is weak it doubts right labels, "
        f"too, and the share is too high.{few}"
    )
    if not len(where):
        return []
    told = found("label-doubtful", reason, where, hint=_HINT, measure=_MEASURE, figure=share.value)
    details = {"share": share.value, "low": share.low, "high": share.high, "agreement": right}
    return [replace(each, details=details) for each in told]
