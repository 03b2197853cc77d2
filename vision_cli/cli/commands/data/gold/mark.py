"""`vision data gold mark`."""

from __future__ import annotations

from typing import Annotated

import typer

from vision_cli.cli.command import WritingCommand, examples, group
from vision_cli.cli.session import Session

app = group("mark", "Say which photos have labels that are right.")


@app.command(
    cls=WritingCommand, epilog=examples("vision data gold mark checked", "vision data gold mark checked --dry-run")
)
def mark(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="VIEW|SOURCE", help="A view or a source of vision.yaml.")],
) -> None:
    """Write `data.gold` into vision.yaml; all else in the file stays as it is."""
    session = Session.of(context)
    from vision_cli.cli.render import gold as render
    from vision_cli.stages.labelling.gold import mark

    session.answer(mark(session.project(), name, dry_run=session.dry_run), render.marked)
