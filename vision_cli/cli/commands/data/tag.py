"""`vision data tag`."""

from __future__ import annotations

from typing import Annotated

import typer

from vision_cli.cli.command import WritingCommand, examples, group
from vision_cli.cli.session import Session

app = group("tag", "Give a version a name.")


@app.command(cls=WritingCommand, epilog=examples("vision data tag v1.2", "vision data tag before-cleaning HEAD~1"))
def tag(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The new name.")],
    version: Annotated[str, typer.Argument(metavar="[VERSION]", help="Id, its beginning, tag or HEAD~1.")] = "HEAD",
    force: Annotated[bool, typer.Option("--force", help="Move a tag that names another version.")] = False,
) -> None:
    """Give a version a name that vision.yaml and commands take."""
    session = Session.of(context)
    from vision_cli.cli.render import versions as render
    from vision_cli.stages.versioning import versions as stage

    result = stage.tag(session.project(), name, version, force=force, dry_run=session.dry_run)
    session.answer(result, render.tag)
