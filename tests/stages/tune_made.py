"""A small project that is searched, and how searches are asked for and compared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import stage_projects as small

from vision_cli.core import project as projects
from vision_cli.stages.tuning.request import TuneRequest, TuneResult

FEATURES = (
    "{family: features, backbone: test_resnet, weights: none, input: {size: 64}, "
    "features: {classifier: knn, neighbours: 36}}"
)
"""All training photos vote on each: a project that anything else does better than."""


THREE = ("winter", "summer", "no")


def features_project(folder: Path) -> Path:
    """Write a project of three classes with sides of their own, learned from random features."""
    folder = small.write_project(folder, "photos", kpis="[top1 > 0.4]", model=FEATURES)
    file = folder / "vision.yaml"  # no share for a test side: where it is gone, none is dealt from the others
    file.write_text(file.read_text().replace("train: 0.5, val: 0.2, test: 0.3", "train: 0.8, val: 0.2, test: 0"))
    for side, photos, seed in (("train", 12, 1), ("val", 10, 2), ("test", 6, 3)):
        small.class_folders(folder / "photos" / side, photos, THREE, seed)
    return folder


def asked(root: Path, *more: str, **options: Any) -> TuneRequest:
    return TuneRequest(projects.load(root / "vision.yaml", more), offline=True, **options)


def scores(found: TuneResult) -> list[tuple[int, int, Any, float | None]]:
    return [(each.number, each.again, dict(each.settings), each.score) for each in found.trials]
