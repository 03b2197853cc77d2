"""`vision embed`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vision_cli.cli import completion
from vision_cli.cli.command import WritingCommand, examples, group
from vision_cli.cli.session import Session

app = group("embed", "Turn photos into vectors, and lay them flat on a map")


@app.command(
    cls=WritingCommand,
    epilog=examples(
        "vision embed all",
        "vision embed photos/ --to vectors.parquet --map map.html",
        "vision embed shots.zip --layer blocks.4 --to vectors.parquet",
        "vision embed all --model runs/train/latest --to vectors.parquet",
        "vision embed https://example.org/cat.jpg --allow-host example.org --to cat.parquet",
    ),
)
def embed(
    context: typer.Context,
    inputs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[VIEW|FOLDER|ARCHIVE|PHOTO...]",
            help="The training's view when absent.",
            autocompletion=completion.beside_files,
            show_default=False,
        ),
    ] = None,
    layer: Annotated[
        str, typer.Option("--layer", "-l", metavar="NAME", help="Any layer; a wrong name shows those that there are.")
    ] = "penultimate",
    to: Annotated[
        Path | None,
        typer.Option("--to", "-o", metavar="FILE", help="Parquet: path, label, vector; else in runs/embed."),
    ] = None,
    page: Annotated[Path | None, typer.Option("--map", metavar="FILE", help="Write the map as an HTML page.")] = None,
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
    """Embed photos through the runtime that is the fastest here; what is known is not computed again."""
    session = Session.of(context)
    project = session.project()
    from vision_cli.cli.render import embed as render
    from vision_cli.core.errors import DataError
    from vision_cli.stages.embedding.embed import EmbedRequest, Network, embed
    from vision_cli.stages.embedding.inputs import Wanted

    wanted = Wanted(project, tuple(inputs or ()), tuple(allow_host or ()), session.offline)
    request = EmbedRequest(wanted, Network(layer, model, backbone, threads), to, page, session.dry_run)
    result = embed(request, session.progress)
    draw = session.unless_quiet(render.draw, render.draw_brief)
    session.answer(result, draw, exit_code=DataError.exit_code if result.refused else 0)
