"""`vision data stats`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vision_cli.cli.command import Command, examples, group
from vision_cli.cli.session import Session

app = group("stats", "Count photos, boxes and classes, and measure them.")


@app.command(
    cls=Command,
    epilog=examples(
        "vision data stats",
        "vision data stats instances_train2017.json",
        "vision data stats evenings --json",
        "vision data stats photos/ --csv > classes.csv",
    ),
)
def stats(
    context: typer.Context,
    what: Annotated[
        str | None, typer.Argument(metavar="[VIEW|PATH]", help="View, or a data set's path; the training's view.")
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print classes by split as CSV.")] = False,
    source_format: Annotated[
        str | None, typer.Option("--from", metavar="FORMAT", help="Format of a path; found by itself.")
    ] = None,
    images_root: Annotated[
        Path | None, typer.Option("--images-root", metavar="FOLDER", help="Where a path's photo paths start.")
    ] = None,
    follow_links: Annotated[
        bool, typer.Option("--follow-links", help="Links in a path's folder may lead out of it.")
    ] = False,
) -> None:
    """Count photos, annotations and classes by split, and measure photos and boxes; no photo is decoded."""
    session = Session.of(context)
    from vision_cli.cli.render import stats as render
    from vision_cli.core.errors import UsageError
    from vision_cli.stages.named_source import DataRequest
    from vision_cli.stages.querying.stats import NEED, stats

    if as_csv and session.output.as_json:
        raise UsageError("--csv and --json are two forms of the answer.", hint="Give one of them.")
    options = (source_format, images_root, NEED)
    request = DataRequest(what, session.project, *options, links="follow" if follow_links else "stay")
    session.answer(stats(request), render.csv if as_csv else render.draw)
