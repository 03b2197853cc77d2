"""`vision models bench`."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from vision_cli.cli import completion
from vision_cli.cli.command import WritingCommand, examples, group
from vision_cli.cli.session import Session

app = group("bench", "Measure candidates on your own data and machine.")


@app.command(
    cls=WritingCommand,
    epilog=examples(
        "vision models bench tf_efficientnet_lite0 mobilenetv3_large_100.ra_in1k",
        "vision models bench tf_efficientnet_lite0 --data evenings --kpi 'top1>0.8' --kpi 'latency_ms<30 @ onnx'",
        "vision models bench runs/train/latest exports/shop.tflite --runtime torch --runtime tflite",
    ),
)
def bench(
    context: typer.Context,
    models: Annotated[
        list[str],
        typer.Argument(metavar="MODEL...", help="Names of `vision models list`, runs, model folders or files."),
    ],
    data: Annotated[
        str | None,
        typer.Option("--data", metavar="VIEW", help="A view, or a data set's path; the project's train.view."),
    ] = None,
    split: Annotated[
        str,
        typer.Option(
            "--split",
            metavar="SPLIT",
            help="That is judged: train, val, test or all.",
            autocompletion=completion.values_of("eval.split"),
        ),
    ] = "val",
    kpi: Annotated[
        list[str],
        typer.Option("--kpi", metavar="KPI", help="Judge this instead of the project's KPIs; may be repeated."),
    ] = [],
    metric: Annotated[
        str | None, typer.Option("--metric", metavar="METRIC", help="Of quality; the first KPI's, or the task's first.")
    ] = None,
    runtime: Annotated[
        list[str],
        typer.Option("--runtime", metavar="NAME", help="torch, onnx or tflite; may be repeated; all installed."),
    ] = [],
    cost: Annotated[
        Literal["latency", "size", "memory"], typer.Option("--cost", help="What the KPIs are to be met at least of.")
    ] = "latency",
    threads: Annotated[int | None, typer.Option("--threads", min=1, help="Of the runtimes; all cores.")] = None,
) -> None:
    """Measure how good, fast and large candidates are here, and which meets the KPIs at the least cost.

    A network learns your classes by a shallow classifier on its frozen features: seconds, not a training.
    """
    session = Session.of(context)
    from vision_cli.cli import shell_trap
    from vision_cli.cli.render import bench as render
    from vision_cli.stages.comparing.bench import BenchRequest, bench

    trap = shell_trap.read_kpis(tuple(kpi), session.output)
    asked = (tuple(models), data, split, trap.kpis, metric, tuple(runtime), cost, threads)
    request = BenchRequest(session.project(), *asked, session.offline, session.dry_run)
    result = bench(request, session.progress)
    session.answer(result, session.unless_quiet(render.draw, render.draw_brief), aside=trap.caught)
    trap.explain(session.progress)
