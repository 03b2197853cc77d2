"""Figures of `regress`, in the labels' unit."""

from __future__ import annotations

import numpy as np

from vision_cli.core.measurement import Spread
from vision_cli.metrics.bootstrap import Sums
from vision_cli.metrics.intervals import Floats, Percentile
from vision_cli.metrics.subject import Figures, Subject

KEYS = ("mae", "rmse", "r2")


def measure(subject: Subject) -> Figures:
    """Measure errors and R²; the largest error has no interval, for no resample can exceed it."""
    truth = subject.truth.astype(np.float64)
    errors = np.abs(subject.scores[:, 0] - truth)
    sums = Sums(contributions(truth, errors), formula)
    values = {key: float(each) if np.isfinite(each) else None for key, each in zip(KEYS, sums.values(), strict=True)}
    values |= {"median_absolute_error": float(np.median(errors)), "max_error": float(errors.max())}
    spreads: dict[str, Spread] = {"median_absolute_error": Percentile(np.sort(errors), 0.5)}
    found = zip(KEYS, sums.spreads(subject.resamples, subject.rng()), strict=True)
    spreads |= {key: spread for key, spread in found if spread is not None}
    return Figures(values, spreads, _warnings(values["r2"]))


def contributions(truth: Floats, errors: Floats) -> Floats:
    """Return (N, 5): 1, |e|, e², y, y², with y measured from its mean to keep digits."""
    centred = truth - truth.mean()
    return np.stack([np.ones_like(truth), errors, errors**2, centred, centred**2], axis=1)


def formula(sums: Floats) -> Floats:
    """Map `contributions` added up, (R, 5), to KEYS, (R, 3)."""
    n, absolute, squared, first, second = sums.T
    variation = second - first**2 / n
    is_flat = variation <= 1e-12 * np.maximum(second, 1e-300)
    unexplained = np.divide(squared, variation, out=np.full_like(squared, np.nan), where=~is_flat)
    return np.stack([absolute / n, np.sqrt(np.maximum(squared, 0) / n), 1 - unexplained], axis=1)


def _warnings(r2: float | None) -> tuple[str, ...]:
    return () if r2 is not None else ("every photo has the same value: R² is not defined.",)
