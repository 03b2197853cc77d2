"""`vision data label export`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from vision_cli.cli.command import WritingCommand, examples, group
from vision_cli.cli.commands.data.label.next import By
from vision_cli.cli.data_options import FollowLinks, Format, ImagesRoot, path_options
from vision_cli.cli.session import Session

app = group("export", "Write tasks for Label Studio, CVAT or LabelMe.")


class Tool(StrEnum):
    """Labelling tools."""

    LABELSTUDIO = "labelstudio"
    CVAT = "cvat"
    LABELME = "labelme"


class Only(StrEnum):
    """Which photos are asked about."""

    ALL = "all"
    UNLABELLED = "unlabelled"
    LABELLED = "labelled"


class Images(StrEnum):
    """How photos get beside the tasks."""

    COPY = "copy"
    HARDLINK = "hardlink"
    SYMLINK = "symlink"


_ASK = "class, classes, value, boxes, polygons, masks or keypoints; what the labels are. May repeat."


@app.command(
    cls=WritingCommand,
    epilog=examples(
        "vision data label export --to labelstudio --out tasks/ --model runs/train/latest --pick 200",
        "vision data label export street --to cvat --out tasks/ --assign alice,bob,carol --overlap 2",
        "vision data label export new_photos/ --plain --to labelme --out tasks/ --ask boxes --class car --class bike",
    ),
)
def export(
    context: typer.Context,
    to: Annotated[Tool, typer.Option("--to", help="Labelling tool.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FOLDER", help="Appears whole or not at all.")],
    data: Annotated[str | None, typer.Argument(metavar="[VIEW|PATH]", help="Photos; the training's view.")] = None,
    model: Annotated[
        Path | None, typer.Option("--model", "-m", metavar="PATH", help="Pre-annotates the photos without labels.")
    ] = None,
    at_least: Annotated[float, typer.Option("--at-least", help="Smallest score of a suggestion.")] = 0.0,
    pick: Annotated[int | None, typer.Option("--pick", min=1, metavar="N", help="Choose so many unlabelled.")] = None,
    by: Annotated[By, typer.Option("--by", help="How they are chosen.")] = By.UNCERTAINTY,
    only: Annotated[Only, typer.Option("--only", help="Photos with or without labels.")] = Only.ALL,
    assign: Annotated[
        str | None, typer.Option("--assign", metavar="N|NAMES", help="Annotators: a number, or names with commas.")
    ] = None,
    overlap: Annotated[int, typer.Option("--overlap", min=1, metavar="K", help="Annotators a photo.")] = 1,
    ask: Annotated[list[str] | None, typer.Option("--ask", metavar="WHAT", help=_ASK)] = None,
    classes: Annotated[list[str] | None, typer.Option("--class", metavar="NAME", help="In this order.")] = None,
    images: Annotated[Images, typer.Option("--images", help="How photos get there.")] = Images.COPY,
    plain: Annotated[bool, typer.Option("--plain", help="Take a folder's photos without any labels.")] = False,
    source_format: Format = None,
    images_root: ImagesRoot = None,
    follow_links: FollowLinks = False,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of chance and of who gets what.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Replace a folder that is not empty.")] = False,
) -> None:
    """Write photos as tasks; labels that are there, and a model's answers, are suggestions to correct."""
    session = Session.of(context)
    from vision_cli.cli.render import labelling as render
    from vision_cli.stages.labelling.choice import Choosing
    from vision_cli.stages.labelling.exporting import ExportRequest, export
    from vision_cli.stages.labelling.task_writing import Target

    how = None if pick is None else Choosing(pick, by.value, None, model, seed, session.offline)
    request = ExportRequest(
        session.project(),
        data,
        Target(out, to.value, images=images.value, force=force, dry_run=session.dry_run),
        plain=plain,
        only=only.value,
        pick=how,
        model=model,
        at_least=at_least,
        people=_people(assign),
        overlap=overlap,
        classes=tuple(classes or ()),
        ask=tuple(ask or ()),
        seed=seed,
        path=path_options(source_format, images_root, follow_links=follow_links),
    )
    session.answer(export(request, session.progress), render.exported)


def _people(text: str | None) -> tuple[str, ...]:
    """Return names; a number makes them up."""
    if text is None:
        return ()
    if text.isascii() and text.isdigit():
        if not int(text[:6]):
            from vision_cli.core.errors import UsageError

            raise UsageError("--assign 0: nobody would get a task.", hint="Say --assign 3 or --assign alice,bob.")
        return tuple(f"annotator-{number}" for number in range(1, min(int(text[:6]), 10_000) + 1))
    return tuple(name.strip() for name in text.split(","))
