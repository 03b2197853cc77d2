"""`vision synth distance`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vision_cli.cli.command import Command, examples, group
from vision_cli.cli.session import Session

app = group("distance", "How far photos are from real ones, and why.")


@app.command(
    cls=Command,
    epilog=examples(
        "vision synth distance synth/logos photos/shop",
        "vision synth distance synth/logos photos/shop --json",
        "vision synth distance photos/summer photos/winter --photos 300",
    ),
)
def distance(
    context: typer.Context,
    made: Annotated[Path, typer.Argument(metavar="SYNTH", help="The folder of a run, or any folder of photos.")],
    real: Annotated[Path, typer.Argument(metavar="REAL", help="A folder of real photos; no labels needed.")],
    photos: Annotated[int, typer.Option("--photos", min=20, metavar="N", help="At most so many of each side.")] = 1000,
) -> None:
    """Tell how far made photos are from real ones in the space of embeddings, and which parameters drive it."""
    session = Session.of(context)
    project = session.project()
    from vision_cli.cli.render.synth import draw_distance
    from vision_cli.stages.synth.measuring.distance import DistanceRequest
    from vision_cli.stages.synth.measuring.distance import distance as measure

    session.answer(measure(DistanceRequest(project, made, real, photos), session.progress), draw_distance)
