"""`vision eval --dry-run`: what would be judged and written. Nothing is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vision_cli.core import run
from vision_cli.core.kpi import Kpi
from vision_cli.stages.evaluating.asked import Asked, Judged
from vision_cli.stages.evaluating.subject import EvalRequest, prepare


@dataclass(frozen=True, slots=True)
class EvalPlan:
    """What would be judged and written.

    Attributes:
        data: path or view, split, number of photos.
        kpis: that would be judged.
        writes: files and folders that would be made; `<time>` stands for when the run would begin.
        model: path, name, family, task; empty when people are judged.
        runtime: name, threads, precision; empty when people are judged.
    """

    data: Mapping[str, Any]
    kpis: tuple[Kpi, ...]
    writes: tuple[Path, ...]
    model: Mapping[str, Any] = field(default_factory=dict)
    runtime: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the members that `--json` prints."""
        return {
            "dry_run": True,
            "model": dict(self.model),
            "data": dict(self.data),
            "runtime": dict(self.runtime),
            "kpis": [str(kpi) for kpi in self.kpis],
            "writes": list(self.writes),
        }


def plan(request: EvalRequest) -> EvalPlan:
    """Check everything that an evaluation checks before its first photo, and say what it would do.

    Raises:
        UsageError: a KPI names a metric or class that does not exist, or there is no such split.
        DataError: model or data are refused, or the split is empty.
    """
    return plan_of(request, prepare(request, remember=False))


def plan_of(request: Asked, subject: Judged) -> EvalPlan:
    """Return what would be judged and written."""
    project = request.project
    where = {"path": str(request.data.absolute())} if request.data else {"view": project.config.train.view}
    folder = project.root / run.RUNS / "eval" / f"<time>-{run.slug(subject.run_name)}"
    return EvalPlan(
        data={**where, **subject.data()},
        kpis=subject.targets,
        writes=(folder, *named(request.junit, request.markdown)),
        model=subject.model(),
        runtime=subject.runtime(),
    )


def named(*paths: Path | None) -> tuple[Path, ...]:
    """Return the paths that were given."""
    return tuple(path for path in paths if path is not None)
