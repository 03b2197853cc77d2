"""`vision classes rename`."""

from __future__ import annotations

from typing import Annotated

import typer

from vision_cli.cli.command import WritingCommand, examples, group
from vision_cli.cli.commands.classes.options import Name, asked
from vision_cli.cli.session import Session

app = group("rename", "Give a class another name.")


@app.command(cls=WritingCommand, epilog=examples("vision classes rename winter 'winter coat'"))
def rename(
    context: typer.Context,
    old: Name,
    new: Annotated[str, typer.Argument(metavar="NEW", help="Its new name.")],
) -> None:
    """Give a class another name."""
    session = Session.of(context)
    from vision_cli.cli.render import classes as render
    from vision_cli.stages.few_shot import changing

    session.answer(changing.rename(asked(session), old, new), render.changed)
