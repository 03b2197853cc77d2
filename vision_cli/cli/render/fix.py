"""`vision data fix` for people."""

from __future__ import annotations

from vision_cli.cli.paper import Paper
from vision_cli.cli.render import data
from vision_cli.cli.text import place
from vision_cli.stages.checking.fix import FixResult

_SHOWN = 20


def draw(result: FixResult, paper: Paper) -> None:
    """Draw the repairs by name, the first records, and what was written."""
    paper.line(f"{result.data}: {len(result.lines):,} repairs", style="bold")
    paper.heading("Repairs")
    paper.table(("repair", "records"), list(result.repairs.items()), right=(1,))
    if result.lines:
        paper.heading("Records")
        rows = [
            (each.repair, each.file, each.annotation or "", each.before, each.after) for each in result.lines[:_SHOWN]
        ]
        paper.table(("repair", "file", "annotation", "before", "after"), rows)
        if len(result.lines) > _SHOWN:
            paper.line(f"and {len(result.lines) - _SHOWN:,} more: --csv and --json list all")
    paper.line()
    if result.conversion is not None:
        _written(result, paper)
    if result.csv is not None:
        paper.line(f"written: {place(result.csv)}", style="green")


def _written(result: FixResult, paper: Paper) -> None:
    conversion = result.conversion
    if conversion is None:
        return
    report = conversion.report
    if not conversion.ok or report.source_format != report.target_format:
        data.conversion(conversion, paper)
        return
    counts = f"{report.images.after:,} photos, {report.annotations.after:,} annotations, {report.target_format}"
    verb = "written" if conversion.written else "would write"
    paper.outcome(f"{verb}: {place(conversion.target)} ({counts}, photos: {conversion.images})", style="green")
