"""Figures of a model that runs, from measured times."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vision_cli.core.measurement import Measurement, Spread
from vision_cli.metrics.intervals import Percentile
from vision_cli.metrics.subject import Figures, combined

_PERCENTILES = {"latency_ms.p50": 0.5, "latency_ms.p95": 0.95}


def measure_latency(latencies_ms: Sequence[float]) -> Measurement:
    """Return `latency_ms.p50` and `latency_ms.p95` of single photos' times in ms, with intervals.

    None without a time, or with one that is not a finite positive number.
    """
    ordered = np.sort(np.asarray(latencies_ms, dtype=np.float64))
    if not ordered.size or not np.isfinite(ordered).all() or ordered[0] <= 0:
        return Measurement(dict.fromkeys(_PERCENTILES), {}, 0)
    values = {key: float(np.quantile(ordered, level)) for key, level in _PERCENTILES.items()}
    spreads: dict[str, Spread] = {key: Percentile(ordered, level) for key, level in _PERCENTILES.items()}
    return combined([Figures(values, spreads)], len(ordered))
