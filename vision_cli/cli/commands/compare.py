"""`vision compare`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from vision_cli.cli import completion
from vision_cli.cli.command import WritingCommand, examples, group
from vision_cli.cli.session import Session

app = group("compare", "Tell which of several models is really better")


@app.command(
    cls=WritingCommand,
    epilog=examples(
        "vision compare runs/train/20261122-100000-shop runs/train/20261122-110000-shop",
        "vision compare runs/eval/20261122-120000-shop-torch runs/eval/20261122-121500-shop-tflite",
        "vision compare exports/shop.onnx exports/shop.tflite --metric f1 --json",
        "vision compare runs/train/latest runs/train/20261120-090000-shop --cost size",
    ),
)
def compare(
    context: typer.Context,
    runs: Annotated[
        list[Path], typer.Argument(metavar="RUN...", help="Runs of train or eval, model folders, .onnx, .tflite files.")
    ],
    kpi: Annotated[
        list[str],
        typer.Option("--kpi", metavar="KPI", help="Judge this instead of the project's KPIs; may be repeated."),
    ] = [],
    metric: Annotated[
        str | None,
        typer.Option("--metric", metavar="METRIC", help="That decides; the first KPI's, or the task's first."),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(
            "--split",
            metavar="SPLIT",
            help="train, val, test or all; the project's eval.split.",
            autocompletion=completion.values_of("eval.split"),
        ),
    ] = None,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="PATH", help="Compare on this data set instead of the project's.")
    ] = None,
    cost: Annotated[
        Literal["latency", "size", "memory"], typer.Option("--cost", help="What the KPIs are to be met at least of.")
    ] = "latency",
    confidence: Annotated[
        float, typer.Option("--confidence", metavar="SHARE", min=0.5, max=0.999, help="Of all answers together.")
    ] = 0.95,
    threads: Annotated[int | None, typer.Option("--threads", min=1, help="Of the runtime; all cores.")] = None,
) -> None:
    """Judge models on one test set, photo by photo: is A better than B: yes, no, or not enough evidence?"""
    session = Session.of(context)
    from vision_cli.cli import shell_trap
    from vision_cli.cli.render import compare as render
    from vision_cli.stages.comparing.compare import CompareRequest, compare

    trap = shell_trap.read_kpis(tuple(kpi), session.output)
    request = CompareRequest(
        session.project(), tuple(runs), trap.kpis, metric, split, data, cost, confidence, threads, session.dry_run
    )
    result = compare(request, session.progress)
    session.answer(result, session.unless_quiet(render.draw, render.draw_brief), aside=trap.caught)
    trap.explain(session.progress)
