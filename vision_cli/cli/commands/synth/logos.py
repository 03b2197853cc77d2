"""`vision synth logos`."""

from __future__ import annotations

from typing import Annotated

import typer

from vision_cli.cli.command import WritingCommand, examples, group
from vision_cli.cli.commands.synth.options import (
    Backgrounds,
    CheckClean,
    Count,
    Detector,
    Download,
    Format,
    ForTask,
    On,
    Out,
    Place,
    Preview,
    Real,
    Seed,
    Shard,
    Workers,
    answer,
)
from vision_cli.cli.session import Session

app = group("logos", "Put objects on the surfaces of photos.")


@app.command(
    cls=WritingCommand,
    epilog=examples(
        "vision synth logos --logos logos/ --backgrounds photos/ --preview 16",
        "vision synth logos --logos logos/ --backgrounds photos/ -n 50000",
        "vision synth logos -n 60000 --format yolo",
        "vision synth logos --backgrounds rooms --task semantic",
        "vision synth logos -n 2000 --check-clean --real photos/shop",
        "vision synth logos -n 50000 --shard 3/16 --out /mnt/shared/logos",
        "vision synth logos -n 50000 --on ray",
    ),
)
def logos(
    context: typer.Context,
    logos: Annotated[
        str | None,
        typer.Option("--logos", metavar="FOLDER|VIEW", help="Cut-out pictures, a class each; or photos with outlines."),
    ] = None,
    backgrounds: Backgrounds = None,
    count: Count = None,
    out: Out = None,
    seed: Seed = None,
    to: Format = None,
    task: ForTask = None,
    workers: Workers = None,
    preview: Preview = None,
    shard: Shard = None,
    on: On = Place.LOCAL,
    download: Download = False,
    check_clean: CheckClean = False,
    detector: Detector = None,
    real: Real = None,
) -> None:
    """Put objects on the surfaces of photos: any number of photos, with boxes and masks."""
    session = Session.of(context)
    project = session.project()
    from vision_cli.stages.synth.run import SynthRequest

    given = (logos, backgrounds, count, out, seed, to, task, workers, preview, shard)
    request = SynthRequest(
        project, "logos", *given, offline=session.offline, dry_run=session.dry_run, on=on, download=download
    )
    answer(session, request, check_clean, detector, real)
