"""Weighted figures of tasks with one answer about the whole photo; with weights of 1 they are those of `measure`."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial

import numpy as np

from vision_cli.metrics import calibration, classification, regression
from vision_cli.metrics.decisions import Tally, averages
from vision_cli.metrics.intervals import Floats
from vision_cli.metrics.ranking import Booleans
from vision_cli.metrics.subject import Subject
from vision_cli.metrics.weighted import Part

_MEANS = ("precision", "recall", "f1")
_MICROS = ("precision_micro", "recall_micro", "f1_micro")
_GUESSES = 5
Formula = Callable[[Booleans, Floats, Floats], Floats]


def parts(subject: Subject, metrics: Collection[str]) -> list[Part]:
    """Return the figures of some metrics, whole and a class; a metric that has no weighted form is left out."""
    if subject.task == "regress":
        found = _of_values(subject)
    else:
        more = _one(subject) if subject.task == "classify" else _several(subject)
        found = [_decisions(subject), *_ranked(subject), *more]
    return [part for part in found if any(key.split("[", 1)[0] in metrics for key in part.keys)]


def _mean_of(column: Floats, weights: Floats) -> Floats:
    return np.asarray((weights @ column / weights.sum(axis=1))[:, None])


def _shares(columns: dict[str, Floats]) -> list[Part]:
    """Return figures that are means over photos, (N,) each."""
    return [Part((key,), partial(_mean_of, column.astype(np.float64))) for key, column in columns.items()]


def _one(subject: Subject) -> list[Part]:
    ranks = classification.true_ranks(subject.truth, subject.scores)
    gaps = calibration.bin_gaps(subject.truth, subject.scores)
    means = {"log_loss": calibration.losses(subject.truth, subject.scores)}
    for key, hit in (("top1", ranks < 1), ("accuracy", ranks < 1), ("top5", ranks < _GUESSES)):
        means[key] = hit.astype(np.float64)
    means |= {"top1_error": 1 - means["top1"], "top5_error": 1 - means["top5"]}

    def ece(weights: Floats) -> Floats:
        return np.asarray(np.abs(weights @ gaps).sum(axis=1, keepdims=True) / weights.sum(axis=1, keepdims=True))

    return [*_shares(means), Part(("ece",), ece)]


def _several(subject: Subject) -> list[Part]:
    wrong = (subject.scores >= subject.thresholds) != subject.truth_matrix()
    return _shares({"exact_match": 1.0 - wrong.any(axis=1), "hamming_loss": wrong.mean(axis=1)})


def _decisions(subject: Subject) -> Part:
    """Return precision, recall and F1 of each class, macro and micro; balanced accuracy for `classify`."""
    has = subject.truth_matrix().astype(np.float64)
    said = _said(subject)
    hits = has * said

    def figures(weights: Floats) -> Floats:
        tally = Tally(weights @ hits, weights @ said, weights @ has)
        there = tally.actual > 0
        precision = _ratio(tally.hits, np.where(there, tally.predicted, 0))
        recall = _ratio(tally.hits, tally.actual)
        f1 = _ratio(2 * tally.hits, np.where(there, tally.predicted + tally.actual, 0))
        means = averages(tally)
        return np.concatenate([precision, recall, f1, means, means[:, 1:2]], axis=1)

    of_class = [f"{name}[{label}]" for name in _MEANS for label in subject.names]
    balanced = "balanced_accuracy" if subject.task == "classify" else ""
    return Part((*of_class, *_MEANS, *_MICROS, balanced), figures)


def _said(subject: Subject) -> Floats:
    if subject.task == "multilabel":
        return (subject.scores >= subject.thresholds).astype(np.float64)
    return np.asarray(np.eye(len(subject.names))[subject.scores.argmax(axis=1)])


def _ratio(part: Floats, whole: Floats) -> Floats:
    return np.asarray(np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0))


def _ranked(subject: Subject) -> list[Part]:
    """Return area under the ROC curve and average precision of each class, and their means."""
    truth = subject.truth_matrix()
    found = []
    for key, mean, formula in (("auc", "auc", area_under_roc), ("ap", "map", average_precision)):
        keys = (*(f"{key}[{label}]" for label in subject.names), mean)
        found.append(Part(keys, partial(_by_class, truth, subject.scores, formula)))
    return found


def _by_class(truth: Booleans, scores: Floats, formula: Formula, weights: Floats) -> Floats:
    columns = [formula(has, of_class, weights) for has, of_class in zip(truth.T, scores.T, strict=True)]
    found = np.stack(columns, axis=1)
    known = np.isfinite(found)
    mean = _ratio(np.where(known, found, 0).sum(axis=1), known.sum(axis=1).astype(np.float64))
    return np.concatenate([found, mean[:, None]], axis=1)


def _by_level(columns: Floats, scores: Floats) -> Floats:
    """Return columns (R, N) added up in the order of falling scores, one value for each score, (R, L)."""
    order = np.argsort(-scores, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    return np.asarray(np.cumsum(columns[:, order], axis=1)[:, ends])


def area_under_roc(truth: Booleans, scores: Floats, weights: Floats) -> Floats:
    """Return the area under the ROC curve under weights (R, N), (R,); ties count half; NaN without both sides."""
    if not truth.any() or truth.all():
        return np.full(len(weights), np.nan)
    positives = _by_level(weights * truth, scores)
    negatives = _by_level(weights * ~truth, scores)
    steps = np.diff(negatives, axis=1, prepend=0)
    before = np.concatenate([np.zeros((len(weights), 1)), positives[:, :-1]], axis=1)
    pairs = ((positives + before) / 2 * steps).sum(axis=1)
    return _ratio(pairs, positives[:, -1] * negatives[:, -1])


def average_precision(truth: Booleans, scores: Floats, weights: Floats) -> Floats:
    """Return the average precision under weights (R, N), (R,); NaN without positives."""
    hits = _by_level(weights * truth, scores)
    said = _by_level(weights, scores)
    steps = np.diff(hits, axis=1, prepend=0)
    precision = np.divide(hits, said, out=np.zeros_like(hits), where=said > 0)
    return _ratio((precision * steps).sum(axis=1), hits[:, -1])


def _of_values(subject: Subject) -> list[Part]:
    truth = subject.truth.astype(np.float64)
    errors = np.abs(subject.scores[:, 0] - truth)
    sums = regression.contributions(truth, errors)
    order = np.argsort(errors, kind="stable")

    def median(weights: Floats) -> Floats:
        below = np.cumsum(weights[:, order], axis=1)
        half = below[:, -1:] / 2
        # Between two photos the median lies in the middle, as numpy has it.
        low, high = (below < half).sum(axis=1), (below <= half).sum(axis=1)
        last = len(order) - 1
        return np.asarray(((errors[order][np.minimum(low, last)] + errors[order][np.minimum(high, last)]) / 2)[:, None])

    return [
        Part(regression.KEYS, lambda weights: regression.formula(weights @ sums)),
        Part(("median_absolute_error",), median),
    ]
