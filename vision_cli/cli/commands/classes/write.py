"""`vision classes write`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vision_cli.cli.command import WritingCommand, examples, group
from vision_cli.cli.commands.classes.options import asked
from vision_cli.cli.session import Session

app = group("write", "Write them as a model for eval, export and report.")


@app.command(
    cls=WritingCommand,
    epilog=examples(
        "vision classes write models/seasons && vision export --model models/seasons",
        "vision classes write models/seasons && vision eval --model models/seasons --data test/",
    ),
)
def write(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="New folder of the model.")],
) -> None:
    """Write the classes as a model of the family `features`; this loads torch."""
    session = Session.of(context)
    from vision_cli.cli.render import classes as render
    from vision_cli.stages.few_shot import writing

    session.answer(writing.write(asked(session), folder, session.progress), render.written)
