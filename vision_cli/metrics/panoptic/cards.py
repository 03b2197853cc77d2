"""The lines of the metrics table for segments."""

from __future__ import annotations

from collections.abc import Mapping

from vision_cli.metrics.card import MetricCard


def _card(summary: str, *, per_class: bool = False) -> MetricCard:
    return MetricCard("vision_cli.metrics.panoptic.measuring", summary, tasks=("panoptic",), per_class=per_class)


_PQ, _SQ, _RQ = "Panoptic quality, SQ by RQ", "Mean IoU of the segments that are found", "F1 of segments at IoU 0.5"

SEGMENTS: Mapping[str, MetricCard] = {
    "pq": _card(f"{_PQ}; mean over classes", per_class=True),
    "sq": _card(f"{_SQ}; mean over classes", per_class=True),
    "rq": _card(f"{_RQ}; mean over classes", per_class=True),
    "pq_th": _card(f"{_PQ}, of things"),
    "sq_th": _card(f"{_SQ}, of things"),
    "rq_th": _card(f"{_RQ}, of things"),
    "pq_st": _card(f"{_PQ}, of stuff"),
    "sq_st": _card(f"{_SQ}, of stuff"),
    "rq_st": _card(f"{_RQ}, of stuff"),
}
