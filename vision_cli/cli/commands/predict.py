"""`vision predict`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vision_cli.cli import completion
from vision_cli.cli.command import WritingCommand, examples, group
from vision_cli.cli.session import Session

app = group("predict", "Run a model on photos, folders and globs")


@app.command(
    cls=WritingCommand,
    epilog=examples(
        "vision predict photo.jpg",
        "vision predict photos/ 'more/**/*.png' --output answers.csv",
        "vision predict photos/ --model exports/shop.onnx --pictures annotated/",
    ),
)
def predict(
    context: typer.Context,
    inputs: Annotated[
        list[str],
        typer.Argument(metavar="PHOTO...", help="Files, folders and globs.", autocompletion=completion.beside_files),
    ],
    model: Annotated[
        Path | None,
        typer.Option("--model", "-m", metavar="PATH", help="Run, model folder, .onnx or .tflite; the last training's."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write a .json or .csv file.")
    ] = None,
    pictures: Annotated[
        Path | None, typer.Option("--pictures", metavar="FOLDER", help="Write annotated copies of the photos.")
    ] = None,
    threads: Annotated[int | None, typer.Option("--threads", min=1, help="Of the runtime; all cores.")] = None,
) -> None:
    """Run a model on photos; one that cannot be read is named, the others are answered, and the exit code is 3."""
    session = Session.of(context)
    project = session.project()
    from vision_cli.cli.render.predict import draw
    from vision_cli.core.errors import DataError
    from vision_cli.stages.running.predict import PredictRequest, predict

    request = PredictRequest(project, tuple(inputs), model, output, pictures, threads, session.dry_run)
    result = predict(request, session.progress)
    session.answer(result, draw, exit_code=DataError.exit_code if result.refused else 0)
