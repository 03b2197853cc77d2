"""`vision models`."""

from __future__ import annotations

from typing import Annotated

import typer

from vision_cli.cli.command import Command, examples, group, group_options
from vision_cli.cli.session import Session

app = group("models", "List the model families and their networks.")
app.callback()(group_options)


@app.command("list", cls=Command, epilog=examples("vision models list", "vision models list timm --json"))
def list_models(
    context: typer.Context,
    family: Annotated[
        str | None, typer.Argument(metavar="[FAMILY]", help="Name the networks of this family instead.")
    ] = None,
) -> None:
    """List the families, or the networks of one."""
    session = Session.of(context)
    from vision_cli.cli.render import models as render
    from vision_cli.stages.project.catalogues import families, networks

    if family is None:
        session.answer(families(), render.families)
    else:
        session.answer(networks(family), render.networks)
