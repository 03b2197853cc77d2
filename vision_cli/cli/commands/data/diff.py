"""`vision data diff`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vision_cli.cli.command import Command, examples, group
from vision_cli.cli.session import Session

app = group("diff", "Show what differs between two versions.")


@app.command(
    cls=Command,
    epilog=examples(
        "vision data diff HEAD~1 HEAD", "vision data diff v1.2 --csv changes.csv", "vision data diff v1 v2 --json"
    ),
)
def diff(
    context: typer.Context,
    before: Annotated[str | None, typer.Argument(metavar="[A]", help="Id, its beginning, tag; HEAD.")] = None,
    after: Annotated[str | None, typer.Argument(metavar="[B]", help="Another one; the data as it is now.")] = None,
    csv: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="Write every row that differs.")] = None,
) -> None:
    """Show what differs: photos, annotations, classes and splits, counted; rows with --csv."""
    session = Session.of(context)
    from vision_cli.cli.render import versions as render
    from vision_cli.stages.versioning.diff import diff

    session.answer(diff(session.project(), before, after, csv, session.progress), render.diff)
