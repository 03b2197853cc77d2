"""`vision explain`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vision_cli.cli import completion
from vision_cli.cli.command import WritingCommand, examples, group
from vision_cli.cli.session import Session

app = group("explain", "Show where in a photo an answer comes from")


@app.command(
    cls=WritingCommand,
    epilog=examples(
        "vision explain photo.jpg",
        "vision explain",
        "vision explain photos/ --class winter --to heat/",
        "vision explain photo.jpg --model efficientnet_lite0 --to heat/",
        "vision explain photo.jpg --layers",
        "vision explain photo.jpg --layer blocks.4 --maps 24",
        "vision explain photo.jpg --method scorecam --nearest 5",
    ),
)
def explain(
    context: typer.Context,
    inputs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[PHOTO...]",
            help="Files, folders and globs; validation photos that are answered right and wrong when absent.",
            autocompletion=completion.beside_files,
            show_default=False,
        ),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(
            "--model", "-m", metavar="PATH", help="Run, model folder or efficientnet_lite0; the last training's."
        ),
    ] = None,
    method: Annotated[
        str,
        typer.Option("--method", metavar="NAME", help="gradcam, scorecam, hirescam or cam; what fits the answer."),
    ] = "auto",
    layer: Annotated[
        str | None, typer.Option("--layer", "-l", metavar="NAME", help="Whose map it is; the last one that fits.")
    ] = None,
    layers: Annotated[bool, typer.Option("--layers", help="List the layers that give maps, and do no more.")] = False,
    class_name: Annotated[
        str | None, typer.Option("--class", metavar="NAME", help="Explain this class; the answer when absent.")
    ] = None,
    maps: Annotated[int, typer.Option("--maps", min=0, help="Show so many channels of the layer.")] = 0,
    nearest: Annotated[int, typer.Option("--nearest", min=0, help="Show so many of the nearest training photos.")] = 0,
    to: Annotated[
        Path | None,
        typer.Option("--to", "-o", metavar="FOLDER", help="For pictures and explain.json; else in runs/explain."),
    ] = None,
    number: Annotated[
        int, typer.Option("--number", "-n", min=1, help="Without photos: so many right and so many wrong ones.")
    ] = 4,
    most: Annotated[int, typer.Option("--most", min=1, help="Boxes, labels or regions of a photo, the surest.")] = 6,
    confidence: Annotated[
        float | None,
        typer.Option("--confidence", min=0.0, max=1.0, help="Boxes count from this score on; the model's own."),
    ] = None,
    channels: Annotated[
        int | None, typer.Option("--channels", min=1, help="Score-CAM tries so many channels; all of the layer's.")
    ] = None,
    classes: Annotated[
        str | None,
        typer.Option(
            "--classes",
            metavar="NAME,NAME,...",
            help="Of --model efficientnet_lite0: name these by ImageNet's classes, or `all`; the project's.",
        ),
    ] = None,
    threads: Annotated[int | None, typer.Option("--threads", min=1, help="Of torch; all cores.")] = None,
) -> None:
    """Lay heat over photos: where the evidence for an answer is; a photo that cannot be read is named, exit code 3."""
    session = Session.of(context)
    project = session.project()
    from vision_cli.cli.render import explain as render
    from vision_cli.core.errors import DataError
    from vision_cli.stages.explaining import explain as stage
    from vision_cli.stages.explaining.asked import ExplainRequest, How

    names = tuple(name.strip() for name in (classes or "").split(",") if name.strip())
    how = How(method, layer, class_name, most, channels)
    request = ExplainRequest(
        project,
        tuple(inputs or ()),
        model,
        how,
        number=number,
        maps=maps,
        nearest=nearest,
        to=to,
        confidence=confidence,
        classes=names,
        offline=session.offline,
        threads=threads,
        dry_run=session.dry_run,
    )
    if layers:
        session.answer(stage.layers(request, session.progress), render.draw_layers)
        return
    result = stage.explain(request, session.progress)
    draw = session.unless_quiet(render.draw, render.draw_brief)
    session.answer(result, draw, exit_code=DataError.exit_code if result.refused else 0)
