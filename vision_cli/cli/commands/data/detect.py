"""`vision data detect`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vision_cli.cli.command import Command, examples, group
from vision_cli.cli.session import Session

app = group("detect", "Name the format of a folder or file.")


@app.command(cls=Command, epilog=examples("vision data detect photos/", "vision data detect labels.json --json"))
def detect(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(metavar="PATH", help="Folder or file of a data set.")],
    follow_links: Annotated[
        bool, typer.Option("--follow-links", help="Links in it may lead out of the folder.")
    ] = False,
) -> None:
    """Name the format of a folder or file and what speaks for it; exit code 3 when none fits or several do."""
    session = Session.of(context)
    from vision_cli.cli.render import data as render
    from vision_cli.stages.detecting import detect

    session.answer(detect(path, "follow" if follow_links else "stay"), render.detection)
