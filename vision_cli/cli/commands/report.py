"""`vision report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vision_cli.cli.command import WritingCommand, examples, group
from vision_cli.cli.session import Session

app = group("report", "Write one self-contained HTML file about the project")


@app.command(cls=WritingCommand, epilog=examples("vision report", "vision report --output shop.html"))
def report(
    context: typer.Context,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="report.html of the project when absent.")
    ] = None,
) -> None:
    """Write data, curves, confusion, mistakes, KPIs and exported files into one HTML file."""
    session = Session.of(context)
    project = session.project()
    from vision_cli.cli.render.report import Planned, draw, draw_plan
    from vision_cli.stages.evaluating.report import ReportRequest, report

    request = ReportRequest(project, output, session.dry_run)
    result = report(request, session.progress)
    if session.dry_run:
        session.answer(Planned(result.path, result.sections), draw_plan)
    else:
        session.answer(result, draw)
