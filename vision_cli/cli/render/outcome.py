"""What was written, or why nothing was, for people."""

from __future__ import annotations

from vision_cli.cli.paper import Paper
from vision_cli.cli.render.data import PHOTOS_HINT, loss_hints
from vision_cli.cli.text import place
from vision_cli.stages.labelling.task_writing import Outcome


def draw(outcome: Outcome, paper: Paper, photos_hint: str = PHOTOS_HINT) -> None:
    """Draw how many photos and annotations a data set has, what it cannot hold, and where it is."""
    report = outcome.report
    paper.line()
    for what, tally in (("photos", report.images), ("annotations", report.annotations)):
        for reason, number in {**tally.dropped, **tally.changed}.items():
            paper.line(f"{number} {what}: {reason}")
    if not outcome.ok:
        problem = "no photo is left" if outcome.nothing_left else f"{report.target_format} cannot hold all of it"
        paper.line(f"Nothing was written: {problem}.", style="red")
        loss_hints(report, paper, photos_hint)
        return
    verb = "written" if outcome.written else "would write"
    counts = f"{report.images.after} photos, {report.annotations.after} annotations, {report.target_format}"
    paper.outcome(f"{verb}: {place(outcome.folder)} ({counts})", style="green")
