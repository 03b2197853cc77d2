"""The lines of the metrics table for classes of pixels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from vision_cli.metrics.card import MetricCard


def _card(summary: str, *, per_class: bool | Literal["only"] = False) -> MetricCard:
    return MetricCard("vision_cli.metrics.semantic.measuring", summary, tasks=("semantic",), per_class=per_class)


PIXELS: Mapping[str, MetricCard] = {
    "miou": _card("Mean of the classes' IoUs"),
    "iou": _card("Shared pixels of truth and answer by those of either: iou[class]", per_class="only"),
    "fw_iou": _card("Mean of the classes' IoUs, weighted by their pixels"),
    "dice": _card("Twice the shared pixels by those of both, the F1 of pixels; mean over classes", per_class=True),
    "pixel_accuracy": _card("Share of pixels whose class is right; flattered by large classes", per_class=True),
    "mean_accuracy": _card("Mean of the classes' pixel accuracies"),
    "boundary_f1": _card("F1 of the classes' outlines, within 0.75 % of the photo's diagonal", per_class=True),
}
