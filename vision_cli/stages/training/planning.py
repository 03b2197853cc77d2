"""What the data can and cannot support, said before the work starts."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from vision_cli.advice import plan
from vision_cli.advice.fingerprints import fingerprints
from vision_cli.advice.plan import Finding
from vision_cli.core.progress import Progress
from vision_cli.core.project import Project
from vision_cli.stages.data import TaskData


def findings(project: Project, data: TaskData, progress: Progress, *, remember: bool = True) -> tuple[Finding, ...]:
    """Return what the data cannot support, and warn of each with its figure.

    Args:
        project: its `.vision` folder knows the photos of earlier calls.
        data: a view.
        progress: hears the warnings.
        remember: keep what was read of the photos for the next call; without, nothing is written.
    """
    cache = _cache(project) if remember else None
    found = tuple(plan.warn(data.dataset, data.task, progress=progress, cache=cache))
    for finding in found:
        progress.warn(finding.message)
    return found


def photos_digest(project: Project, data: TaskData, progress: Progress) -> str:
    """Return a hash of the photos' names and bytes: 64 hex digits. `Dataset.digest` tells labels and splits."""
    prints = fingerprints(data.dataset, progress, _cache(project))
    names = zip(data.dataset.images["source"].to_pylist(), data.dataset.images["path"].to_pylist(), strict=True)
    rows = sorted((str(source), str(path), sha) for (source, path), sha in zip(names, prints.sha256, strict=True))
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def _cache(project: Project) -> Path:
    return project.root / ".vision" / "fingerprints"
