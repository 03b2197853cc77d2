"""`vision data gold score`."""

from __future__ import annotations

from typing import Annotated

import typer

from vision_cli.cli.command import Command, examples, group
from vision_cli.cli.session import Session

app = group("score", "Accept or reject a delivery of labels.")

_BOUND = "Such as 'f1>0.95', 'recall[car]>=0.9', 'label_accuracy>0.98', coverage.min=1; may repeat."


@app.command(
    cls=Command,
    epilog=examples(
        "vision data gold score delivery/ --gold checked --bound 'f1>0.95'",
        "vision data gold score acme=a/ globex=b/ --iou 0.75 --bound 'precision>0.9' --confidence 0.95 --json",
    ),
)
def score(
    context: typer.Context,
    deliveries: Annotated[list[str], typer.Argument(metavar="DELIVERY...", help="Paths; NAME=PATH for a supplier.")],
    gold: Annotated[
        str | None, typer.Option("--gold", metavar="VIEW|PATH", help="Labels that are right; data.gold.")
    ] = None,
    bound: Annotated[list[str] | None, typer.Option("--bound", metavar="BOUND", help=_BOUND)] = None,
    confidence: Annotated[
        float | None,
        typer.Option("--confidence", help="Reject what is undecided: a bound inside this interval, such as 0.95."),
    ] = None,
    iou: Annotated[float, typer.Option("--iou", help="Smallest overlap of the same object.")] = 0.5,
    source_format: Annotated[
        str | None, typer.Option("--from", metavar="FORMAT", help="Of the deliveries; found by itself.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the intervals.")] = 0,
) -> None:
    """Measure deliveries and their annotators against gold; exit code 4 when a delivery breaks a bound."""
    session = Session.of(context)
    from vision_cli.cli.render import gold as render
    from vision_cli.stages.labelling.gold import GoldRequest, score

    request = GoldRequest(
        session.project(), tuple(deliveries), gold, source_format, iou, tuple(bound or ()), confidence, seed
    )
    result = score(request)
    session.answer(result, render.scored, ok=result.ok)
