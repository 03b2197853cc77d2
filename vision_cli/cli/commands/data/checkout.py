"""`vision data checkout`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from vision_cli.cli.command import WritingCommand, examples, group
from vision_cli.cli.data_options import AllowLoss
from vision_cli.cli.session import Session

app = group("checkout", "Bring a version back as a folder.")


class Images(StrEnum):
    """How photos get into the folder."""

    COPY = "copy"
    HARDLINK = "hardlink"
    SYMLINK = "symlink"


@app.command(
    cls=WritingCommand,
    epilog=examples(
        "vision data checkout v1.2 old/",
        "vision data checkout HEAD~1 old/ --images hardlink",
        "vision data checkout v1.2 coco/ --to coco --allow-loss group",
    ),
)
def checkout(
    context: typer.Context,
    version: Annotated[str, typer.Argument(metavar="VERSION", help="Id, its beginning, tag, HEAD or HEAD~1.")],
    target: Annotated[Path, typer.Argument(metavar="DIR", help="Folder that appears whole or not at all.")],
    to: Annotated[str, typer.Option("--to", metavar="FORMAT", help="Its format; vision holds everything.")] = "vision",
    images: Annotated[
        Images, typer.Option("--images", help="How photos get there; links are read-only.")
    ] = Images.COPY,
    force: Annotated[bool, typer.Option("--force", help="Replace a folder that is not empty.")] = False,
    allow_loss: AllowLoss = None,
) -> None:
    """Bring a version back as a folder; every photo and table is compared with its hash."""
    session = Session.of(context)
    from vision_cli.cli.render import versions as render
    from vision_cli.stages.versioning.checkout import CheckoutRequest, checkout

    request = CheckoutRequest(
        session.project(),
        version,
        target,
        to=to,
        images=images.value,
        force=force,
        allowed=frozenset(allow_loss or ()),
        dry_run=session.dry_run,
    )
    result = checkout(request, session.progress)
    session.answer(result, render.checkout, ok=result.ok)
