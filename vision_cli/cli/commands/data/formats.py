"""`vision data formats`."""

from __future__ import annotations

import typer

from vision_cli.cli.command import Command, examples, group
from vision_cli.cli.session import Session

app = group("formats", "List the dataset formats")


@app.command(cls=Command, epilog=examples("vision data formats", "vision data formats --json"))
def formats(context: typer.Context) -> None:
    """List the dataset formats, and which of them can be written."""
    session = Session.of(context)
    from vision_cli.cli.render import catalogues as render
    from vision_cli.stages.project.catalogues import format_table

    session.answer(format_table(), render.formats)
