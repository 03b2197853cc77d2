"""`vision eval`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vision_cli.cli import completion
from vision_cli.cli.command import WritingCommand, examples, group
from vision_cli.cli.session import Session
from vision_cli.core.errors import UsageError

if TYPE_CHECKING:
    from vision_cli.cli.shell_trap import ReadKpis
    from vision_cli.stages.evaluating.ratings import RatingsRequest
    from vision_cli.stages.evaluating.subject import EvalRequest

app = group("eval", "Measure a model and judge the KPIs")

Kpis = Annotated[
    list[str], typer.Option("--kpi", metavar="KPI", help="Judge this instead of the project's KPIs; may be repeated.")
]


@app.command(
    cls=WritingCommand,
    epilog=examples(
        "vision eval",
        "vision eval --kpi 'f1>0.98' --kpi 'top5_error<0.1'",
        "vision eval --kpi f1.min=0.98 --kpi latency_ms.p95.max=33",
        "vision eval --model exports/shop.tflite --json",
        "vision eval --ratings ratings.csv --kpi 'acceptance>0.8'",
        "vision eval --split val --dry-run",
    ),
)
def evaluate(
    context: typer.Context,
    model: Annotated[
        Path | None,
        typer.Option("--model", "-m", metavar="PATH", help="Run, model folder, .onnx or .tflite; the last training's."),
    ] = None,
    kpi: Kpis = [],  # noqa: B006  # typer copies it
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
        Path | None, typer.Option("--data", metavar="PATH", help="Judge on this data set instead of the project's.")
    ] = None,
    ratings: Annotated[
        Path | None, typer.Option("--ratings", metavar="CSV", help="Judge people's ratings instead of a model.")
    ] = None,
    threads: Annotated[int | None, typer.Option("--threads", min=1, help="Of the runtime; all cores.")] = None,
    crosscheck: Annotated[
        bool, typer.Option("--crosscheck", help="Run pycocotools beside the evaluator of objects; they must agree.")
    ] = False,
    junit: Annotated[Path | None, typer.Option("--junit", metavar="FILE", help="Also write JUnit XML.")] = None,
    markdown: Annotated[Path | None, typer.Option("--markdown", metavar="FILE", help="Also write Markdown.")] = None,
) -> None:
    """Measure a model on photos it has never seen; exit code 4 when a KPI is missed or none could be judged."""
    session = Session.of(context)
    from vision_cli.cli import shell_trap

    trap = shell_trap.read_kpis(tuple(kpi), session.output)
    if ratings is not None:
        if model or split or data or threads or crosscheck:
            hint = "Leave --model, --split, --data, --threads, --crosscheck."
            raise UsageError("--ratings judges people, not a model.", hint=hint)
        from vision_cli.stages.evaluating.ratings import RatingsRequest

        _judge_people(RatingsRequest(ratings, session.project(), trap.kpis, junit, markdown), session, trap)
    else:
        from vision_cli.stages.evaluating.subject import EvalRequest

        request = EvalRequest(
            session.project(), model, trap.kpis, split, data, threads, junit, markdown, crosscheck=crosscheck
        )
        _judge(request, session, trap)
    trap.explain(session.progress)


def _judge(request: EvalRequest, session: Session, trap: ReadKpis) -> None:
    from vision_cli.cli.render import eval as render

    if session.dry_run:
        from vision_cli.stages.evaluating.eval_plan import plan

        session.answer(plan(request), render.draw_plan, aside=trap.caught)
        return
    from vision_cli.stages.evaluating.evaluate import NOTHING_JUDGED, evaluate

    result = evaluate(request, session.progress)
    if result.nothing_judged:
        session.progress.warn(NOTHING_JUDGED)
    draw = session.unless_quiet(render.draw, render.draw_brief)
    session.answer(result, draw, ok=result.passed, aside=trap.caught)


def _judge_people(request: RatingsRequest, session: Session, trap: ReadKpis) -> None:
    from vision_cli.cli.render import eval as render
    from vision_cli.stages.evaluating.ratings import judge_ratings, plan_ratings

    if session.dry_run:
        session.answer(plan_ratings(request), render.draw_plan, aside=trap.caught)
        return
    result = judge_ratings(request, session.progress)
    session.answer(result, render.draw_ratings, ok=result.passed, aside=trap.caught)
