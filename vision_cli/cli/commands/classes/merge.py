"""`vision classes merge`."""

from __future__ import annotations

from typing import Annotated

import typer

from vision_cli.cli.command import WritingCommand, examples, group
from vision_cli.cli.commands.classes.options import asked
from vision_cli.cli.session import Session

app = group("merge", "Put classes together.")


@app.command(
    cls=WritingCommand,
    epilog=examples("vision classes merge winter autumn", "vision classes merge outerwear coat jacket"),
)
def merge(
    context: typer.Context,
    into: Annotated[str, typer.Argument(metavar="INTO", help="The class that they become, there already or new.")],
    others: Annotated[list[str], typer.Argument(metavar="CLASS...", help="Classes that go into it.")],
) -> None:
    """Put classes together under one name."""
    session = Session.of(context)
    from vision_cli.cli.render import classes as render
    from vision_cli.stages.few_shot import changing

    session.answer(changing.merge(asked(session), into, others), render.changed)
