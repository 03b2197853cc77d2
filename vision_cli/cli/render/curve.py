"""`vision train --curve` for people."""

from __future__ import annotations

from vision_cli.cli.paper import Paper
from vision_cli.cli.render.kpis import span
from vision_cli.cli.text import number, place
from vision_cli.stages.training.curve import CurveResult

_BAR = 40


def draw(result: CurveResult, paper: Paper) -> None:
    """Draw the points, what twice the photos would give, and how many each KPI needs."""
    paper.pairs([("task", result.task), ("photos", f"{result.photos} to learn from, {result.validation} that judge")])
    if result.points:
        paper.heading("Learned from a part of the photos, judged on the validation split")
        rows = [
            (f"{point.share:.0%}", point.photos, number(point.value), span(point.interval), _bar(point.value))
            for point in result.points
        ]
        paper.table(("share", "photos", result.key, "95 % interval", ""), rows, right=(0, 1, 2))
        paper.line()
    paper.line(result.why)
    for target, why in result.needs.items():
        paper.line(f"{target}: {why}")
    if result.run is not None:
        paper.line()
        paper.outcome(f"run: {place(result.run)}")


def draw_brief(result: CurveResult, paper: Paper) -> None:
    """Draw what the curve says."""
    paper.line(result.why)


def _bar(value: float) -> str:
    """Return a bar of a share; nothing of other figures."""
    return "#" * round(_BAR * value) if 0 <= value <= 1 else ""
