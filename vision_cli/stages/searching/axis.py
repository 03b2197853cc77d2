"""A point of a space that is searched, and what one number or word of it may be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Place = Mapping[str, float | int | str]
"""A point of the space, by the names of its axes."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One number or word of a point.

    Attributes:
        name: of it.
        low: least.
        high: largest.
        log: drawn evenly on a logarithmic scale.
        whole: an integer.
        words: drawn instead of a number.
    """

    name: str
    low: float = 0.0
    high: float = 1.0
    log: bool = False
    whole: bool = False
    words: tuple[str, ...] = ()

    def nearest(self, value: float) -> float | int:
        """Return the value within the range that is nearest."""
        inside = min(max(value, self.low), self.high)
        return round(inside) if self.whole else float(inside)
