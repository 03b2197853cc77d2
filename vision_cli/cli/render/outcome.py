"""What was written, or why nothing was, for people."""

from __future__ import annotations

from vision_cli.cli.paper import Paper
from vision_cli.cli.text import place
from vision_cli.stages.labelling.task_writing import Outcome


def draw(outcome: Outcome, paper: Paper) -> None:
    """Draw how many photos and annotations a data set has, what it cannot hold, and where it is."""
    report = outcome.report
    paper.line()
    for what, tally in (("photos", report.images), ("annotations", report.annotations)):
        for reason, number in {**tally.dropped, **tally.changed}.items():
            paper.line(f"{number} {what}: {reason}")
    if not outcome.ok:
        paper.line(f"Nothing was written: {report.target_format} cannot hold all of it.", style="red")
        paper.line("hint: " + " ".join(f"--allow-loss {name}" for name in report.not_allowed))
        return
    verb = "written" if outcome.written else "would write"
    counts = f"{report.images.after} photos, {report.annotations.after} annotations, {report.target_format}"
    paper.line(f"{verb}: {place(outcome.folder)} ({counts})", style="green")
