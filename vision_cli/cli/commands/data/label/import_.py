"""`vision data label import`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vision_cli.cli.command import WritingCommand, examples, group
from vision_cli.cli.commands.data.convert import Images
from vision_cli.cli.data_options import AllowLoss
from vision_cli.cli.session import Session

app = group("import", "Read answers back as a data set.")


@app.command(
    cls=WritingCommand,
    epilog=examples(
        "vision data label import answers.json --tasks tasks/ --into labelled/ --to coco",
        "vision data label import alice=a.xml bob=b.xml --tasks tasks/ --into labelled/ --to voc --allow-loss ids",
    ),
)
def take_in(
    context: typer.Context,
    answers: Annotated[list[str], typer.Argument(metavar="ANSWERS...", help="Paths, or NAME=PATH for who answered.")],
    into: Annotated[Path, typer.Option("--into", metavar="FOLDER", help="Appears whole or not at all.")],
    to: Annotated[str, typer.Option("--to", metavar="FORMAT", help="Format of the data set.")],
    tasks: Annotated[
        Path | None, typer.Option("--tasks", metavar="FOLDER", help="What was exported; found beside the answers.")
    ] = None,
    source_format: Annotated[
        str | None, typer.Option("--from", metavar="FORMAT", help="Of the answers; found by itself.")
    ] = None,
    annotator: Annotated[
        str | None, typer.Option("--annotator", metavar="NAME", help="This person's answers only.")
    ] = None,
    keep_all: Annotated[bool, typer.Option("--keep-all", help="Everybody's answers about one photo.")] = False,
    skip_unmatched: Annotated[
        bool, typer.Option("--skip-unmatched", help="Leave out answers about photos that nobody asked about.")
    ] = False,
    allow_loss: AllowLoss = None,
    images: Annotated[Images, typer.Option("--images", help="How photos get there.")] = Images.COPY,
    force: Annotated[bool, typer.Option("--force", help="Replace a folder that is not empty.")] = False,
) -> None:
    """Write answers as a data set: each with its photo, its split, and the id of the annotation that it corrects."""
    session = Session.of(context)
    from vision_cli.cli.render import labelling as render
    from vision_cli.stages.labelling.importing import ImportRequest, take_in
    from vision_cli.stages.labelling.task_writing import Target

    target = Target(into, to, frozenset(allow_loss or ()), images.value, force, session.dry_run)
    request = ImportRequest(
        tuple(answers), target, tasks, source_format, annotator, keep_all=keep_all, skip_unmatched=skip_unmatched
    )
    result = take_in(request, session.progress)
    session.answer(result, render.imported, ok=result.ok)
