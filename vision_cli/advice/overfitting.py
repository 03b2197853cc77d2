"""Does a network learn by heart, learn at all, or need longer? The verdict of its curves, and what to try.

What is learned of training photos and not of validation photos shows in two ways: validation loss rises again while
training loss goes on falling, or stays far above it. Training loss is measured on augmented photos, with dropout, while
the weights still change; that makes it larger, so that a gap is there in spite of it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from vision_cli.core.config import TrainConfig

Verdict = Literal["overfits", "hardly learns", "not finished", "fits", "cannot tell"]

_FEWEST_EPOCHS = 5
_GAP = 1.5
"""Validation loss by training loss, from which on a network knows its training photos too well."""
_RISE = 0.1
"""By how much validation loss lies above its least one at the end."""
_FELL = 0.05
"""By how much training loss fell meanwhile."""
_HARDLY = 0.05
"""A training whose losses both fall by less has learned next to nothing."""
_STILL = 0.01
"""Gain over the last fifth of the epochs that a longer training would go on with."""
_LAST = 5
"""One epoch of so many is the end of a curve."""
_CURVE = "more photos: `vision train --curve 12,25,50,100` tells what they would bring"


@dataclass(frozen=True, slots=True)
class Fit:
    """What the curves of a training say.

    Attributes:
        verdict: in two words.
        reason: one sentence with its figures.
        tries: what to try, the likeliest first: `key=value` words for `vision train`, or a sentence.
    """

    verdict: Verdict
    reason: str
    tries: tuple[str, ...] = ()

    def as_json(self) -> dict[str, object]:
        """Return the members that `--json` prints."""
        return {"verdict": self.verdict, "reason": self.reason, "try": list(self.tries)}


@dataclass(frozen=True, slots=True)
class _Curves:
    """Losses by epoch, and the epoch whose weights were kept.

    Attributes:
        train: of training photos.
        val: of validation photos.
        best: index of the epoch that was kept.
        score: of validation photos, where the best one is kept by it; empty elsewhere.
    """

    train: list[float]
    val: list[float]
    best: int
    score: list[float]

    def end(self, values: Sequence[float]) -> float:
        """Return the mean of the last fifth."""
        number = max(2, len(values) // _LAST)
        return sum(values[-number:]) / number


def judge(rows: Sequence[Mapping[str, Any]], options: TrainConfig, *, best_by: str, frozen: bool = False) -> Fit | None:
    """Return the verdict on a training; None where there was none, step by step.

    Args:
        rows: of `metrics.jsonl`, one an epoch: `train_loss`, `val_loss`, `val_score`.
        options: that it learned with.
        best_by: the column that told the best epoch: `val_loss` or `val_score`.
        frozen: only the head learned.
    """
    if not rows:
        return None
    known = [row for row in rows if all(_is_number(row.get(key)) for key in ("train_loss", "val_loss"))]
    if not known:
        return Fit("cannot tell", "There were no validation photos to compare training with.")
    if len(known) < _FEWEST_EPOCHS:
        return Fit("cannot tell", f"{len(known)} epochs say too little; {_FEWEST_EPOCHS} or more do.")
    curves = _read(known, best_by)
    found = _overfits(curves) or _hardly(curves) or _unfinished(curves, options) or _fits(curves)
    return Fit(found.verdict, found.reason, _tries(found.verdict, curves, options, frozen=frozen))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _read(rows: Sequence[Mapping[str, Any]], best_by: str) -> _Curves:
    train, val = ([float(row[key]) for row in rows] for key in ("train_loss", "val_loss"))
    score = [float(row[best_by]) for row in rows if _is_number(row.get(best_by))] if best_by != "val_loss" else []
    by_score = len(score) == len(rows)
    best = max(range(len(rows)), key=score.__getitem__) if by_score else min(range(len(rows)), key=val.__getitem__)
    return _Curves(train, val, best, score if by_score else [])


def _overfits(curves: _Curves) -> Fit | None:
    least = min(range(len(curves.val)), key=curves.val.__getitem__)
    low, end = curves.val[least], curves.end(curves.val)
    fell = curves.train[least] - curves.end(curves.train)
    if low > 0 and end > (1 + _RISE) * low and fell > _FELL * abs(curves.train[least]):
        return Fit(
            "overfits",
            f"Validation loss was least in epoch {least + 1} ({low:.3g}) and rose to {end:.3g}, while training loss "
            f"fell from {curves.train[least]:.3g} to {curves.end(curves.train):.3g}; the weights of epoch "
            f"{curves.best + 1} were kept.",
        )
    train, val = curves.train[curves.best], curves.val[curves.best]
    if train > 0 and val > _GAP * train:
        return Fit(
            "overfits",
            f"In epoch {curves.best + 1}, whose weights were kept, loss is {train:.3g} on training photos and "
            f"{val:.3g} on validation photos, {val / train:.1f} times as much.",
        )
    return None


def _hardly(curves: _Curves) -> Fit | None:
    first, last = curves.train[0], curves.end(curves.train)
    gained = max(curves.score) - curves.score[0] if curves.score else 0.0
    fell = max(first - last, curves.val[0] - min(curves.val))
    if fell < _HARDLY * abs(first) and gained < _HARDLY:
        return Fit(
            "hardly learns", f"Training loss went from {first:.3g} to {last:.3g} and validation loss no further."
        )
    return None


def _unfinished(curves: _Curves, options: TrainConfig) -> Fit | None:
    epochs = len(curves.val)
    if epochs - curves.best > max(1, epochs // 10) or (options.epochs is not None and epochs < options.epochs):
        return None
    before = curves.score if curves.score else [-value for value in curves.val]
    earlier = max(before[: -max(1, epochs // _LAST)])
    gain = before[curves.best] - earlier
    if gain > _STILL * max(abs(earlier), 1e-9):
        return Fit("not finished", f"Validation was still getting better when its {epochs} epochs were over.")
    return None


def _fits(curves: _Curves) -> Fit:
    train, val = curves.train[curves.best], curves.val[curves.best]
    return Fit(
        "fits", f"Loss is {train:.3g} on training photos and {val:.3g} on validation photos: no sign of overfitting."
    )


def _tries(verdict: Verdict, curves: _Curves, options: TrainConfig, *, frozen: bool) -> tuple[str, ...]:
    if verdict == "overfits":
        return (_CURVE, *(_of_head(options) if frozen else _of_network(options)))
    if verdict == "hardly learns":
        rate = options.learning_rate
        faster = f"train.learning_rate={10 * rate:g}, then a tenth of it" if rate else "train.learning_rate=0.005"
        thaw = ("train.freeze=none",) if frozen else ()
        return ("`vision train --overfit 8` tells labels and code from speed", faster, *thaw)
    if verdict == "not finished":
        return (f"train.epochs={2 * len(curves.val)}",)
    return ()


def _of_head(options: TrainConfig) -> tuple[str, ...]:
    decay = options.weight_decay if options.weight_decay is not None else 0.3
    mirrored = ("train.augment=medium",) if options.augment == "none" else ()
    return (*mirrored, f"train.weight_decay={3 * decay:g}", "another backbone: `vision models bench` compares some")


def _of_network(options: TrainConfig) -> tuple[str, ...]:
    found = []
    if options.augment != "strong":
        found.append(f"train.augment={'medium' if options.augment == 'none' else 'strong'}")
    if options.freeze in ("auto", "none"):
        found.append('"train.freeze=2 stages"')
    if not options.mixup:
        found.append("train.mixup=0.2")
    decay = options.weight_decay if options.weight_decay is not None else 0.05
    found.append(f"train.weight_decay={3 * decay:g}")
    if not options.patience:
        found.append("train.patience=10")
    return (*found, "a smaller backbone")
