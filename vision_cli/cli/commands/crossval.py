"""`vision crossval`."""

from __future__ import annotations

from typing import Annotated

import typer

from vision_cli.cli.command import WritingCommand, examples, group
from vision_cli.cli.session import Session

app = group("crossval", "Learn k times, and judge every photo by a model that did not see it")


@app.command(
    cls=WritingCommand,
    epilog=examples(
        "vision crossval",
        "vision crossval -k 10 model.family=features model.features.classifier=logistic",
        "vision crossval --all --json",
        "vision crossval --resume",
    ),
)
def crossval(
    context: typer.Context,
    folds: Annotated[int, typer.Option("--folds", "-k", metavar="K", min=2, help="How many parts.")] = 5,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, help="Of the dealing; the project's data.split.seed.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="The photos of the test split, too; without, nothing looks at them.")
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the last run, interrupted or killed.")] = False,
) -> None:
    """Learn from k - 1 parts of the photos and judge the last, k times; exit code 4 when a KPI is missed."""
    session = Session.of(context)
    project = session.project()
    from vision_cli.cli.render import crossval as render
    from vision_cli.stages.crossvalidating.crossval import CrossvalRequest, crossval

    request = CrossvalRequest(project, folds, seed, everything, resume, session.dry_run, session.offline)
    result = crossval(request, session.progress)
    session.answer(result, session.unless_quiet(render.draw, render.draw_brief), ok=result.passed)
