"""Find the same photo on two sides of a split: byte for byte, or so alike that it is the same shot."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from vision_cli.advice.finding import Finding, listed
from vision_cli.advice.fingerprints import fingerprints
from vision_cli.core.dataset import Dataset
from vision_cli.core.progress import Progress
from vision_cli.imaging import lookalikes
from vision_cli.imaging.lookalikes import MAX_DISTANCE, Looks, Pairs, alike_pairs, same_pairs

__all__ = ["MAX_DISTANCE", "across_splits"]

_SIDES = (("train", "test"), ("train", "val"), ("val", "test"))
_LISTED_FILES = 100
_THUMBNAILS = 4096


def across_splits(dataset: Dataset, progress: Progress, cache: Path | None = None) -> list[Finding]:
    """Return a finding for each two splits that share photos, and one for those with photos that look the same.

    Raises:
        DataError: photos that cannot be decoded, all of them at once.
    """
    splits = dataset.splits()
    if len(set(splits.tolist()) - {""}) < 2:
        return []
    prints = fingerprints(dataset, progress, cache)
    paths = dataset.paths()
    thumbnail = lru_cache(_THUMBNAILS)(lambda row: lookalikes.thumbnail(paths[row]))
    looks = Looks.of(prints.looks)
    found = []
    for left, right in _SIDES:
        lefts, rights = np.flatnonzero(splits == left).tolist(), np.flatnonzero(splits == right).tolist()
        same = same_pairs(prints.sha256, lefts, rights)
        others = sorted(set(rights) - {row for _, row in same})
        alike = alike_pairs(looks, lefts, others, thumbnail)
        found += _findings(dataset, same, (left, right), "same") + _findings(dataset, alike, (left, right), "similar")
    return found


def _findings(dataset: Dataset, pairs: Pairs, sides: tuple[str, str], kind: str) -> list[Finding]:
    if not pairs:
        return []
    left, right = sides
    names = dataset.images["path"].to_pylist()
    shown = [f"{names[a]} = {names[b]}" for a, b in pairs]
    total = int((dataset.splits() == right).sum())
    how = "byte for byte" if kind == "same" else "nearly, by their looks"
    cost = "figures come out too good" if right == "test" else "epochs and thresholds are chosen on known photos"
    message = f"{len(pairs)} of {total} {right} photos are also in {left}, {how}: {cost}. {listed(shown, 3)}."
    return [Finding(f"{kind}-photo-in-{left}-and-{right}", message, float(len(pairs)), tuple(shown[:_LISTED_FILES]))]
