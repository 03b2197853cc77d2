"""`vision find`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vision_cli.cli import completion
from vision_cli.cli.command import WritingCommand, examples, group
from vision_cli.cli.session import Session

app = group("find", "Find the photos that are most like one")


@app.command(
    cls=WritingCommand,
    epilog=examples(
        "vision find --like photo.jpg",
        "vision find --like photo.jpg photos/ --number 20 --to alike.png",
        "vision find --like photo.jpg shots.zip --layer blocks.4 --json",
    ),
)
def find(
    context: typer.Context,
    inputs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[VIEW|FOLDER|ARCHIVE|PHOTO...]",
            help="Where to look; the training's view when absent.",
            autocompletion=completion.beside_files,
            show_default=False,
        ),
    ] = None,
    like: Annotated[
        list[Path] | None, typer.Option("--like", metavar="PHOTO", help="Of several, what they have in common.")
    ] = None,
    number: Annotated[int, typer.Option("--number", "-n", min=1, help="Photos to find.")] = 10,
    to: Annotated[
        Path | None, typer.Option("--to", "-o", metavar="FILE", help="A sheet (.png, .jpg) or page (.html) of them.")
    ] = None,
    layer: Annotated[str, typer.Option("--layer", "-l", metavar="NAME", help="Whose vectors tell.")] = "penultimate",
    model: Annotated[
        Path | None, typer.Option("--model", "-m", metavar="PATH", help="The backbone of a trained run.")
    ] = None,
    backbone: Annotated[
        str | None, typer.Option("--backbone", metavar="NAME", help="A published one; the project's when absent.")
    ] = None,
    allow_host: Annotated[
        list[str] | None, typer.Option("--allow-host", metavar="HOST", help="https photos may be fetched from it.")
    ] = None,
    threads: Annotated[int | None, typer.Option("--threads", min=1, help="That compute at once; all cores.")] = None,
) -> None:
    """Show photos by the distance of their vectors: 0 is the same photo, 1 has nothing in common."""
    session = Session.of(context)
    project = session.project()
    from vision_cli.cli.render import find as render
    from vision_cli.core.errors import DataError
    from vision_cli.stages.embedding.embed import Network
    from vision_cli.stages.embedding.find import FindRequest, find
    from vision_cli.stages.embedding.inputs import Wanted

    wanted = Wanted(project, tuple(inputs or ()), tuple(allow_host or ()), session.offline)
    network = Network(layer, model, backbone, threads)
    request = FindRequest(tuple(like or ()), wanted, network, number, to, session.dry_run)
    result = find(request, session.progress)
    draw = session.unless_quiet(render.draw, render.draw_brief)
    session.answer(result, draw, exit_code=DataError.exit_code if result.refused else 0)
