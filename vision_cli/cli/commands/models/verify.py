"""`vision models verify`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vision_cli.cli.command import Command, examples, group
from vision_cli.cli.session import Session

app = group("verify", "Compare the cache, or bundles, with their checksums.")


@app.command(cls=Command, epilog=examples("vision models verify", "vision models verify weights.tar"))
def verify(
    context: typer.Context,
    bundles: Annotated[
        list[Path], typer.Argument(metavar="[BUNDLE]...", help="Files that `bundle` wrote; the cache when absent.")
    ] = [],
) -> None:
    """Compare weights with the checksums that came with them; exit code 4 when one has changed."""
    session = Session.of(context)
    from vision_cli.cli.render import weight_files as render
    from vision_cli.stages.project.weight_checks import verify

    result = verify(bundles, progress=session.progress)
    session.answer(result, render.verified, ok=result.is_whole)
