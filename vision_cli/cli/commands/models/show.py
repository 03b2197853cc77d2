"""`vision models show`."""

from __future__ import annotations

from typing import Annotated

import typer

from vision_cli.cli.command import Command, examples, group
from vision_cli.cli.session import Session

app = group("show", "Tell all about one file of published weights.")


@app.command(
    cls=Command,
    epilog=examples("vision models show yolo11n", "vision models show torchvision/resnet50 --classes"),
)
def show(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Family and backbone, or the backbone alone.")],
    classes: Annotated[bool, typer.Option("--classes", help="Also the names of its classes.")] = False,
) -> None:
    """Tell what weights answer, how well by their authors' account, how large they are, and under which licence."""
    session = Session.of(context)
    from vision_cli.cli.render import weights as render
    from vision_cli.stages.project.published import show

    session.answer(show(name), render.shown_with_classes if classes else render.shown)
