"""A fitted few-shot classifier: a head, its calibration, and what is like none of its classes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vision_cli.core.errors import DataError
from vision_cli.few_shot.heads import Floats, Linear, Rows
from vision_cli.few_shot.likeness import Likeness

NEVER = -2.0
"""A threshold that every photo reaches."""


@dataclass(frozen=True, slots=True, eq=False)
class FewShot:
    """Classes that were learned from a few photos.

    Attributes:
        names: of the classes.
        head: fitted to all examples.
        temperature: its logits are divided by it before softmax.
        likeness: where the examples lie.
        none_below: photos less like the examples are of none of these classes.
        calibrated: whether temperature and threshold come from left-out examples.
        left_out: share of left-out examples that were named rightly; NaN where none could be judged.
        judged: left-out examples.
    """

    names: tuple[str, ...]
    head: Linear
    temperature: float
    likeness: Likeness
    none_below: float
    calibrated: bool
    left_out: float
    judged: int

    def scores(self, embeddings: Rows) -> Floats:
        """Return probabilities float64 (N, C) of embeddings float32 (N, D)."""
        logits = self.head.logits(embeddings) / self.temperature
        powers = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-np.inf))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))

    def none(self, embeddings: Rows) -> NDArray[np.bool_]:
        """Return which photos are of none of the classes, bool (N,)."""
        return np.asarray(self.likeness.of(embeddings) < self.none_below)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return it as arrays without objects, for a file."""
        numbers = (self.temperature, self.none_below, float(self.calibrated), self.left_out, float(self.judged))
        return {
            "names": np.array(self.names, dtype=np.str_),
            "weight": self.head.weight,
            "bias": self.head.bias,
            "centre": self.likeness.centre,
            "plain": self.likeness.plain,
            "seen": self.likeness.seen,
            "numbers": np.array(numbers),
        }


def from_arrays(arrays: Mapping[str, NDArray[Any]]) -> FewShot:
    """Return what `FewShot.arrays` gave.

    Raises:
        DataError: an array is missing or has another shape.
    """
    try:
        names = tuple(str(name) for name in arrays["names"])
        head = Linear(arrays["weight"], arrays["bias"])
        likeness = Likeness(arrays["centre"], arrays["plain"], arrays["seen"])
        temperature, none_below, calibrated, left_out, judged = (float(value) for value in arrays["numbers"])
    except (KeyError, ValueError, TypeError) as error:
        raise DataError(f"a few-shot classifier is not whole: {error!r}.") from error
    shapes = {head.weight.shape, likeness.plain.shape, likeness.seen.shape}
    if len(shapes) > 1 or head.bias.shape != (len(names),) or len(head.weight) != len(names):
        raise DataError("a few-shot classifier is not whole: its arrays do not fit each other.")
    return FewShot(names, head, temperature, likeness, none_below, bool(calibrated), left_out, int(judged))
