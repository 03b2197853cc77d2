"""`vision data convert`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from vision_cli.cli.command import WritingCommand, examples, group
from vision_cli.cli.data_options import AllowLoss
from vision_cli.cli.session import Session
from vision_cli.core import policy

app = group("convert", "Copy a data set into another format, with a report.")


class Images(StrEnum):
    """How photos get into the new folder."""

    COPY = "copy"
    HARDLINK = "hardlink"
    SYMLINK = "symlink"
    NONE = "none"


class Pixels(StrEnum):
    """Which box numbers are written."""

    KEEP = "keep"
    TARGET = "target"


class Convention(StrEnum):
    """What box numbers count."""

    EXCLUSIVE = "exclusive"
    INCLUSIVE_0 = "inclusive-0"
    INCLUSIVE_1 = "inclusive-1"


_CONVENTIONS = "What the source's box numbers count: edges, or pixels from 0 or 1; its format says it."


@app.command(
    cls=WritingCommand,
    epilog=examples(
        "vision data convert coco/ voc/ --to voc --allow-loss polygons --allow-loss crowd",
        "vision data convert instances.json yolo/ --to yolo --images none --allow-loss all",
        "vision data convert instances.json yolo/ --to yolo --images none --boxes-only --allow-loss crowd",
        "vision data convert ours.json coco/ --to coco --mapping ours.yaml --verify",
    ),
)
def convert(
    context: typer.Context,
    source: Annotated[Path, typer.Argument(metavar="SOURCE", help="Folder or file; never changed.")],
    target: Annotated[Path, typer.Argument(metavar="TARGET", help="Folder that appears whole or not at all.")],
    to: Annotated[str, typer.Option("--to", metavar="FORMAT", help="Format of the target.")],
    source_format: Annotated[
        str | None, typer.Option("--from", metavar="FORMAT", help="Format of the source; found by itself.")
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option("--mapping", metavar="FILE", help="A house format: a .yaml mapping or a .py reader.")
    ] = None,
    allow_loss: AllowLoss = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Read the result back and compare, before it appears.")
    ] = False,
    images: Annotated[Images, typer.Option("--images", help="How photos get there.")] = Images.COPY,
    force: Annotated[bool, typer.Option("--force", help="Replace a target that is not empty.")] = False,
    workers: Annotated[int | None, typer.Option("--workers", min=1, max=256, help="Threads; one a core.")] = None,
    pixels: Annotated[
        Pixels, typer.Option("--pixels", help="Keep the source's box numbers, or count as the target does.")
    ] = Pixels.KEEP,
    source_pixels: Annotated[Convention | None, typer.Option("--source-pixels", help=_CONVENTIONS)] = None,
    images_root: Annotated[
        Path | None, typer.Option("--images-root", metavar="FOLDER", help="Where the source's photo paths start.")
    ] = None,
    boxes_only: Annotated[
        bool, typer.Option("--boxes-only", help="Boxes in place of outlines, where the target holds both.")
    ] = False,
    follow_links: Annotated[
        bool, typer.Option("--follow-links", help="Links in the source may lead out of it.")
    ] = False,
) -> None:
    """Copy a data set into another format; exit code 4 and nothing written when a loss is not allowed by name."""
    session = Session.of(context)
    policy.without_algebra()
    from vision_cli.cli.render import data as render
    from vision_cli.stages.converting.convert import ConvertRequest, convert

    request = ConvertRequest(
        source,
        target,
        to,
        source_format=source_format,
        mapping=mapping,
        allowed=frozenset(allow_loss or ()),
        verify=verify,
        images=images.value,
        force=force,
        workers=workers or _cores(),
        pixels=pixels.value,
        source_pixels=source_pixels.value if source_pixels else None,
        images_root=images_root,
        dry_run=session.dry_run,
        boxes_only=boxes_only,
        links="follow" if follow_links else "stay",
    )
    result = convert(request, session.progress)
    session.answer(result, render.conversion, ok=result.ok)


def _cores() -> int:
    import os

    return os.cpu_count() or 1
