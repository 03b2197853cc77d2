"""`vision data fix`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from vision_cli.cli.command import WritingCommand, examples, group
from vision_cli.cli.data_options import Format, ImagesRoot, data_request
from vision_cli.cli.session import Session

app = group("fix", "Write a mended copy of a data set.")


class Images(StrEnum):
    """How photos get into the new folder."""

    COPY = "copy"
    HARDLINK = "hardlink"
    SYMLINK = "symlink"
    NONE = "none"


@app.command(
    cls=WritingCommand,
    epilog=examples(
        "vision data fix voc/ mended/ --dry-run",
        "vision data fix voc/ mended/ --repair clip-boxes --repair drop-flat-boxes",
        "vision data fix coco/ mended/ --repair leaks-to-one-split --csv repairs.csv",
        "vision data fix evenings mended/ --to coco",
    ),
)
def fix(
    context: typer.Context,
    what: Annotated[str, typer.Argument(metavar="VIEW|PATH", help="View, or a data set's path; never changed.")],
    target: Annotated[Path, typer.Argument(metavar="TARGET", help="Folder that appears whole or not at all.")],
    names: Annotated[list[str] | None, typer.Option("--repair", metavar="NAME", help="Only this; may repeat.")] = None,
    to: Annotated[
        str | None, typer.Option("--to", metavar="FORMAT", help="Format of the copy; the source's own.")
    ] = None,
    thresholds: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=NUMBER", help="A threshold of the checks; may repeat.")
    ] = None,
    images: Annotated[Images, typer.Option("--images", help="How photos get there.")] = Images.COPY,
    allow_loss: Annotated[
        list[str] | None,
        typer.Option("--allow-loss", metavar="NAME", help="Accept this loss of another format; may repeat; all."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a target that is not empty.")] = False,
    csv: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="A list of all repairs.")] = None,
    source_format: Format = None,
    images_root: ImagesRoot = None,
) -> None:
    """Mend what `vision data check` finds, in a copy, and say what was changed.

    Without --repair: all but those that somebody has to decide on (boxes-from-outlines, leaks-to-one-split,
    upright-photos).
    """
    session = Session.of(context)
    import os

    from vision_cli.cli.render import fix as render
    from vision_cli.stages.checking.fix import FixRequest, fix

    request = FixRequest(
        data_request(session, what, (source_format, images_root, False)),
        target,
        names=tuple(names or ()),
        to=to,
        thresholds=tuple(thresholds or ()),
        images=images.value,
        force=force,
        csv=csv,
        workers=os.cpu_count() or 1,
        dry_run=session.dry_run,
        allowed=frozenset(allow_loss or ()),
    )
    result = fix(request, session.progress)
    session.answer(result, render.draw, ok=result.ok)
