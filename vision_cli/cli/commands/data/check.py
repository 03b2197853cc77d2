"""`vision data check`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vision_cli.cli.command import WritingCommand, examples, group
from vision_cli.cli.data_options import FollowLinks, Format, ImagesRoot, What, data_request
from vision_cli.cli.session import Session
from vision_cli.core import policy

app = group("check", "Find what is wrong with photos and labels.")


@app.command(
    cls=WritingCommand,
    epilog=examples(
        "vision data check",
        "vision data check voc/ --html check.html",
        "vision data check instances.json --fast --strict",
        "vision data check evenings --only leak-same --only leak-alike --json",
        "vision data check photos/ --set blur=0.7 --set train_px=320",
        "vision data check --only label-doubtful --answers runs/crossval/latest",
    ),
)
def check(
    context: typer.Context,
    what: What = None,
    strict: Annotated[bool, typer.Option("--strict", help="End with exit code 4 if there is an error.")] = False,
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="CHECK", help="Run this alone; may repeat.")
    ] = None,
    skip: Annotated[list[str] | None, typer.Option("--skip", metavar="CHECK", help="Leave it out; may repeat.")] = None,
    fast: Annotated[
        bool, typer.Option("--fast", help="Labels and file names only: no photo, no corner of an outline.")
    ] = False,
    deep: Annotated[
        bool,
        typer.Option("--deep", help="Also what needs a network's embeddings: label errors, variety, shift, curves."),
    ] = False,
    thresholds: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=NUMBER", help="A threshold; may repeat; --list shows all."),
    ] = None,
    answers: Annotated[
        Path | None,
        typer.Option("--answers", metavar="RUN", help="Of `vision crossval`: judge labels by them; needs no --deep."),
    ] = None,
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="A page with the offenders.")] = None,
    csv: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="A list of all offenders.")] = None,
    source_format: Format = None,
    images_root: ImagesRoot = None,
    follow_links: FollowLinks = False,
    show: Annotated[bool, typer.Option("--list", help="List the checks and thresholds, look at nothing.")] = False,
) -> None:
    """Find what is wrong with photos and labels; nothing is changed. `vision data fix` mends what can be mended."""
    session = Session.of(context)
    if not deep:
        policy.without_algebra()
    from vision_cli.cli.render import check as render

    if show:
        from vision_cli.stages.checking import table as check_table

        session.answer(check_table.table(), render.table)
        return
    from vision_cli.stages.checking.check import CheckRequest, check

    request = CheckRequest(
        data_request(session, what, (source_format, images_root, follow_links)),
        only=tuple(only or ()),
        skip=tuple(skip or ()),
        fast=fast,
        deep=deep,
        thresholds=tuple(thresholds or ()),
        html=html,
        csv=csv,
        dry_run=session.dry_run,
        answers=answers,
    )
    result = check(request, session.progress)
    session.answer(result, render.draw, ok=result.ok or not strict)
