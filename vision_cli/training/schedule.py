"""Learning rate as a pure function of the step, so that resuming needs no scheduler's state."""

from __future__ import annotations

import math
from dataclasses import dataclass

_START_DIV = 25.0
_END_DIV = 1e4
_RISE = 0.3
_PLATEAU_FACTOR = 0.3


@dataclass(frozen=True, slots=True)
class Schedule:
    """Factor of the learning rate.

    Attributes:
        name: `cosine`, `one-cycle`, `plateau` or `constant`.
        steps: of the whole training.
        warmup_steps: of linear warm-up; not for `one-cycle`, which has its own.
    """

    name: str
    steps: int
    warmup_steps: int = 0

    def factor(self, step: int) -> float:
        """Return the factor at a step, counted from 0."""
        if self.name == "one-cycle":
            return _one_cycle(step, self.steps)
        if step < self.warmup_steps:
            return (step + 1) / (self.warmup_steps + 1)
        if self.name == "cosine":
            done = (step - self.warmup_steps) / max(1, self.steps - self.warmup_steps)
            return _between(1.0, 0.0, min(1.0, done))
        return 1.0


def _between(start: float, end: float, done: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * done)) / 2


def _one_cycle(step: int, steps: int) -> float:
    """Rise over 30 % of the steps, then fall (Smith & Topin 2018, with torch's default shape; momentum stays)."""
    top = max(_RISE * steps - 1, 1e-9)
    start, end = 1 / _START_DIV, 1 / _START_DIV / _END_DIV
    if step <= top:
        return _between(start, 1.0, step / top)
    return _between(1.0, end, min(1.0, (step - top) / max(1e-9, steps - 1 - top)))


@dataclass(frozen=True, slots=True)
class Rise:
    """Factor of the learning rate in a range test: it grows by the same ratio at each step.

    Attributes:
        steps: from the first rate to the last.
        ratio: of the last rate to the first.
    """

    steps: int
    ratio: float

    def factor(self, step: int) -> float:
        """Return the factor at a step, counted from 0."""
        return float(self.ratio ** (step / max(1, self.steps - 1)))


@dataclass(slots=True)
class Plateau:
    """Reduce on a plateau: the factor shrinks to 0.3 after `patience` epochs without a lower loss.

    Attributes:
        patience: epochs.
        factor: of the learning rate so far.
        best: lowest loss so far.
        waited: epochs since then.
    """

    patience: int
    factor: float = 1.0
    best: float = math.inf
    waited: int = 0

    def see(self, loss: float) -> None:
        """Take an epoch's loss."""
        if loss < self.best:
            self.best, self.waited = loss, 0
            return
        self.waited += 1
        if self.waited > self.patience:
            self.factor, self.waited = self.factor * _PLATEAU_FACTOR, 0
