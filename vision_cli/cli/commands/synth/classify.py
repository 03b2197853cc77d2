"""`vision synth classify`."""

from __future__ import annotations

import typer

from vision_cli.cli.command import WritingCommand, examples, group
from vision_cli.cli.commands.synth.options import (
    Backgrounds,
    CheckClean,
    Count,
    Detector,
    Download,
    Format,
    Objects,
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

app = group("classify", "Photos of one object each, for a classifier.")


@app.command(
    cls=WritingCommand,
    epilog=examples(
        "vision synth classify --objects logos/ --backgrounds photos/ --preview 16",
        "vision synth classify --objects logos/ --backgrounds photos/ -n 5000",
        "vision synth classify -n 5000 --check-clean --detector runs/train/latest",
        "vision synth classify -n 5000 synth.classify.negative_class=nothing synth.classify.crop=photo",
    ),
)
def classify(
    context: typer.Context,
    objects: Objects = None,
    backgrounds: Backgrounds = None,
    count: Count = None,
    out: Out = None,
    seed: Seed = None,
    to: Format = None,
    workers: Workers = None,
    preview: Preview = None,
    shard: Shard = None,
    on: On = Place.LOCAL,
    download: Download = False,
    check_clean: CheckClean = False,
    detector: Detector = None,
    real: Real = None,
) -> None:
    """Make photos that show one object each, cropped around it: a folder a class."""
    session = Session.of(context)
    project = session.project()
    from vision_cli.stages.synth.run import SynthRequest

    given = (objects, backgrounds, count, out, seed, to, None, workers, preview, shard)
    request = SynthRequest(
        project, "classify", *given, offline=session.offline, dry_run=session.dry_run, on=on, download=download
    )
    answer(session, request, check_clean, detector, real)
