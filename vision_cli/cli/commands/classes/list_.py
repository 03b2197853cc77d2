"""`vision classes list`."""

from __future__ import annotations

import typer

from vision_cli.cli.command import Command, examples, group
from vision_cli.cli.commands.classes.options import asked
from vision_cli.cli.session import Session

app = group("list", "List the classes and how well they are told apart.")


@app.command(cls=Command, epilog=examples("vision classes list", "vision classes list --json"))
def list_classes(context: typer.Context) -> None:
    """List the classes, and how many examples of each the others name rightly."""
    session = Session.of(context)
    from vision_cli.cli.render import classes as render
    from vision_cli.stages.few_shot import telling

    session.answer(telling.list_classes(asked(session), session.progress), render.listing)
