"""What the data can and cannot support, said before the work starts."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import replace
from pathlib import Path

from vision_cli.advice import framing, plan
from vision_cli.advice.fingerprints import fingerprints
from vision_cli.advice.plan import Finding
from vision_cli.core.config import ModelConfig
from vision_cli.core.progress import Progress
from vision_cli.core.project import Project
from vision_cli.core.tasks import PLACE_TASKS
from vision_cli.models import defaults
from vision_cli.stages.data import TaskData

_PLACE_BATCH = 4


def resolved(project: Project, data: TaskData) -> Project:
    """Return the project with every `auto` of its model and training replaced by what it means for the data.

    Detectors and segmenters learn as a whole, in small batches, as a photo holds many objects; what ImageNet's features
    lack is where things are.
    """
    config = project.config
    update: dict[str, object] = {"model": _model(config.model, data)}
    if data.task in PLACE_TASKS:
        train: dict[str, object] = {"head_first": False, "interpolate": False}
        if "batch_size" not in config.train.model_fields_set:
            train["batch_size"] = _PLACE_BATCH
        update["train"] = config.train.model_copy(update=train)
    return replace(project, config=config.model_copy(update=update))


def _model(config: ModelConfig, data: TaskData) -> ModelConfig:
    """Return the section `model`; an input of the photos' shape wastes nothing on the grey of a letterbox."""
    found = defaults.resolved(config, data.task)
    if found.family not in defaults.ANY_SHAPE or found.input.size is not None:
        return found
    shape = framing.shape_of(data.dataset, math.prod(defaults.PLACE_SIZE_PX))
    return found.model_copy(update={"input": found.input.model_copy(update={"size": shape})})


def findings(project: Project, data: TaskData, progress: Progress, *, remember: bool = True) -> tuple[Finding, ...]:
    """Return what the data cannot support, and say each with its figure, unless it is to be quiet.

    Args:
        project: its `.vision` folder knows the photos of earlier calls.
        data: a view.
        progress: hears of each.
        remember: keep what was read of the photos for the next call; without, nothing is written.
    """
    cache = _cache(project) if remember else None
    found = tuple(plan.warn(data.dataset, data.task, progress=progress, cache=cache))
    for finding in found:
        progress.say(f"warning: {finding.message}")
    return found


def photos_digest(project: Project, data: TaskData, progress: Progress) -> str:
    """Return a hash of the photos' names and bytes: 64 hex digits. `Dataset.digest` tells labels and splits."""
    prints = fingerprints(data.dataset, progress, _cache(project))
    names = zip(data.dataset.images["source"].to_pylist(), data.dataset.images["path"].to_pylist(), strict=True)
    rows = sorted((str(source), str(path), sha) for (source, path), sha in zip(names, prints.sha256, strict=True))
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def _cache(project: Project) -> Path:
    return project.root / ".vision" / "fingerprints"
