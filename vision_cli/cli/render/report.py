"""`vision report` for people."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vision_cli.cli.paper import Paper
from vision_cli.cli.text import place
from vision_cli.stages.evaluating.report import ReportResult


@dataclass(frozen=True, slots=True)
class Planned:
    """What a dry run tells of a page: its place and sections, and no size, which only the written page has."""

    path: Path
    sections: tuple[str, ...]


def draw(result: ReportResult, paper: Paper) -> None:
    """Draw where the page lies and what it shows."""
    paper.outcome(f"report  {place(result.path)} ({result.size_mb:.2f} MB)")
    paper.pairs([("shows", ", ".join(result.sections)), *(("leaves out", each) for each in result.left_out)])


def draw_plan(result: Planned, paper: Paper) -> None:
    """Draw where the page would lie and what it would show."""
    paper.outcome(f"report  {place(result.path)} (would be written)")
    paper.pairs([("shows", ", ".join(result.sections))])
