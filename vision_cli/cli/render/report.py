"""`vision report` for people."""

from __future__ import annotations

from vision_cli.cli.paper import Paper
from vision_cli.cli.text import place
from vision_cli.stages.evaluating.report import ReportResult


def draw(result: ReportResult, paper: Paper) -> None:
    """Draw where the page lies and what it shows."""
    size = f"{result.size_mb:.2f} MB" if result.size_mb else "would be written"
    paper.outcome(f"report  {place(result.path)} ({size})")
    paper.pairs([("shows", ", ".join(result.sections))])
