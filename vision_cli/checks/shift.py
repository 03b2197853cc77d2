"""Checks of where the photos that judge differ from those that were learned from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from vision_cli.checks import bins
from vision_cli.checks.finding import Finding, Floats, Ids, at_images, counted, found
from vision_cli.checks.request import Mask, Request
from vision_cli.checks.spreads import brightness, colours, times_of
from vision_cli.checks.two_samples import LEVEL, ks, psi, tell_apart

FEWEST = 20
"""Photos of each split; fewer say nothing."""
KS = 0.1
"""Least distance of Kolmogorov and Smirnov worth telling, however sure it is."""
PSI = 0.1
"""Least stability index worth telling; 0.25 and more is a large shift (Siddiqi 2006)."""
AUC = 0.6
"""Least AUC worth telling, however sure it is."""

_LISTED = 50
_HINT = "Collect such photos for training, or ask whether the test set is what the model will meet."


def shift_looks(request: Request) -> list[Finding]:
    """Test whether a classifier tells the photos of a split from those of train, and name those it is surest of."""
    deep, findings = request.deep, []
    if deep is None:
        return []
    groups, rng = deep.groups[deep.rows], np.random.default_rng(int(request.settings.seed))
    sides = list(_sides(request, deep.rows))
    for name, both, second in sides:
        test = tell_apart(deep.photos[both], second, groups[both], rng)
        if test.p > LEVEL / len(sides) or test.auc < AUC:
            continue
        reason = (
            f"The photos of {name} look different from those of train: a classifier tells them apart with an AUC of "
            f"{test.auc:.2f}, where alike sets would give {test.chance_low:.2f} to {test.chance_high:.2f} "
            f"(p = {test.p:.3f}). Shown: those that look least like train."
        )
        rows = deep.rows[both][test.rows[:_LISTED]]
        where = at_images(rows, test.scores[:_LISTED])
        findings += found("shift-looks", reason, where, hint=_HINT, measure=f"logit of {name}", figure=test.auc)
    return findings


def shift_properties(request: Request) -> list[Finding]:
    """Compare brightness, sharpness, size, boxes a photo, colours, hours and classes of the splits.

    Of many questions some come out by chance: each has to pass the level divided by their number (Bonferroni).
    """
    every = np.arange(len(request.dataset))
    groups = request.deep.groups if request.deep is not None else every
    asked = [question for side in _sides(request, every) for question in _questions(request, side, groups)]
    return [finding for question in asked for finding in _answer(request, question, LEVEL / len(asked), len(asked))]


@dataclass(frozen=True, slots=True, eq=False)
class _Question:
    """Whether one property of a split is as in train.

    Attributes:
        split: its name.
        what: the property.
        values: float64 (N,) numbers, or int64 (N,) index into `names`; NaN or -1 where unknown.
        names: of shares; None for numbers.
        both: int64 (N,), rows of the photos of the split and of train.
        second: bool (N,), which of them are the split's.
        groups: int64 (N,).
    """

    split: str
    what: str
    values: Floats | Ids
    names: tuple[str, ...] | None
    both: Ids
    second: Mask
    groups: Ids

    @property
    def known(self) -> Mask:
        """Return where there is a value, bool (N,)."""
        return np.asarray(np.isfinite(self.values) if self.names is None else self.values >= 0, dtype=np.bool_)


def _questions(request: Request, side: tuple[str, Ids, Mask], groups: Ids) -> Iterator[_Question]:
    split, both, second = side
    properties: list[tuple[str, Floats | Ids, tuple[str, ...] | None]] = [
        *((what, values, None) for what, values in _numbers(request)),
        *_labels(request),
    ]
    for what, values, names in properties:
        question = _Question(split, what, values[both], names, both, second, groups[both])
        if _enough(second, question.known):
            yield question


def _answer(request: Request, question: _Question, level: float, questions: int) -> list[Finding]:
    rng, known = np.random.default_rng(int(request.settings.seed)), question.known
    values, second, groups = question.values[known], question.second[known], question.groups[known]
    if question.names is None:
        difference, least = ks(np.asarray(values, np.float64), second, groups, rng, level), KS
    else:
        labels = np.asarray(values, np.int64)
        difference, least = psi(labels, second, groups, rng, level), PSI
    if difference.p > level or difference.distance < least:
        return []
    chance = f"p = {difference.p:.5f}, {counted(questions, 'question')} asked"
    if question.names is None:
        return _number(question, difference.distance, chance)
    return _shares(question, question.names, difference.distance, chance)


def _sides(request: Request, rows: Ids) -> Iterator[tuple[str, Ids, Mask]]:
    """Yield split, places of its and the training photos, and bool which of them are its."""
    names, splits = request.split_names, request.splits[rows]
    if "train" not in names:
        return
    train = names.index("train")
    for number, name in enumerate(names):
        both = np.flatnonzero((splits == number) | (splits == train))
        second = splits[both] == number
        if number != train and min(second.sum(), (~second).sum()) >= FEWEST:
            yield name, both, second


def _numbers(request: Request) -> Iterator[tuple[str, Floats]]:
    width, height = request.image_sizes.T
    yield "pixels of a photo", np.where(width * height > 0, width * height, np.nan)
    yield "width by height", np.where(width * height > 0, width / np.maximum(height, 1), np.nan)
    if request.photos is not None:
        yield "brightness", brightness(request)
        yield "blur", request.photos.column("blur").astype(np.float64)
    if bool(request.boxes.there.any()):
        yield "boxes a photo", request.per_photo.astype(np.float64)


def _labels(request: Request) -> Iterator[tuple[str, Ids, tuple[str, ...]]]:
    found_hues = bins.hues(*colours(request))
    yield "colours", found_hues.of, found_hues.names
    hours = times_of(request)
    if hours is not None:
        yield "hours of the day", hours, tuple(f"{hour}:00" for hour in range(24))
    labels = np.flatnonzero(request.class_ids >= 0)
    first = np.full(len(request.dataset), -1, dtype=np.int64)
    first[request.rows[labels][::-1]] = request.class_ids[labels][::-1]
    yield "classes", first, request.dataset.classes.names


def _number(question: _Question, distance: float, chance: str) -> list[Finding]:
    values, second, known, what = question.values, question.second, question.known, question.what
    middles = [float(np.median(values[known & side])) for side in (~second, second)]
    spread = float(np.subtract(*np.quantile(values[known & ~second], [0.75, 0.25]))) or 1.0
    far = np.where(known & second, np.abs(values - middles[0]) / spread, -1.0)
    worst = np.argsort(-far, kind="stable")[: min(_LISTED, int((known & second).sum()))]
    reason = (
        f"{what[0].upper()}{what[1:]}: {question.split} differs from train, median {middles[1]:.4g} against "
        f"{middles[0]:.4g} (Kolmogorov-Smirnov distance {distance:.2f}, {chance}). Shown: the furthest."
    )
    where = at_images(question.both[worst], values[worst])
    return found("shift-properties", reason, where, hint=_HINT, measure=what, figure=distance)


def _shares(question: _Question, names: tuple[str, ...], distance: float, chance: str) -> list[Finding]:
    labels, second, known, what = question.values, question.second, question.known, question.what
    mine, theirs = (np.bincount(labels[known & side], minlength=len(names)) for side in (second, ~second))
    change = mine / mine.sum() - theirs / theirs.sum()
    most = int(np.abs(change).argmax())
    grown = np.flatnonzero(known & second)
    worst = grown[np.argsort(-change[labels[grown]], kind="stable")][:_LISTED]
    reason = (
        f"{what[0].upper()}{what[1:]}: the shares of {question.split} differ from those of train, most of all "
        f"{names[most]}, {mine[most] / mine.sum():.0%} against {theirs[most] / theirs.sum():.0%} (stability index "
        f"{distance:.2f}, large from 0.25; {chance}), of {counted(int(mine.sum()), 'photo')}."
    )
    return found("shift-properties", reason, at_images(question.both[worst]), hint=_HINT, figure=distance)


def _enough(second: Mask, known: Mask) -> bool:
    return bool(min((second & known).sum(), (~second & known).sum()) >= FEWEST)
