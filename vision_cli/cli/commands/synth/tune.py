"""`vision synth tune`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from vision_cli.cli.command import WritingCommand, examples, group
from vision_cli.cli.commands.synth.options import Backgrounds, Workers
from vision_cli.cli.session import Session

app = group("tune", "Search settings that do better on real photos.")


class Of(StrEnum):
    """Whose settings are searched."""

    LOGOS = "logos"
    PASTE = "paste"
    CLASSIFY = "classify"


@app.command(
    cls=WritingCommand,
    epilog=examples(
        "vision synth tune --real street",
        "vision synth tune --real photos/labelled --minutes 120",
        "vision synth tune --real street --trials 40 --search size_share,rotation_deg,looks",
        "vision synth tune --of paste --real street model.weights=runs/train/latest/model/model.safetensors",
    ),
)
def tune(
    context: typer.Context,
    of: Annotated[Of, typer.Option("--of", help="Whose settings.")] = Of.LOGOS,
    real: Annotated[
        str | None,
        typer.Option("--real", metavar="VIEW|DATA", help="Labelled real photos to judge on: their side `val`."),
    ] = None,
    objects: Annotated[
        str | None, typer.Option("--objects", "--logos", metavar="FOLDER|VIEW", help="As for the command.")
    ] = None,
    backgrounds: Backgrounds = None,
    trials: Annotated[
        int | None, typer.Option("--trials", min=1, max=10_000, help="In all; more of them later go on.")
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option("--minutes", min=0.1, help="About what this call may take; alone, as many trials as fit."),
    ] = None,
    photos: Annotated[int | None, typer.Option("--photos", min=8, help="Synthetic photos of a trial.")] = None,
    epochs: Annotated[int | None, typer.Option("--epochs", min=1, help="Of a trial's training.")] = None,
    confirm: Annotated[
        int | None, typer.Option("--confirm", min=0, max=20, help="Trials of the best with other seeds.")
    ] = None,
    search: Annotated[
        str | None, typer.Option("--search", metavar="NAME,...", help="Settings to search: size_share, looks ...")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FOLDER", help="Of the search; below synth/tune.")
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Another seed tries other settings.")] = None,
    workers: Workers = None,
) -> None:
    """Search the settings of made photos under which a short training does best on a few real ones."""
    session = Session.of(context)
    project = session.project()
    from vision_cli.cli.render.synth_tune import draw
    from vision_cli.stages.synth.tuning.request import TuneRequest
    from vision_cli.stages.synth.tuning.tune import tune as run

    names = tuple(name.strip() for name in (search or "").split(",") if name.strip())
    given = (real, objects, backgrounds, trials, minutes, photos, epochs, confirm, names, out, seed, workers)
    request = TuneRequest(project, of.value, *given, offline=session.offline, dry_run=session.dry_run)
    session.answer(run(request, session.progress), draw)
