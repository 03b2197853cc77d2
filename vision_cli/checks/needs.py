"""The check of how many more photos a class needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from vision_cli.checks.finding import Finding, at_images, found
from vision_cli.checks.intervals import Range
from vision_cli.checks.labelled import single
from vision_cli.checks.learning_curve import Curve, Need, curve, needed, trials
from vision_cli.checks.request import Request

FEWEST = 50
"""Things to learn from; fewer give no curve."""
_DRAWN = 12
_HINT = "Of logistic regression on a frozen backbone: training the backbone, or another, gives a curve of its own."


def class_needs_photos(request: Request) -> list[Finding]:
    """Say how many photos, or boxes, each class needs to reach its recall, and all together their accuracy."""
    things = None if request.deep is None else single(request, request.deep)
    if things is None or request.deep is None or len(things.classes) < FEWEST:
        return []
    rng = np.random.default_rng(int(request.settings.seed))
    tried = trials(things.embeddings, things.classes, things.groups, rng)
    noun = "boxes" if things.noun == "box" else "photos"
    findings = []
    for label, name in ((None, ""), *enumerate(things.names)):
        fitted = curve(tried, things.classes, things.groups, rng, label)
        if fitted is not None:
            findings += _said(fitted, name, noun, _bound(request.deep.bounds, name, request.settings.recall))
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
    ahead = np.geomspace(max(float(fitted.photos[0]), 1.0), 2 * fitted.available, _DRAWN)
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
