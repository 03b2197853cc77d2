"""`vision metrics list` and `vision data formats` for people."""

from __future__ import annotations

from vision_cli.cli.paper import Paper
from vision_cli.core.tasks import TASKS
from vision_cli.stages.project.catalogues import Formats, Metrics


def metrics(result: Metrics, paper: Paper) -> None:
    """Draw one line a metric."""
    all_tasks = result.task is None
    rows = [
        (
            f"{each.name}[class]" if each.per_class == "only" else each.name,
            "[class] too" if each.per_class is True else "",
            each.better,
            each.unit,
            *((_tasks(each.tasks),) if all_tasks else ()),
            each.summary,
        )
        for each in result.metrics
    ]
    paper.table(("metric", "", "better", "unit", *(("tasks",) if all_tasks else ()), "what"), rows)


def _tasks(names: tuple[str, ...]) -> str:
    return "all" if set(names) == set(TASKS) else ", ".join(names)


def formats(result: Formats, paper: Paper) -> None:
    """Draw one line a format."""
    rows = [(each.name, "yes" if each.written else "no", each.summary) for each in result.formats]
    paper.table(("format", "written", "what"), rows)
