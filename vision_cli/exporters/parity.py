"""Does an exported file answer as the network that it was made from?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vision_cli.core.errors import DataError

Floats = np.ndarray[Any, np.dtype[Any]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]
TOLERANCES = {"float32": 1e-3, "float16": 2e-2}
"""How far a score may lie from the network's, by the precision of the file."""


@dataclass(frozen=True, slots=True)
class Outputs:
    """What one model says about the same photos.

    Attributes:
        raw: (N, outputs), as the model gives them.
        scores: (N, classes), `Decode.scores` of them; (N, 1) values for `regress`.
    """

    raw: Floats
    scores: Floats


@dataclass(frozen=True, slots=True)
class Limits:
    """What still counts as equal.

    Attributes:
        task: `classify`, `multilabel` or `regress`.
        thresholds: a class, for `multilabel`.
        tolerance: of a score in 0..1; for `regress` of the raw output, in standard deviations of the training values.
        agreement: share of the photos that must be decided alike.
    """

    task: str
    thresholds: Sequence[float] = ()
    tolerance: float = TOLERANCES["float32"]
    agreement: float = 0.995


@dataclass(frozen=True, slots=True)
class Parity:
    """The comparison's result.

    Attributes:
        n_photos: compared.
        max_raw_difference: largest absolute difference of raw outputs.
        max_score_difference: the same of scores.
        agreement: share of the photos that are decided alike, or that tie.
        disagreements: rows of photos decided otherwise.
        ties: rows where the network's own two best scores, or a score and its threshold, are closer than the
            tolerance: there is no decision to keep.
        passed: both limits are kept.
        reason: one sentence with the figures.
    """

    n_photos: int
    max_raw_difference: float
    max_score_difference: float
    agreement: float
    disagreements: tuple[int, ...]
    ties: tuple[int, ...]
    passed: bool
    reason: str


def compare(reference: Outputs, exported: Outputs, limits: Limits) -> Parity:
    """Compare an exported model's outputs with the network's on the same photos. NaN never passes.

    Raises:
        DataError: the shapes differ, or there are no photos.
    """
    _check_shapes(reference, exported)
    raw, score = _difference(reference.raw, exported.raw), _difference(reference.scores, exported.scores)
    ties = _ties(reference.scores, limits) & np.isfinite(exported.scores).all(axis=1)
    disagree = ~_equal_decisions(reference, exported, limits) & ~ties
    agreement = 1.0 - float(disagree.mean())
    judged = raw if limits.task == "regress" else score
    passed = bool(judged <= limits.tolerance and agreement >= limits.agreement)
    return Parity(
        n_photos=len(ties),
        max_raw_difference=raw,
        max_score_difference=score,
        agreement=agreement,
        disagreements=tuple(np.flatnonzero(disagree).tolist()),
        ties=tuple(np.flatnonzero(ties).tolist()),
        passed=passed,
        reason=_reason(judged, agreement, ties, limits),
    )


def _check_shapes(reference: Outputs, exported: Outputs) -> None:
    if reference.raw.shape != exported.raw.shape or reference.scores.shape != exported.scores.shape:
        raise DataError(
            f"parity: the network gives {reference.raw.shape}, the exported file {exported.raw.shape}.",
            hint="Both must see the same photos.",
        )
    if len(reference.raw) == 0:
        raise DataError("parity: there are no photos to compare on.", hint="Give a data set with photos.")


def _difference(reference: Floats, exported: Floats) -> float:
    return float(np.abs(reference.astype(np.float64) - exported.astype(np.float64)).max())


def _ties(scores: Floats, limits: Limits) -> Flags:
    match limits.task:
        case "classify" if scores.shape[1] > 1:
            best = np.sort(scores, axis=1)
            return np.asarray(best[:, -1] - best[:, -2] <= limits.tolerance)
        case "multilabel":
            return np.asarray((np.abs(scores - _thresholds(scores, limits)) <= limits.tolerance).any(axis=1))
        case _:
            return np.zeros(len(scores), dtype=np.bool_)


def _equal_decisions(reference: Outputs, exported: Outputs, limits: Limits) -> Flags:
    match limits.task:
        case "classify":
            same = reference.scores.argmax(axis=1) == exported.scores.argmax(axis=1)
        case "multilabel":
            thresholds = _thresholds(reference.scores, limits)
            same = ((reference.scores >= thresholds) == (exported.scores >= thresholds)).all(axis=1)
        case "regress":
            same = (np.abs(reference.raw - exported.raw) <= limits.tolerance).all(axis=1)
        case _:
            raise DataError(f"parity: no way to compare decisions of the task '{limits.task}'.")
    return np.asarray(same & np.isfinite(exported.scores).all(axis=1))


def _thresholds(scores: Floats, limits: Limits) -> Floats:
    values = np.asarray(limits.thresholds or [0.5], dtype=np.float64)
    if values.size not in (1, scores.shape[1]):
        raise DataError(f"parity: {values.size} thresholds for {scores.shape[1]} classes.")
    return values


def _reason(judged: float, agreement: float, ties: Flags, limits: Limits) -> str:
    what = "raw outputs" if limits.task == "regress" else "scores"
    text = (
        f"{what} differ by at most {judged:.2g} (allowed {limits.tolerance:g}); "
        f"{agreement:.2%} of {len(ties)} photos are decided alike (needed {limits.agreement:.2%})"
    )
    return (
        f"{text}; {int(ties.sum())} tie within {limits.tolerance:g} and have no decision to keep"
        if ties.any()
        else text
    )
