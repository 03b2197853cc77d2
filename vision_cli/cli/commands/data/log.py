"""`vision data log`."""

from __future__ import annotations

from typing import Annotated

import typer

from vision_cli.cli.command import Command, examples, group
from vision_cli.cli.session import Session

app = group("log", "List the versions.")


@app.command(cls=Command, epilog=examples("vision data log", "vision data log source:photos --json"))
def log(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(metavar="[VIEW|SOURCE]", help="Only of this one.")] = None,
) -> None:
    """List the versions, the newest first."""
    session = Session.of(context)
    from vision_cli.cli.render import versions as render
    from vision_cli.stages.versioning import versions as stage

    session.answer(stage.log(session.project(), name), render.log)
