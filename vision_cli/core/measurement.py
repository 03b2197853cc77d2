"""What a measurement of predictions against the truth yields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vision_cli.core.kpi import Interval


@dataclass(frozen=True, slots=True)
class Measurement:
    """Figures of one set of predictions.

    Attributes:
        values: by metric key: `f1`, `f1[winter]`; None where a figure is not defined on this data.
        intervals: bootstrap intervals by the same keys.
        n_photos: number of photos judged.
        confusion: int64 (C, C), rows are the truth, columns the prediction; only for `classify`.
        warnings: what a reader of the figures must know, one sentence each.
    """

    values: Mapping[str, float | None]
    intervals: Mapping[str, Interval]
    n_photos: int
    confusion: np.ndarray[Any, np.dtype[np.int64]] | None = None
    warnings: tuple[str, ...] = field(default=())
