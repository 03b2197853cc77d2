"""`vision models bench` for people."""

from __future__ import annotations

from vision_cli.cli.paper import Paper
from vision_cli.cli.render.compare import draw_notes, draw_rows, draw_standing
from vision_cli.cli.text import place
from vision_cli.stages.comparing.bench import BenchResult


def draw(result: BenchResult, paper: Paper) -> None:
    """Draw the candidates beside each other, and who meets the KPIs at the least cost."""
    data = result.data
    where = f"view {data['view']}" if "view" in data else str(data["path"])
    paper.pairs([("task", result.task), ("data", f"{data['photos']} photos, {where}, split {data['split']}")])
    if result.standing is None:
        paper.pairs([("would measure", ", ".join(result.candidates)), ("on", ", ".join(result.runtimes))])
        draw_notes(result.notes, paper)
        return
    paper.heading("Candidates on this machine")
    draw_rows(result.rows, result.standing, paper)
    draw_standing(result.standing, paper, judged=True)
    draw_notes(result.notes, paper)
    paper.line()
    if result.plot is not None:
        paper.line(f"plot: {place(result.plot)}")
    if result.run is not None:
        paper.line(f"run: {place(result.run)}")


def draw_brief(result: BenchResult, paper: Paper) -> None:
    """Draw who is chosen, and where the run lies."""
    if result.standing is not None:
        paper.line(result.standing.why)
    paper.line(
        f"run: {place(result.run)}" if result.run is not None else f"would measure {', '.join(result.candidates)}"
    )
