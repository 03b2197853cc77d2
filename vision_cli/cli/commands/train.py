"""`vision train`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from vision_cli.cli.command import WritingCommand, examples, group
from vision_cli.cli.session import Session
from vision_cli.core.errors import UsageError

if TYPE_CHECKING:
    from vision_cli.core.project import Project

app = group("train", "Train the model of the project file")


@app.command(
    cls=WritingCommand,
    epilog=examples(
        "vision train",
        "vision train train.epochs=30 train.freeze=none",
        "vision train model.family=features model.features.classifier=svm",
        "vision train --overfit 8",
        "vision train --fraction 0.05 --epochs 1",
        "vision train --curve 12,25,50,100",
        "vision train --resume",
    ),
)
def train(
    context: typer.Context,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the last run, interrupted or killed.")] = False,
    overfit: Annotated[
        int | None,
        typer.Option(
            "--overfit", metavar="PHOTOS", min=1, help="Learn so many photos by heart instead: the first thing to try."
        ),
    ] = None,
    fraction: Annotated[
        float | None,
        typer.Option(
            "--fraction", metavar="SHARE", help="Train on a share of the photos, and estimate what all will take."
        ),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option("--epochs", min=1, help="Instead of train.epochs; with --fraction, of the sample."),
    ] = None,
    curve: Annotated[
        str | None,
        typer.Option("--curve", metavar="SHARES", help="Learn from 25,50,100 % of the photos: what would more bring?"),
    ] = None,
) -> None:
    """Train the model of the project file; the run's folder holds everything that came out."""
    session = Session.of(context)
    project = session.project()
    if curve is not None:
        if overfit or fraction:
            raise UsageError("--curve does not go with --overfit or --fraction.", hint="Give one of them.")
        _learn_curve(session, project, curve, epochs=epochs, resume=resume)
        return
    from vision_cli.cli.render.train import draw, draw_brief
    from vision_cli.stages.training.train import TrainRequest, train

    request = TrainRequest(
        project,
        resume=resume,
        dry_run=session.dry_run,
        offline=session.offline,
        overfit=overfit,
        fraction=fraction,
        epochs=epochs,
    )
    result = train(request, session.progress)
    session.answer(
        result, session.unless_quiet(draw, draw_brief), ok=result.by_heart is None or result.by_heart.learned
    )


def _learn_curve(session: Session, project: Project, text: str, *, epochs: int | None, resume: bool) -> None:
    from vision_cli.cli.render.curve import draw, draw_brief
    from vision_cli.stages.training.curve import CurveRequest, curve, shares

    request = CurveRequest(project, shares(text), epochs, resume, session.offline, session.dry_run)
    session.answer(curve(request, session.progress), session.unless_quiet(draw, draw_brief))
