"""`vision classes remove`."""

from __future__ import annotations

from typing import Annotated

import typer

from vision_cli.cli import completion
from vision_cli.cli.command import WritingCommand, examples, group
from vision_cli.cli.commands.classes.options import Name, asked
from vision_cli.cli.session import Session

app = group("remove", "Take a class out, or some of its photos.")


@app.command(cls=WritingCommand, epilog=examples("vision classes remove winter w2.jpg", "vision classes remove winter"))
def remove(
    context: typer.Context,
    name: Name,
    photos: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[PHOTO...]",
            help="Some of its photos; without any the whole class.",
            autocompletion=completion.beside_files,
            show_default=False,
        ),
    ] = None,
) -> None:
    """Take a class out, or some of its photos; the photos themselves stay where they are."""
    session = Session.of(context)
    from vision_cli.cli.render import classes as render
    from vision_cli.stages.few_shot import changing

    session.answer(changing.remove(asked(session), name, photos or []), render.changed)
