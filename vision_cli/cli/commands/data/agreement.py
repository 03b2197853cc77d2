"""`vision data agreement`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from vision_cli.cli.command import WritingCommand, examples, group
from vision_cli.cli.commands.data.convert import Images
from vision_cli.cli.data_options import AllowLoss, ImagesRoot
from vision_cli.cli.session import Session

app = group("agreement", "Measure how far several people agree, and write what they agree on.")


class Level(StrEnum):
    """What differences between classes mean."""

    NOMINAL = "nominal"
    ORDINAL = "ordinal"
    INTERVAL = "interval"


@app.command(
    cls=WritingCommand,
    epilog=examples(
        "vision data agreement export.json",
        "vision data agreement alice=a/ bob=b/ carol=c/ --iou 0.7 --consensus agreed/ --to coco",
        "vision data agreement ratings.json --level ordinal --json",
    ),
)
def agreement(
    context: typer.Context,
    answers: Annotated[list[str], typer.Argument(metavar="PATH...", help="Answers; NAME=PATH says who answered.")],
    iou: Annotated[float, typer.Option("--iou", help="Smallest overlap of the same object.")] = 0.5,
    level: Annotated[Level, typer.Option("--level", help="Classes in order, or mere names.")] = Level.NOMINAL,
    consensus: Annotated[
        Path | None, typer.Option("--consensus", metavar="FOLDER", help="Write what they agree on.")
    ] = None,
    to: Annotated[str, typer.Option("--to", metavar="FORMAT", help="Format of the consensus.")] = "coco",
    votes: Annotated[
        int | None, typer.Option("--votes", min=1, metavar="K", help="People who drew an object; more than half.")
    ] = None,
    source_format: Annotated[
        str | None, typer.Option("--from", metavar="FORMAT", help="Of the answers; found by itself.")
    ] = None,
    images_root: ImagesRoot = None,
    allow_loss: AllowLoss = None,
    images: Annotated[Images, typer.Option("--images", help="How photos get there.")] = Images.COPY,
    force: Annotated[bool, typer.Option("--force", help="Replace a folder that is not empty.")] = False,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the intervals.")] = 0,
) -> None:
    """Compare what several people said of the same photos: kappa and alpha of classes, IoU and F1 of objects."""
    session = Session.of(context)
    from vision_cli.cli.render import agreement as render
    from vision_cli.stages.labelling.agreement import AgreementRequest, agree
    from vision_cli.stages.labelling.task_writing import Target

    target = None
    if consensus is not None:
        target = Target(consensus, to, frozenset(allow_loss or ()), images.value, force, session.dry_run)
    request = AgreementRequest(tuple(answers), source_format, iou, level.value, votes, target, seed, images_root)
    result = agree(request, session.progress)
    session.answer(result, render.draw, ok=result.ok)
