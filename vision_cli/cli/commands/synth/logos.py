"""`vision synth logos`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vision_cli.cli.command import WritingCommand, examples, group
from vision_cli.cli.session import Session

app = group("logos", "Put objects on the surfaces of photos.")


@app.command(
    cls=WritingCommand,
    epilog=examples(
        "vision synth logos --logos logos/ --backgrounds photos/ --preview 16",
        "vision synth logos --logos logos/ --backgrounds photos/ -n 50000",
        "vision synth logos -n 60000 --format yolo",
        "vision synth logos -n 50000 --shard 3/16 --out /mnt/shared/logos",
    ),
)
def logos(
    context: typer.Context,
    logos: Annotated[
        Path | None, typer.Option("--logos", metavar="FOLDER", help="Pictures of the objects, cut out; a class each.")
    ] = None,
    backgrounds: Annotated[
        Path | None, typer.Option("--backgrounds", metavar="FOLDER", help="Photos that show none of them.")
    ] = None,
    count: Annotated[
        int | None, typer.Option("--count", "-n", min=1, metavar="N", help="Photos in all; those there are kept.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FOLDER", help="Where they go; synth/logos of the project.")
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Another seed gives other photos.")] = None,
    to: Annotated[
        str | None, typer.Option("--format", metavar="FORMAT", help="Of the data set: coco, yolo, voc ...")
    ] = None,
    workers: Annotated[int | None, typer.Option("--workers", min=1, help="Processes; one a core.")] = None,
    preview: Annotated[
        int | None, typer.Option("--preview", min=1, max=64, metavar="N", help="Only draw N photos and their scenes.")
    ] = None,
    shard: Annotated[
        str | None, typer.Option("--shard", metavar="I/N", help="Make only the i-th of n parts of the photos.")
    ] = None,
) -> None:
    """Put objects on the surfaces of photos: any number of photos, with boxes and masks."""
    session = Session.of(context)
    project = session.project()
    from vision_cli.cli.render.synth import draw
    from vision_cli.stages.synth.logos import LogosRequest, make_logos

    given = (logos, backgrounds, count, out, seed, to, workers, preview, shard)
    request = LogosRequest(project, *given, offline=session.offline, dry_run=session.dry_run)
    session.answer(make_logos(request, session.progress), draw)
