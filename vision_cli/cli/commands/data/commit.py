"""`vision data commit`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from vision_cli.cli.command import WritingCommand, examples, group
from vision_cli.cli.session import Session

app = group("commit", "Keep the present state of a view or source as a version.")


class Photos(StrEnum):
    """How photos get into the store."""

    COPY = "copy"
    HARDLINK = "hardlink"


_PHOTOS = "copy: on write where the disk can (no room), else whole; hardlink: no room, and your files become read-only."


@app.command(
    cls=WritingCommand,
    epilog=examples(
        'vision data commit -m "first delivery"',
        'vision data commit source:photos -m "relabelled by hand" --tag v1.2',
        'vision data commit all -m "two terabytes" --photos hardlink',
    ),
)
def commit(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(metavar="[VIEW|SOURCE]", help="The training's view.")] = None,
    message: Annotated[str, typer.Option("--message", "-m", metavar="TEXT", help="What changed and why.")] = "",
    tag: Annotated[str | None, typer.Option("--tag", metavar="NAME", help="Give the version this name.")] = None,
    photos: Annotated[Photos, typer.Option("--photos", help=_PHOTOS)] = Photos.COPY,
) -> None:
    """Keep labels and photos as a version; the same data is the same version, on every machine."""
    session = Session.of(context)
    from vision_cli.cli.render import versions as render
    from vision_cli.stages.versioning import versions as stage

    project = session.project()
    if tag is not None:
        stage.check_tag(project, tag)
    request = stage.CommitRequest(project, name, message, photos.value, session.dry_run)
    result = stage.commit(request, session.progress)
    if tag is not None and not session.dry_run:
        stage.tag(project, tag, result.entry.id)
    session.answer(result, render.commit)
