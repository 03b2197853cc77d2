"""`vision train`."""

from __future__ import annotations

from typing import Annotated

import typer

from vision_cli.cli.command import WritingCommand, examples, group
from vision_cli.cli.session import Session

app = group("train", "Train the model of the project file")


@app.command(
    cls=WritingCommand,
    epilog=examples(
        "vision train",
        "vision train train.epochs=30 train.freeze=none",
        "vision train model.family=features model.features.classifier=svm",
        "vision train --resume",
    ),
)
def train(
    context: typer.Context,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the last run, interrupted or killed.")] = False,
) -> None:
    """Train the model of the project file; the run's folder holds everything that came out."""
    session = Session.of(context)
    project = session.project()
    from vision_cli.cli.render.train import draw
    from vision_cli.stages.training.train import TrainRequest, train

    request = TrainRequest(project, resume=resume, dry_run=session.dry_run, offline=session.offline)
    session.answer(train(request, session.progress), draw)
