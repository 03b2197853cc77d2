"""`vision classes add`."""

from __future__ import annotations

from typing import Annotated

import typer

from vision_cli.cli import completion
from vision_cli.cli.command import WritingCommand, examples, group
from vision_cli.cli.commands.classes.options import Backbone, Head, Name, asked
from vision_cli.cli.session import Session

app = group("add", "Make photos examples of a class.")


@app.command(
    cls=WritingCommand,
    epilog=examples(
        "vision classes add winter w1.jpg w2.jpg w3.jpg",
        "vision classes add summer summer/ 'more/**/*.png'",
        "vision classes add winter w4.jpg --head svm",
    ),
)
def add(
    context: typer.Context,
    name: Name,
    photos: Annotated[
        list[str],
        typer.Argument(metavar="PHOTO...", help="Files, folders and globs.", autocompletion=completion.beside_files),
    ],
    backbone: Backbone = None,
    head: Head = None,
) -> None:
    """Make photos examples of a class, which may be new; classes.json beside vision.yaml keeps them."""
    session = Session.of(context)
    from vision_cli.cli.render import classes as render
    from vision_cli.stages.few_shot import changing

    settings = changing.Settings(backbone, head)
    session.answer(changing.add(asked(session), name, photos, settings, session.progress), render.changed)
