"""`vision task suggest`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from vision_cli.cli.command import WritingCommand, examples, group
from vision_cli.cli.session import Session

app = group("suggest", "Suggest task, KPIs, approach and models for a wish in words.")


@app.command(
    cls=WritingCommand,
    epilog=examples(
        'vision task suggest "find our logo in customers\' photos" --deploy android --latency 33ms',
        "vision task suggest \"is the weld good or bad\" --data photos/ --kpi 'f1>0.98'",
        'vision task suggest "how many sheep are in the drone picture" --photos 400 --write',
    ),
)
def suggest(
    context: typer.Context,
    description: Annotated[
        str | None, typer.Argument(metavar="[DESCRIPTION]", help="What you want to know of photos, in your own words.")
    ] = None,
    data: Annotated[Path | None, typer.Option("--data", "-d", metavar="PATH", help="Photos to look at.")] = None,
    deploy: Annotated[
        str | None,
        typer.Option("--deploy", metavar="TARGET", help="phone, jetson, cpu, gpu, browser, serverless or edge."),
    ] = None,
    latency: Annotated[
        str | None, typer.Option("--latency", metavar="TIME", help="That a photo may take: 33ms, 0.5s or 30fps.")
    ] = None,
    photos: Annotated[
        int | None, typer.Option("--photos", metavar="N", min=0, help="Photos with labels; those of --data.")
    ] = None,
    classes: Annotated[
        str | None, typer.Option("--classes", metavar="NAMES", help="Separated by commas; those of --data.")
    ] = None,
    task: Annotated[
        str | None, typer.Option("--task", metavar="TASK", help="Where you know it: the rest follows from it.")
    ] = None,
    kpi: Annotated[list[str], typer.Option("--kpi", metavar="KPI", help="Your own; may be repeated.")] = [],
    licence: Annotated[
        str, typer.Option("--license", metavar="LICENCE", help="Of weights: permissive or any.")
    ] = "permissive",
    write: Annotated[bool, typer.Option("--write", help="Put it into vision.yaml, beside what stands there.")] = False,
) -> None:
    """Suggest task, KPIs, approach and models for a wish in words; asks on a terminal what is unclear."""
    session = Session.of(context)
    from vision_cli.cli import task_questions
    from vision_cli.cli.render.task import draw
    from vision_cli.scoping import targets
    from vision_cli.stages.scoping import suggest as stage

    request = stage.SuggestRequest(
        description or "",
        task,
        data,
        None if deploy is None else targets.named(deploy),
        None if latency is None else targets.milliseconds(latency),
        photos,
        tuple(name.strip() for name in (classes or "").split(",") if name.strip()),
        tuple(kpi),
        permissive=targets.is_permissive(licence),
    )
    request, decision = task_questions.asked(request, session.output)
    found = stage.suggest(request, decision, session.progress)
    if write:
        from vision_cli.stages.scoping import writing

        file = session.project_file or Path("vision.yaml")
        found = replace(found, written=writing.write(found, file, dry_run=session.dry_run))
    session.answer(found, draw)
