"""Precision, recall and F1: macro, micro and a class.

Conventions, each of them said in a warning when it matters:

- A class without test photos has no precision, recall and F1, and the macro averages leave it out.
- A class that has photos and is never predicted has no precision of its own; in the macro precision it counts as 0, as
  its recall and F1 do. (scikit-learn: `labels=` the classes in the truth, `zero_division=0`.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from vision_cli.core.measurement import Spread
from vision_cli.metrics.bootstrap import Counts, standard_errors
from vision_cli.metrics.intervals import Floats, FScore, Macro, Share, effective_size
from vision_cli.metrics.subject import Figures, Subject

_MEANS = ("precision", "recall", "f1")
_MICROS = ("precision_micro", "recall_micro", "f1_micro")
_MOST_NAMES = 10


@dataclass(frozen=True, slots=True)
class Tally:
    """Decisions a class, for R resamples at once.

    Attributes:
        hits: float64 (R, C): photos that have the class and got it, TP.
        predicted: float64 (R, C): photos that got it, TP + FP.
        actual: float64 (R, C): photos that have it, TP + FN.
    """

    hits: Floats
    predicted: Floats
    actual: Floats


@dataclass(frozen=True, slots=True)
class Cells:
    """Photos, counted where no decision tells them apart.

    Attributes:
        counts: int64 (K,).
        tally: maps float64 (R, K) counts to a Tally.
    """

    counts: Counts
    tally: Callable[[Floats], Tally]


def measure(subject: Subject) -> Figures:
    """Measure precision, recall and F1; also balanced accuracy, the mean recall, for `classify`."""
    cells = confusion_cells(subject) if subject.task == "classify" else label_cells(subject)
    observed = cells.tally(cells.counts[None].astype(np.float64))
    values, spreads = _per_class(subject.names, observed)
    errors = standard_errors(
        cells.counts, lambda counts: averages(cells.tally(counts)), subject.resamples, subject.rng()
    )
    means = dict(zip((*_MEANS, *_MICROS), zip(averages(observed)[0], errors, strict=True), strict=True))
    for key, (value, error) in means.items():
        values[key] = float(value) if np.isfinite(value) else None
        if not np.isfinite(value):
            continue
        whole = _whole(subject, key, float(value), float(error))
        parts = [(values[f"{key}[{name}]"], spreads.get(f"{key}[{name}]")) for name in subject.names if key in _MEANS]
        spreads[key] = Macro(whole, tuple((a, b) for a, b in parts if a is not None and b is not None))
    if subject.task == "classify":
        values["balanced_accuracy"], spreads["balanced_accuracy"] = values["recall"], spreads["recall"]
    return Figures(values, spreads, _warnings(subject, observed))


def _whole(subject: Subject, key: str, value: float, error: float) -> Share:
    photos = len(subject.truth)
    is_accuracy = subject.task == "classify" and key in _MICROS
    return Share(value, photos if is_accuracy else effective_size(value, error, photos))


def confusion_cells(subject: Subject) -> Cells:
    """Return the cells of the confusion matrix that hold a photo."""
    n_classes = len(subject.names)
    flat, counts = np.unique(subject.truth * n_classes + subject.scores.argmax(axis=1), return_counts=True)
    truth, answer = np.divmod(flat, n_classes)

    def tally(weights: Floats) -> Tally:
        right = np.where(truth == answer, weights, 0.0)
        return Tally(*(_by_group(each, ids, n_classes) for each, ids in _groups(weights, right, truth, answer)))

    return Cells(counts.astype(np.int64), tally)


def _groups(weights: Floats, right: Floats, truth: Counts, answer: Counts) -> list[tuple[Floats, Counts]]:
    return [(right, truth), (weights, answer), (weights, truth)]


def _by_group(weights: Floats, ids: Counts, n_groups: int) -> Floats:
    """Add up the columns of one id: (R, K) to (R, n_groups)."""
    order = np.argsort(ids, kind="stable")
    present, starts = np.unique(ids[order], return_index=True)
    sums = np.zeros((len(weights), n_groups))
    sums[:, present] = np.add.reduceat(weights[:, order], starts, axis=1)
    return sums


def label_cells(subject: Subject) -> Cells:
    """Return one cell a different pair of true and predicted label rows."""
    truth = subject.truth_matrix()
    rows = np.concatenate([truth, subject.scores >= subject.thresholds], axis=1)
    unique, counts = np.unique(rows, axis=0, return_counts=True)
    has, said = np.split(unique.astype(np.float64), 2, axis=1)
    return Cells(counts.astype(np.int64), lambda w: Tally(w @ (has * said), w @ said, w @ has))


def _per_class(names: tuple[str, ...], observed: Tally) -> tuple[dict[str, float | None], dict[str, Spread]]:
    values: dict[str, float | None] = {}
    spreads: dict[str, Spread] = {}
    columns = zip(names, observed.hits[0], observed.predicted[0], observed.actual[0], strict=True)
    for name, hits, predicted, actual in columns:
        union = predicted + actual - hits
        _put(values, f"precision[{name}]", hits, predicted if actual else 0)
        _put(values, f"recall[{name}]", hits, actual)
        _put(values, f"f1[{name}]", 2 * hits, predicted + actual if actual else 0)
        spreads[f"precision[{name}]"] = Share(hits / predicted if predicted else 0.0, predicted)
        spreads[f"recall[{name}]"] = Share(hits / actual if actual else 0.0, actual)
        spreads[f"f1[{name}]"] = FScore(hits, union)
    return values, {key: spread for key, spread in spreads.items() if values[key] is not None}


def _put(values: dict[str, float | None], key: str, part: float, whole: float) -> None:
    values[key] = float(part / whole) if whole else None


def averages(tally: Tally) -> Floats:
    """Return (R, 6): macro precision, recall and F1, then micro; NaN where no class is there."""
    present = tally.actual > 0
    both = tally.predicted + tally.actual
    shares = [_ratio(tally.hits, tally.predicted), _ratio(tally.hits, tally.actual), _ratio(2 * tally.hits, both)]
    number = present.sum(axis=1)
    macros = [_ratio(np.where(present, share, 0.0).sum(axis=1), number, np.nan) for share in shares]
    hits, predicted, actual = (each.sum(axis=1) for each in (tally.hits, tally.predicted, tally.actual))
    micros = [
        _ratio(hits, predicted, np.nan),
        _ratio(hits, actual, np.nan),
        _ratio(2 * hits, predicted + actual, np.nan),
    ]
    return np.stack([*macros, *micros], axis=1)


def _ratio(part: Floats, whole: Floats, otherwise: float = 0.0) -> Floats:
    return np.asarray(np.divide(part, whole, out=np.full(part.shape, otherwise), where=whole > 0))


def _warnings(subject: Subject, observed: Tally) -> tuple[str, ...]:
    absent = [name for name, actual in zip(subject.names, observed.actual[0], strict=True) if not actual]
    columns = zip(subject.names, observed.predicted[0], observed.actual[0], strict=True)
    silent = [name for name, predicted, actual in columns if actual and not predicted]
    said = []
    if absent:
        said.append(
            f"no test photo of {_listed(absent)}: nothing is measured for it, and macro averages stand on "
            f"{len(subject.names) - len(absent)} of {len(subject.names)} classes."
        )
    if silent:
        said.append(
            f"never predicted: {_listed(silent)}: no precision is measured for it; recall, F1 and its share of the "
            "macro precision are 0."
        )
    return tuple(said)


def _listed(names: list[str]) -> str:
    shown = ", ".join(f"'{name}'" for name in names[:_MOST_NAMES])
    return shown if len(names) <= _MOST_NAMES else f"{shown} and {len(names) - _MOST_NAMES} more"
