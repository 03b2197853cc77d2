"""`vision init`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vision_cli.cli.command import WritingCommand, examples, group
from vision_cli.cli.session import Session
from vision_cli.core.tasks import TASKS

app = group("init", "Look at a folder of photos and write its vision.yaml")

FORMAT_HELP = (
    "Found by itself; one of imagefolder, csv, coco, lvis, yolo, voc, voc-segmentation, kitti, openimages, cvat, "
    "labelstudio, labelme, masks, panoptic, cityscapes, huggingface, webdataset, tfrecord, vision."
)


@app.command(
    cls=WritingCommand,
    epilog=examples(
        "vision init",
        "vision init --data photos/",
        "vision init --data labels.csv --task multilabel --name shop --kpi 'f1>0.9'",
    ),
)
def init(
    context: typer.Context,
    data: Annotated[
        Path | None, typer.Option("--data", "-d", metavar="PATH", help="Folder of photos, or a CSV of labels.")
    ] = None,
    data_format: Annotated[str | None, typer.Option("--format", metavar="FORMAT", help=FORMAT_HELP)] = None,
    images: Annotated[
        Path | None,
        typer.Option("--images-root", metavar="FOLDER", help="Where the photos' paths start; looked for when absent."),
    ] = None,
    task: Annotated[
        str | None,
        typer.Option("--task", metavar="TASK", help=f"One of {', '.join(TASKS)}; what the labels say."),
    ] = None,
    name: Annotated[str | None, typer.Option("--name", metavar="NAME", help="Of the project; the folder's.")] = None,
    kpi: Annotated[list[str], typer.Option("--kpi", metavar="KPI", help="Target; may be repeated.")] = [],
    force: Annotated[bool, typer.Option("--force", help="Replace a vision.yaml that is there.")] = False,
) -> None:
    """Look at a folder of photos and write its vision.yaml; asks on a terminal what the options leave open."""
    session = Session.of(context)
    from vision_cli.cli import questions
    from vision_cli.cli.render.init import draw
    from vision_cli.stages.project import init as stage

    target = session.project_file or Path("vision.yaml")
    request = stage.InitRequest(target, data, data_format, task, name, images, tuple(kpi), force, session.dry_run)
    stage.check_target(request)
    request = questions.ask_data(request, session.output)
    found = stage.survey(request, session.progress)
    request = questions.ask_rest(request, found, session.output)
    session.answer(stage.init(request, found), draw)
