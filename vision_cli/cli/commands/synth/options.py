"""Options that the commands of `vision synth` share."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vision_cli.cli.session import Session

if TYPE_CHECKING:
    from vision_cli.stages.synth.run import SynthRequest


class Task(StrEnum):
    """What labels of places are for."""

    DETECT = "detect"
    INSTANCE = "instance"
    SEMANTIC = "semantic"
    PANOPTIC = "panoptic"


class Place(StrEnum):
    """Where photos are made."""

    LOCAL = "local"
    RAY = "ray"


Objects = Annotated[
    str | None,
    typer.Option("--objects", metavar="FOLDER|VIEW", help="Cut-outs, a class each; or photos with outlines."),
]
Backgrounds = Annotated[
    str | None, typer.Option("--backgrounds", metavar="FOLDER|VIEW|LIST", help="Photos that show none of them.")
]
Count = Annotated[
    int | None, typer.Option("--count", "-n", min=1, metavar="N", help="Photos in all; those there are kept.")
]
Out = Annotated[
    Path | None, typer.Option("--out", "-o", metavar="FOLDER", help="Where they go; below synth of the project.")
]
Seed = Annotated[int | None, typer.Option("--seed", min=0, help="Another seed gives other photos.")]
Format = Annotated[str | None, typer.Option("--format", metavar="FORMAT", help="Of the data set: coco, yolo, voc ...")]
ForTask = Annotated[Task | None, typer.Option("--task", help="What the labels are for; it chooses the format.")]
Workers = Annotated[int | None, typer.Option("--workers", min=1, help="Processes; one a core.")]
Preview = Annotated[
    int | None, typer.Option("--preview", min=1, max=64, metavar="N", help="Only draw N photos and their scenes.")
]
Shard = Annotated[
    str | None, typer.Option("--shard", metavar="I/N", help="Make only the i-th of n parts of the photos.")
]
On = Annotated[Place, typer.Option("--on", help="Who makes them: this machine, or the Ray cluster of RAY_ADDRESS.")]
Download = Annotated[
    bool, typer.Option("--download", help="Fetch what is missing where backgrounds are a list of addresses.")
]

CheckClean = Annotated[
    bool, typer.Option("--check-clean", help="Look for the objects in the backgrounds; use none that shows one.")
]
Detector = Annotated[
    Path | None,
    typer.Option("--detector", metavar="RUN|FILE", help="With --check-clean: a model of ours that looks as well."),
]
Real = Annotated[
    Path | None, typer.Option("--real", metavar="FOLDER", help="Real photos: tell how far from them it is.")
]


def answer(
    session: Session, request: SynthRequest, check_clean: bool, detector: Path | None, real: Path | None
) -> None:
    """Make the photos, and tell what came of it; the last three are the options of these names."""
    from vision_cli.cli.render.synth import draw
    from vision_cli.stages.synth.run import make_photos

    asked = replace(request, check_clean=check_clean or None, detector=detector, real=real)
    session.answer(make_photos(asked, session.progress), draw)
