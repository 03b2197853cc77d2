"""`vision data verify`."""

from __future__ import annotations

from typing import Annotated

import typer

from vision_cli.cli.command import Command, examples, group
from vision_cli.cli.session import Session

app = group("verify", "Read stored versions and compare every byte with its hash.")


@app.command(cls=Command, epilog=examples("vision data verify", "vision data verify v1.2 --json"))
def verify(
    context: typer.Context,
    version: Annotated[str | None, typer.Argument(metavar="[VERSION]", help="Only this one.")] = None,
) -> None:
    """Read stored versions and compare every byte with its hash; exit code 4 when one differs."""
    session = Session.of(context)
    from vision_cli.cli.render import versions as render
    from vision_cli.stages.versioning.upkeep import verify

    result = verify(session.project(), version, session.progress)
    session.answer(result, render.verify, ok=result.ok)
