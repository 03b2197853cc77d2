"""`vision classes show`."""

from __future__ import annotations

import typer

from vision_cli.cli.command import Command, examples, group
from vision_cli.cli.commands.classes.options import Name, asked
from vision_cli.cli.session import Session

app = group("show", "Show the examples of a class.")


@app.command(cls=Command, epilog=examples("vision classes show winter"))
def show(context: typer.Context, name: Name) -> None:
    """Show the examples of a class, and what the others take each of them for."""
    session = Session.of(context)
    from vision_cli.cli.render import classes as render
    from vision_cli.stages.few_shot import telling

    session.answer(telling.show_class(asked(session), name, session.progress), render.shown)
