"""The check of how many more photos a class needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from vision_cli.checks.finding import Finding, at_images, found
from vision_cli.checks.intervals import Range
from vision_cli.checks.labelled import Labelled, Tagged, single, tagged
from vision_cli.checks.learning_curve import Curve, Need, curve, needed, trials
from vision_cli.checks.request import Request

FEWEST = 50
"""Things to learn from; fewer give no curve."""
_AHEAD = 12
_HINT = "Of logistic regression on a frozen backbone: training the backbone, or another, gives a curve of its own."
_HINT_OF_SEVERAL = f"At a threshold of 0.5; photos without the class grow alike. {_HINT}"


def class_needs_photos(request: Request) -> list[Finding]:
    """Say how many photos, or boxes, each class needs to reach its recall, and all together their accuracy.

    Of photos with several classes each class has a curve of its own: a classifier that says whether a photo has it, and
    the share of those that have it that it finds.
    """
    if request.deep is None:
        return []
    things = single(request, request.deep)
    if things is not None:
        return _of_one(things, request, request.deep.bounds)
    several = tagged(request, request.deep)
    return _of_several(several, request, request.deep.bounds) if len(several.has) >= FEWEST else []


def _of_one(things: Labelled, request: Request, bounds: Mapping[str, float]) -> list[Finding]:
    if len(things.classes) < FEWEST:
        return []
    rng = np.random.default_rng(int(request.settings.seed))
    tried = trials(things.embeddings, things.classes, things.groups, rng)
    noun = "boxes" if things.noun == "box" else "photos"
    findings = []
    for label, name in ((None, ""), *enumerate(things.names)):
        fitted = curve(tried, things.classes, things.groups, rng, label)
        if fitted is not None:
            findings += _said(fitted, name, noun, _bound(bounds, name, request.settings.recall))
    return [replace(each, reason=f"{each.reason}{_drawn(things, request)}") for each in findings]


def _drawn(things: Labelled, request: Request) -> str:
    """Say of boxes that not all were looked at: a curve knows those that were drawn, as if there were no others."""
    boxes = 0 if request.deep is None or things.noun != "box" else request.deep.boxes
    drawn = 0 if request.deep is None else len(request.deep.crop_rows)
    if boxes <= drawn:
        return ""
    return f" Of {drawn:,} boxes drawn of {boxes:,}, every class alike as far as it goes (--set crops=NUMBER)."


def _of_several(things: Tagged, request: Request, bounds: Mapping[str, float]) -> list[Finding]:
    findings: list[Finding] = []
    for column, name in enumerate(things.names):
        rng = np.random.default_rng(int(request.settings.seed))
        has = things.has[:, column].astype(np.int64)
        tried = trials(things.embeddings, has, things.groups, rng)
        fitted = curve(tried, has, things.groups, rng, label=1)
        if fitted is not None:
            told = _said(fitted, name, "photos", _bound(bounds, name, request.settings.recall))
            findings += told if findings else [replace(each, hint=_HINT_OF_SEVERAL) for each in told]
    return findings


def _bound(bounds: Mapping[str, float], name: str, otherwise: float) -> float:
    return bounds.get(name, otherwise)


def _said(fitted: Curve, name: str, noun: str, bound: float) -> list[Finding]:
    need: Need = needed(fitted, bound)
    what = f"Recall of `{name}`" if name else "Accuracy"
    now, twice = fitted.at(fitted.available), fitted.at(2 * fitted.available)
    reason = (
        f"{what}: {fitted.available:,.0f} {noun} give {now.percent()}, twice as many would give {twice.percent()}. "
        f"For {bound:.3g}: {need.why.replace('photos', noun)}."
    )
    told = found(
        "class-needs-photos", reason, at_images(()), hint="" if name else _HINT, figure=now.value, measure="recall"
    )
    return [replace(each, details=_details(fitted, need, (name, noun))) for each in told]


def _details(fitted: Curve, need: Need, names: tuple[str, str]) -> dict[str, Any]:
    """Return the curve and the answer; `photos` is null where it cannot be told."""
    name, noun = names
    ahead = np.geomspace(max(float(fitted.photos[0]), 1.0), 2 * fitted.available, _AHEAD)
    return {
        "class": name or None,
        "unit": noun,
        "available": fitted.available,
        "bound": need.bound,
        "photos": need.photos and {"value": need.photos.value, "low": need.photos.low, "high": need.photos.high},
        "answer": need.why,
        "error": dict(zip(("scale", "power", "floor"), fitted.parameters.tolist(), strict=True)),
        "measured": [list(point) for point in zip(fitted.photos.tolist(), fitted.recalls.tolist(), strict=True)],
        "expected": [[float(photos), *_ends(fitted.at(float(photos)))] for photos in ahead],
    }


def _ends(range_: Range) -> tuple[float, float, float]:
    return range_.value, range_.low, range_.high
