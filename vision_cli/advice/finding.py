"""One thing that the data cannot support."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

# Always naming the largest class scores this, or half as much again as an even chance, before accuracy misleads.
_MISLEADING = 0.6
_OVER_CHANCE = 1.5


@dataclass(frozen=True, slots=True)
class Finding:
    """A warning with its figure.

    Attributes:
        code: stable name, such as `few-test-photos`.
        message: what it is and why it matters, in one sentence.
        figure: the number that the message rests on.
        files: photos that it is about, the first hundred; a pair stands as `train/a.jpg = test/b.jpg`.
    """

    code: str
    message: str
    figure: float
    files: tuple[str, ...] = ()

    def as_json(self) -> dict[str, object]:
        """Return the finding as a member of a JSON document."""
        return {"code": self.code, "message": self.message, "figure": self.figure, "files": list(self.files)}


def listed(items: list[str], shown: int = 8) -> str:
    """Return the first items in one line, and how many more there are."""
    more = f" and {len(items) - shown} more" if len(items) > shown else ""
    return ", ".join(items[:shown]) + more


def dominant(counts: np.ndarray[Any, np.dtype[np.int64]]) -> tuple[int, float] | None:
    """Return the class of which most are, and its share, where that is enough to mislead; None elsewhere."""
    if counts.sum() == 0 or len(counts) < 2:
        return None
    largest = int(counts.argmax())
    share = float(counts[largest] / counts.sum())
    return (largest, share) if share >= max(_MISLEADING, _OVER_CHANCE / len(counts)) else None
