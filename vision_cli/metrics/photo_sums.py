"""Figures of sums over photos, a class and their means, each with its interval over photos."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from vision_cli.core.detections import Ints
from vision_cli.core.measurement import Spread
from vision_cli.metrics.bootstrap import Formula, Sums
from vision_cli.metrics.intervals import Floats, Macro, Share, effective_size
from vision_cli.metrics.subject import Figures


@dataclass(frozen=True, slots=True)
class Question:
    """Figures between 0 and 1 that are functions of sums over photos.

    Attributes:
        contributions: float64 (N, M): what each photo adds to the M sums.
        formula: maps (R, M) sums to (R, V) figures; NaN where not defined.
        keys: of the V figures.
        support: int64 (V,): photos that each figure stands on.
        means: keys of figures that are means, with the keys of the classes that they are means of.
    """

    contributions: Floats
    formula: Formula
    keys: tuple[str, ...]
    support: Ints
    means: Mapping[str, tuple[str, ...]]

    def figures(self, resamples: int, rng: np.random.Generator) -> Figures:
        """Return values and spreads."""
        sums = Sums(self.contributions, self.formula)
        found = dict(zip(self.keys, sums.values().tolist(), strict=True))
        errors = sums.standard_errors(resamples, rng).tolist()
        known = {
            key: Share(found[key], effective_size(found[key], error, photos))
            for key, error, photos in zip(self.keys, errors, self.support.tolist(), strict=True)
            if np.isfinite(found[key])
        }
        spreads: dict[str, Spread] = dict(known)
        for key, parts in self.means.items():
            if key in known:
                spreads[key] = Macro(known[key], tuple((found[part], known[part]) for part in parts if part in known))
        return Figures({key: each if np.isfinite(each) else None for key, each in found.items()}, spreads)


def ratio(part: Floats, whole: Floats) -> Floats:
    """Return part by whole; NaN where there is nothing."""
    return np.asarray(np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0))


def mean(figures: Floats) -> Floats:
    """Return the mean of the classes that have a figure, (R, C) to (R, 1); NaN where none has."""
    known = np.isfinite(figures)
    return ratio(np.where(known, figures, 0).sum(axis=1, keepdims=True), known.sum(axis=1, keepdims=True))


def keys(name: str, classes: tuple[str, ...]) -> tuple[str, ...]:
    """Return the key of each class."""
    return tuple(f"{name}[{label}]" for label in classes)
