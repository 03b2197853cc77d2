"""`vision augment`."""

from __future__ import annotations

from typing import Annotated

import typer

from vision_cli.cli.command import Command, examples, group, group_options
from vision_cli.cli.session import Session

app = group("augment", "Show the augmentation presets.")
app.callback()(group_options)


@app.command("show", cls=Command, epilog=examples("vision augment show", "vision augment show strong"))
def show(
    context: typer.Context,
    preset: Annotated[str | None, typer.Argument(metavar="[PRESET]", help="light, medium or strong; all.")] = None,
) -> None:
    """Print what each preset does to a photo, in order."""
    session = Session.of(context)
    from vision_cli.cli.render.augment import draw
    from vision_cli.stages.project.catalogues import augmentations

    session.answer(augmentations(preset), draw)
