"""How many objects a photo has, and how many are said: at the declared confidence."""

from __future__ import annotations

import numpy as np

from vision_cli.core.detections import Floats, Ints
from vision_cli.core.measurement import Spread
from vision_cli.metrics.bootstrap import Sums
from vision_cli.metrics.detection.confidence import Decisions
from vision_cli.metrics.detection.evaluator import Judged

_MOST_CELLS = 20_000_000
"""Photos by figures, 160 MB; beyond it classes have no interval of their own."""


def measure(
    judged: Judged, decisions: Decisions, names: tuple[str, ...], resamples: int, rng: np.random.Generator
) -> tuple[dict[str, float | None], dict[str, Spread]]:
    """Return `count_mae`, `count_over` and `count_under`, whole and a class, with their intervals over photos.

    The whole counts all classes together. Crowds, difficult objects and what finds them count on neither side.
    """
    photos, n_classes = judged.truth.n_photos, judged.n_classes
    said = np.concatenate([decisions.hits, decisions.false])
    off = _numbers(judged.detections.photo[said], judged.detections.class_id[said], photos, n_classes)
    off -= _numbers(judged.truth.photo[decisions.wanted], judged.truth.class_id[decisions.wanted], photos, n_classes)
    # The whole and the classes in one column each, in the order of the keys.
    off = np.concatenate([off.sum(axis=1, keepdims=True), off], axis=1).astype(np.float64)
    keys = ["", *(f"[{name}]" for name in names)]
    values: dict[str, float | None] = {}
    spreads: dict[str, Spread] = {}
    for name, errors in (("count_mae", np.abs(off)), ("count_over", off.clip(0)), ("count_under", (-off).clip(0))):
        values.update({f"{name}{key}": float(each) for key, each in zip(keys, errors.mean(axis=0), strict=True)})
        chosen = errors if errors.size <= _MOST_CELLS else errors[:, :1]
        found = Sums(chosen, lambda sums: sums / photos).spreads(resamples, rng)
        spreads.update({f"{name}{key}": each for key, each in zip(keys, found, strict=False) if each is not None})
    return values, spreads


def _numbers(photo: Ints, names: Ints, photos: int, n_classes: int) -> Floats:
    counts = np.bincount(photo * n_classes + names, minlength=photos * n_classes)
    return counts.reshape(photos, n_classes).astype(np.float64)
