"""`vision export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vision_cli.cli.command import WritingCommand, examples, group
from vision_cli.cli.session import Session

app = group("export", "Write ONNX and TFLite files and check that they decide alike")


@app.command(
    cls=WritingCommand,
    epilog=examples(
        "vision export",
        "vision export --format onnx --format tflite",
        "vision export --format all --precision float16 --output build/",
        "vision export --model runs/train/latest --dry-run",
    ),
)
def export(
    context: typer.Context,
    format: Annotated[
        list[str],
        typer.Option("--format", "-f", metavar="FORMAT", help="onnx, tflite or all; may be repeated; the project's."),
    ] = [],
    model: Annotated[
        Path | None, typer.Option("--model", "-m", metavar="PATH", help="Run or model folder; the last training's.")
    ] = None,
    precision: Annotated[
        str | None, typer.Option("--precision", metavar="TYPE", help="float32 or float16; the project's.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FOLDER", help="exports/ of the project when absent.")
    ] = None,
    photos: Annotated[
        Path | None, typer.Option("--photos", metavar="FOLDER", help="Compare on these instead of the project's data.")
    ] = None,
    nms: Annotated[
        bool, typer.Option("--nms", help="Build non-maximum suppression into the ONNX file of a detector.")
    ] = False,
) -> None:
    """Write a trained model for other machines; a file that decides otherwise than the model is not published."""
    session = Session.of(context)
    project = session.project()
    from vision_cli.cli.render.export import draw, draw_brief
    from vision_cli.stages.running.export import ExportRequest, export

    request = ExportRequest(project, model, tuple(format), precision, output, photos, session.dry_run, nms)
    session.answer(export(request, session.progress), session.unless_quiet(draw, draw_brief))
