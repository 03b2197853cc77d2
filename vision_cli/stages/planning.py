"""What the data can and cannot support, said before the work starts."""

from __future__ import annotations

from vision_cli.advice import plan
from vision_cli.advice.plan import Finding
from vision_cli.core.progress import Progress
from vision_cli.core.project import Project
from vision_cli.stages.data import TaskData


def findings(project: Project, data: TaskData, progress: Progress) -> tuple[Finding, ...]:
    """Return what the data cannot support, and warn of each with its figure."""
    cache = project.root / ".vision" / "fingerprints"
    found = tuple(plan.warn(data.dataset, data.task, progress=progress, cache=cache))
    for finding in found:
        progress.warn(finding.message)
    return found
