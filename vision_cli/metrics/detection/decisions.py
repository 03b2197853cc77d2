"""Precision, recall and F1 at the declared confidence: macro, micro and a class.

Conventions as for `classify` (`metrics/decisions.py`): a class without objects in the photos has none of them, and the
macro averages leave it out; but a class that is never said has a precision of 0, so that no detections measure 0.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from vision_cli.metrics.detection.ranked import Weights

NAMES = ("precision", "recall", "f1")


def by_class(sums: Mapping[str, Weights]) -> dict[str, Weights]:
    """Return precision, recall and F1 of each class, (C, R), from `hits`, `said` and `wanted`; NaN without objects."""
    hits, said, wanted = sums["hits"], sums["said"], sums["wanted"]
    shares = (ratio(hits, said), ratio(hits, wanted), ratio(2 * hits, said + wanted))
    return {name: np.where(wanted > 0, share, np.nan) for name, share in zip(NAMES, shares, strict=True)}


def micro(sums: Mapping[str, Weights]) -> dict[str, Weights]:
    """Return `precision_micro` … over all classes together, (1, R)."""
    whole = {name: each.sum(axis=0, keepdims=True) for name, each in sums.items()}
    return {f"{name}_micro": each for name, each in by_class(whole).items()}


def ratio(part: Weights, whole: Weights) -> Weights:
    """Return part by whole, 0 where there is nothing."""
    return np.asarray(np.divide(part, whole, out=np.zeros_like(part), where=whole > 0))


def mean(by_class: Weights) -> Weights:
    """Return the mean over the classes that have a figure, (1, R); NaN where none has."""
    known = np.isfinite(by_class)
    number = known.sum(axis=0, keepdims=True)
    sums = np.where(known, by_class, 0).sum(axis=0, keepdims=True)
    return np.asarray(np.divide(sums, number, out=np.full_like(sums, np.nan), where=number > 0))
