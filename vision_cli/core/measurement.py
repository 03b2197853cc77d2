"""What a measurement of predictions against the truth yields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from vision_cli.core.kpi import DEFAULT_CONFIDENCE, Interval, Judgement, Kpi, judge


class Spread(Protocol):
    """What is known about how a figure would vary from test set to test set."""

    def at(self, confidence: float) -> Interval | None:
        """Return the interval at a confidence; None where the photos are too few or too alike to say."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """Figures of one set of predictions.

    Attributes:
        values: by metric key: `f1`, `f1[winter]`; None where a figure is not defined on this data.
        intervals: 95 % intervals by the same keys; a figure without one is absent.
        n_photos: number of photos judged.
        confusion: int64 (C, C), rows are the truth, columns the prediction; only for `classify`.
        warnings: what a reader of the figures must know, one sentence each.
        spreads: by the same keys; gives intervals at other confidences.
    """

    values: Mapping[str, float | None]
    intervals: Mapping[str, Interval]
    n_photos: int
    confusion: np.ndarray[Any, np.dtype[np.int64]] | None = None
    warnings: tuple[str, ...] = field(default=())
    spreads: Mapping[str, Spread] = field(default_factory=dict)

    def interval_at(self, key: str, confidence: float = DEFAULT_CONFIDENCE) -> Interval | None:
        """Return a figure's interval at a confidence, or None where it has none."""
        if key in self.spreads:
            return self.spreads[key].at(confidence)
        interval = self.intervals.get(key)
        return interval if interval is not None and interval.confidence == confidence else None

    def with_values(self, values: Mapping[str, float | None]) -> Measurement:
        """Return the same figures with more, such as speed and size."""
        return replace(self, values={**self.values, **values})

    def judge(self, kpi: Kpi, *, runtime: str) -> Judgement:
        """Judge a KPI with the interval at the confidence that it demands."""
        interval = self.interval_at(kpi.key, kpi.confidence or DEFAULT_CONFIDENCE)
        intervals = {} if interval is None else {kpi.key: interval}
        return judge(kpi, self.values, intervals, n_photos=self.n_photos, runtime=runtime)
