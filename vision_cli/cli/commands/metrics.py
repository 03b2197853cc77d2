"""`vision metrics`."""

from __future__ import annotations

from typing import Annotated

import typer

from vision_cli.cli.command import Command, examples, group, group_options
from vision_cli.cli.session import Session

app = group("metrics", "List the metrics that a KPI may name.")
app.callback()(group_options)


@app.command("list", cls=Command, epilog=examples("vision metrics list detect", "vision metrics list --json"))
def list_metrics(
    context: typer.Context,
    task: Annotated[str | None, typer.Argument(metavar="[TASK]", help="Only those of this task.")] = None,
) -> None:
    """List what a KPI may name, with its unit and which direction is better."""
    session = Session.of(context)
    from vision_cli.cli.render import catalogues as render
    from vision_cli.stages.project.catalogues import metric_table

    session.answer(metric_table(task), render.metrics)
