"""`vision tune`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from vision_cli.cli.command import WritingCommand, examples, group
from vision_cli.cli.session import Session

app = group("tune", "Search settings of model and training that do better")


class Pruning(StrEnum):
    """What ends hopeless trials."""

    MEDIAN = "median"
    HYPERBAND = "hyperband"
    NONE = "none"


class Where(StrEnum):
    """Where trials are done."""

    HERE = "here"
    RAY = "ray"


@app.command(
    cls=WritingCommand,
    epilog=examples(
        "vision tune",
        "vision tune --time 30m --search learning_rate,weight_decay,augment",
        "vision tune --trials 40 --epochs 8 --jobs 2 tune.search.dropout='[0, 0.3]'",
        "vision tune --range-only",
        "vision tune --resume --apply",
    ),
)
def tune(
    context: typer.Context,
    trials: Annotated[
        int | None, typer.Option("--trials", min=1, max=10_000, help="In all, beside the file's own settings.")
    ] = None,
    time: Annotated[
        str | None, typer.Option("--time", metavar="30m", help="About what this call may take; alone, all that fit.")
    ] = None,
    epochs: Annotated[int | None, typer.Option("--epochs", min=1, help="Of a trial's training.")] = None,
    search: Annotated[
        str | None, typer.Option("--search", metavar="NAME,...", help="Settings to search: learning_rate, dropout ...")
    ] = None,
    pruner: Annotated[Pruning | None, typer.Option("--pruner", help="What ends hopeless trials early.")] = None,
    confirm: Annotated[
        int | None, typer.Option("--confirm", min=0, max=20, help="Trainings of the best with other seeds.")
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Another seed tries other settings.")] = None,
    jobs: Annotated[
        int, typer.Option("--jobs", "-j", min=1, max=256, help="Trials at a time; the order is not fixed then.")
    ] = 1,
    on: Annotated[Where, typer.Option("--on", help="ray: the machines of a Ray cluster.")] = Where.HERE,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the last search, killed or done.")] = False,
    apply: Annotated[bool, typer.Option("--apply", help="Write the settings into vision.yaml.")] = False,
    range_only: Annotated[bool, typer.Option("--range-only", help="Only the learning-rate range test.")] = False,
) -> None:
    """Test the learning rate's range, then search settings by their score on the validation photos."""
    session = Session.of(context)
    seconds = _seconds(time)
    project = session.project()
    from vision_cli.cli.render import tune as render
    from vision_cli.stages.tuning.request import TuneRequest
    from vision_cli.stages.tuning.tune import tune as run

    names = tuple(name.strip() for name in (search or "").split(",") if name.strip())
    request = TuneRequest(
        project,
        trials=trials,
        seconds=seconds,
        epochs=epochs,
        confirm=confirm,
        pruner=None if pruner is None else pruner.value,
        search=names,
        seed=seed,
        jobs=jobs,
        on=on.value,
        resume=resume,
        apply=apply,
        range_only=range_only,
        offline=session.offline,
        dry_run=session.dry_run,
    )
    session.answer(run(request, session.progress), render.draw)


def _seconds(text: str | None) -> float | None:
    """Return the seconds of --time.

    Raises:
        UsageError: it is no time.
    """
    if text is None:
        return None
    from vision_cli.core.errors import UsageError
    from vision_cli.core.search_config import seconds_of

    try:
        return seconds_of(text)
    except ValueError as error:
        raise UsageError(f"--time: {error}.", hint="Such as --time 30m.") from error
