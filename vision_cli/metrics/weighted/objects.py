"""Weighted figures of objects: matched once, then read from rankings and tallies under weights of photos."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from vision_cli.metrics.detection import ObjectsRequest, arrays, is_ap_at
from vision_cli.metrics.detection import decisions as deciding
from vision_cli.metrics.detection.confidence import decide, thresholds_of
from vision_cli.metrics.detection.evaluator import evaluate
from vision_cli.metrics.detection.ranked import Weights
from vision_cli.metrics.detection.tables import Table, coco_questions, tallies
from vision_cli.metrics.intervals import Floats
from vision_cli.metrics.weighted import Part

_COLUMNS = 200
"""Resamples at once: so many keep the sums of a class within the processor's cache."""
_TALLY = ("hits", "said", "wanted")


def parts(request: ObjectsRequest, metrics: Collection[str]) -> list[Part]:
    """Return the figures of some metrics, whole and a class; a metric that has no weighted form is left out."""
    asked = [name for name in metrics if name in arrays.TWELVE or is_ap_at(name)]
    more = tuple(int(name[2:]) / 100 for name in asked if is_ap_at(name))
    names = request.classes.names
    judged = evaluate(request.truth, request.detections, len(names), kind=request.kind, more_ious=more)
    found: list[Part] = []
    if asked:
        tables: list[Table] = [*coco_questions(judged, asked)]
        found.append(Part(_keys(asked, names), _Read(tables, tuple(asked)).figures))
    if set(metrics) & {*deciding.NAMES, *(f"{name}_micro" for name in deciding.NAMES)}:
        decisions = decide(judged, judged.matching(), thresholds_of(request.confidences, len(names)))
        micro = tuple(f"{name}_micro" for name in deciding.NAMES)
        keys = (*_keys(deciding.NAMES, names), *micro)
        found.append(Part(keys, _Read([tallies(judged, decisions)], deciding.NAMES, micro).figures))
    return found


def _keys(metrics: Collection[str], names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(key for metric in metrics for key in (metric, *(f"{metric}[{name}]" for name in names)))


@dataclass(frozen=True, slots=True)
class _Read:
    """What tables give, mean first, then the classes of each metric; then what is of all classes together."""

    tables: list[Table]
    names: tuple[str, ...]
    micro: tuple[str, ...] = ()

    def figures(self, weights: Floats) -> Floats:
        """Return float64 (R, V)."""
        turned = np.ascontiguousarray(weights.T, dtype=np.float32)
        parts = [self._of(turned[:, first : first + _COLUMNS]) for first in range(0, turned.shape[1], _COLUMNS)]
        return np.asarray(np.concatenate(parts, axis=1).T, dtype=np.float64)

    def _of(self, weights: Weights) -> Weights:
        sums: dict[str, Weights] = {key: each for table in self.tables for key, each in table.figures(weights).items()}
        of_class: Mapping[str, Weights] = deciding.by_class(sums) if set(_TALLY) <= sums.keys() else sums
        rows = [row for name in self.names for row in (deciding.mean(of_class[name]), of_class[name])]
        together = deciding.micro(sums) if self.micro else {}
        return np.concatenate([*rows, *(together[name] for name in self.micro)])
