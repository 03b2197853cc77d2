"""`vision data gc`."""

from __future__ import annotations

from typing import Annotated

import typer

from vision_cli.cli.command import WritingCommand, examples, group
from vision_cli.cli.session import Session

app = group("gc", "Remove from the store what no version needs.")


@app.command(cls=WritingCommand, epilog=examples("vision data gc --dry-run", "vision data gc --trees"))
def gc(
    context: typer.Context,
    trees: Annotated[
        bool, typer.Option("--trees", help="Also photo folders of versions that vision.yaml does not name.")
    ] = False,
) -> None:
    """Remove what no version in the log needs: contents, and leftovers of commits that were killed."""
    session = Session.of(context)
    from vision_cli.cli.render import versions as render
    from vision_cli.stages.versioning.upkeep import gc

    result = gc(session.project(), trees=trees, dry_run=session.dry_run)
    session.answer(result, render.gc, ok=not result.problems)
