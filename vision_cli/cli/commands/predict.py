"""`vision predict`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from vision_cli.cli import completion
from vision_cli.cli.command import WritingCommand, examples, group
from vision_cli.cli.session import Session

app = group("predict", "Run a model on photos, a view, a video or a camera")


class Images(StrEnum):
    """How photos get into the folder of `--to`."""

    COPY = "copy"
    HARDLINK = "hardlink"
    SYMLINK = "symlink"
    NONE = "none"


class Split(StrEnum):
    """Which photos of a view."""

    TRAIN = "train"
    VAL = "val"
    TEST = "test"
    ALL = "all"


@app.command(
    cls=WritingCommand,
    epilog=examples(
        "vision predict photo.jpg",
        "vision predict photos/ 'more/**/*.png' --output answers.csv",
        "vision predict photo.jpg --model classes",
        "vision predict photo.jpg --model efficientnet_lite0 --classes dog,cat",
        "vision predict photos/ --model exports/shop.onnx --pictures annotated/",
        "vision predict --data street --split test --to coco-results --output results.json",
        "vision predict photos/ --to yolo --output labels/ --images none --confidence 0.4",
        "vision predict clip.mp4 --every 5 --output answers.json --pictures annotated/",
        "vision predict --camera 0 --seconds 60 --output seen.csv",
    ),
)
def predict(
    context: typer.Context,
    inputs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[PHOTO...]",
            help="Files, folders and globs, or one video.",
            autocompletion=completion.beside_files,
            show_default=False,
        ),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(
            "--model",
            "-m",
            metavar="PATH",
            help="Run, model folder, .onnx or .tflite, `classes` (of `vision classes`) or efficientnet_lite0; "
            "the last training's, without one the classes.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="PATH", help="Write a .json or .csv file; with --to what that makes."),
    ] = None,
    pictures: Annotated[
        Path | None, typer.Option("--pictures", metavar="FOLDER", help="Write annotated copies of photos or video.")
    ] = None,
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="FORMAT", help="Write a data set of this format, or coco-results, to --output."),
    ] = None,
    images: Annotated[Images, typer.Option("--images", help="How photos get into that data set.")] = Images.COPY,
    view: Annotated[
        str | None, typer.Option("--data", metavar="VIEW", help="The photos of a view of the project.")
    ] = None,
    split: Annotated[Split, typer.Option("--split", help="Which photos of the view.")] = Split.ALL,
    camera: Annotated[
        str | None, typer.Option("--camera", metavar="NUMBER", help="Look at a camera, until Ctrl-C.")
    ] = None,
    confidence: Annotated[
        float | None,
        typer.Option(
            "--confidence",
            min=0.0,
            max=1.0,
            help="Objects count from this score on; the model's own, and for coco-results the lowest that it gives.",
        ),
    ] = None,
    scores: Annotated[
        bool | None,
        typer.Option(
            "--scores/--no-scores", help="Write scores to that data set; yes, but to yolo, where they are label values."
        ),
    ] = None,
    every: Annotated[int, typer.Option("--every", min=1, help="Of a video: look at one of so many frames.")] = 1,
    seconds: Annotated[
        float | None, typer.Option("--seconds", min=0.1, help="Of a video or camera: how long to look.")
    ] = None,
    threads: Annotated[int | None, typer.Option("--threads", min=1, help="Of the runtime; all cores.")] = None,
    classes: Annotated[
        str | None,
        typer.Option(
            "--classes",
            metavar="NAME,NAME,...",
            help="Of --model efficientnet_lite0: name these by ImageNet's classes, or `all`; the project's.",
        ),
    ] = None,
) -> None:
    """Run a model on photos; one that cannot be read is named, the others are answered, and the exit code is 3."""
    session = Session.of(context)
    project = session.project()
    from vision_cli.cli.render import predict as render
    from vision_cli.core.errors import DataError
    from vision_cli.stages.running import video_predict
    from vision_cli.stages.running.predict import PredictRequest, predict

    source = video_predict.source_of(inputs or [], camera)
    if source is not None or camera is not None:
        video_predict.check_no_set(to, view, scores=scores)
        asked = video_predict.VideoRequest(
            project, source, camera, model, output, pictures, every, seconds, threads, session.dry_run, confidence
        )
        session.answer(video_predict.predict_video(asked, session.progress), render.draw_video)
        return
    video_predict.check_no_video(every, seconds)
    chosen = (confidence, scores)
    how = (model, output, pictures, threads, session.dry_run)
    names = tuple(name.strip() for name in (classes or "").split(",") if name.strip())
    more = (names, session.offline)
    request = PredictRequest(project, tuple(inputs or ()), *how, view, split.value, to, images.value, *chosen, *more)
    result = predict(request, session.progress)
    draw = session.unless_quiet(render.draw, render.draw_brief)
    session.answer(result, draw, exit_code=DataError.exit_code if result.refused else 0)
