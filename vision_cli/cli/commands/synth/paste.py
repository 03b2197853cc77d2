"""`vision synth paste`."""

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
    ForTask,
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

app = group("paste", "Put cut-outs of anything into photos.")


@app.command(
    cls=WritingCommand,
    epilog=examples(
        "vision synth paste --objects mugs/ --backgrounds photos/ --preview 16",
        "vision synth paste --objects street/instances.json --backgrounds photos/ -n 5000",
        "vision synth paste --objects labelled --backgrounds empty --task panoptic",
        "vision synth paste -n 2000 --check-clean --real photos/kitchen",
    ),
)
def paste(
    context: typer.Context,
    objects: Objects = None,
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
    """Stand or hold cut-outs of anything in photos: any number of photos, with boxes and masks."""
    session = Session.of(context)
    project = session.project()
    from vision_cli.stages.synth.run import SynthRequest

    given = (objects, backgrounds, count, out, seed, to, task, workers, preview, shard)
    request = SynthRequest(
        project, "paste", *given, offline=session.offline, dry_run=session.dry_run, on=on, download=download
    )
    answer(session, request, check_clean, detector, real)
