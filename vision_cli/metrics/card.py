"""What the metrics table says of one metric."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from vision_cli.core.catalogue import Card

Better = Literal["higher", "lower"]
Source = Literal["predictions", "ratings", "results", "stage"]
SHARE = "share"
"""The unit of figures between 0 and 1."""


@dataclass(frozen=True, slots=True)
class MetricCard(Card):
    """One line of the metrics table.

    Attributes:
        unit: of value and bound; `label` is the unit of the data's own values.
        better: which direction is an improvement.
        tasks: that it is measured for.
        per_class: whether `metric[class]` exists; `only` where nothing but that exists.
        source: what it is measured from: `predictions` by a task's `measure`, `ratings` by `ratings.measure_ratings`,
            `results` of other tools alone, for no model answers it, or by the stage that runs the model.
        by_task: the line for tasks in which the name means something else.
    """

    unit: str = SHARE
    better: Better = "higher"
    tasks: tuple[str, ...] = ("classify",)
    per_class: bool | Literal["only"] = False
    source: Source = "predictions"
    by_task: Mapping[str, MetricCard] = field(default_factory=dict)
