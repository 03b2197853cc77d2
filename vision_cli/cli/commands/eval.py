"""`vision eval`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vision_cli.cli import completion
from vision_cli.cli.command import WritingCommand, examples, group
from vision_cli.cli.session import Session
from vision_cli.core.errors import UsageError

if TYPE_CHECKING:
    from vision_cli.cli.shell_trap import ReadKpis
    from vision_cli.stages.evaluating.ratings import RatingsRequest
    from vision_cli.stages.evaluating.results_subject import ResultsRequest
    from vision_cli.stages.evaluating.subject import EvalRequest

app = group("eval", "Measure a model and judge the KPIs")

_MOST_SHOTS = 100_000
_LARGEST_SIGMA = 10.0
"""Of a keypoint, by the root of the object's area; COCO's largest is 0.107."""

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
        "vision eval --results results.json --data instances_val.json --kpi 'ap50>0.6' --crosscheck",
        "vision eval --results keypoints.json --data person_keypoints_val.json --kpi 'oks_ap>0.5'",
        "vision eval --ratings ratings.csv --kpi 'acceptance>0.8'",
        "vision eval --split val --dry-run",
        "vision eval --shots 1,5,10,20 --head logistic --head svm",
    ),
)
def evaluate(
    context: typer.Context,
    model: Annotated[
        Path | None,
        typer.Option("--model", "-m", metavar="PATH", help="Run, model folder, .onnx or .tflite; the last training's."),
    ] = None,
    kpi: Kpis = [],
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
    results: Annotated[
        Path | None,
        typer.Option("--results", metavar="JSON", help="Judge another tool's list of COCO results instead of a model."),
    ] = None,
    confidence: Annotated[
        float | None,
        typer.Option(
            "--confidence",
            metavar="SCORE",
            min=0,
            max=1,
            help="Of --results: from which score on they count for precision, recall, F1 and counts; 0.5.",
        ),
    ] = None,
    sigmas: Annotated[
        str | None,
        typer.Option(
            "--sigmas",
            metavar="N,N,...",
            help="Of --results: deviation of each keypoint by the root of the object's area; COCO's 17.",
        ),
    ] = None,
    threads: Annotated[int | None, typer.Option("--threads", min=1, help="Of the runtime; all cores.")] = None,
    crosscheck: Annotated[
        bool, typer.Option("--crosscheck", help="Run pycocotools beside the evaluator of objects; they must agree.")
    ] = False,
    junit: Annotated[Path | None, typer.Option("--junit", metavar="FILE", help="Also write JUnit XML.")] = None,
    markdown: Annotated[Path | None, typer.Option("--markdown", metavar="FILE", help="Also write Markdown.")] = None,
    shots: Annotated[
        str | None,
        typer.Option("--shots", metavar="K,K,...", help="Try classes learned from so many photos each, not a model."),
    ] = None,
    draws: Annotated[
        int | None, typer.Option("--draws", min=1, metavar="N", help="Of --shots: draws of the photos; 5.")
    ] = None,
    backbone: Annotated[
        list[str], typer.Option("--backbone", metavar="NAME", help="Of --shots: what describes photos; may repeat.")
    ] = [],
    head: Annotated[
        list[str],
        typer.Option("--head", metavar="HEAD", help="Of --shots: logistic, svm, nearest-mean; all. May repeat."),
    ] = [],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Of --shots: write the curves as HTML.")
    ] = None,
) -> None:
    """Measure a model or another tool's results on unseen photos; exit code 4 when a KPI is missed or none judged."""
    session = Session.of(context)
    from vision_cli.cli import shell_trap

    trap = shell_trap.read_kpis(tuple(kpi), session.output)
    if shots is not None:
        given = (model, kpi, ratings, results, confidence, sigmas, junit, markdown, crosscheck or None)
        if any(each for each in given):
            hint = "Leave --model, --kpi, --ratings, --results, --confidence, --junit, --markdown, --crosscheck."
            raise UsageError("--shots learns classes anew and judges no model.", hint=hint)
        how = (tuple(backbone), tuple(head), data, split, output, session.offline, threads, session.dry_run)
        _try_shots((_counts(shots), draws, how), session)
        return
    if draws is not None or backbone or head or output is not None:
        raise UsageError("--draws, --backbone, --head and --output are for --shots.", hint="Add --shots 1,5,10,20.")
    if results is None and (confidence is not None or sigmas is not None):
        name = "--confidence" if confidence is not None else "--sigmas"
        hint = "A model counts from its own confidence on, which its training chose on validation photos."
        raise UsageError(f"{name}: is for --results.", hint=hint if confidence is not None else "Leave it out.")
    if ratings is not None:
        if model or split or data or threads or crosscheck or results:
            hint = "Leave --model, --results, --split, --data, --threads, --crosscheck."
            raise UsageError("--ratings judges people, not a model.", hint=hint)
        from vision_cli.stages.evaluating.ratings import RatingsRequest

        _judge_people(RatingsRequest(ratings, session.project(), trap.kpis, junit, markdown), session, trap)
    elif results is not None:
        if model or threads:
            raise UsageError("--results judges a file, and no model runs.", hint="Leave --model, --threads.")
        from vision_cli.stages.evaluating.results_subject import ResultsRequest

        asked = (trap.kpis, split, data, junit, markdown, crosscheck, confidence, _numbers(sigmas))
        _judge_results(ResultsRequest(results, session.project(), *asked), session, trap)
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


def _try_shots(asked: tuple[tuple[int, ...], int | None, tuple[Any, ...]], session: Session) -> None:
    from vision_cli.cli.render import shots as render
    from vision_cli.stages.few_shot.shots import DRAWS, ShotsRequest, try_shots

    numbers, draws, how = asked
    result = try_shots(ShotsRequest(session.project(), numbers, draws or DRAWS, *how), session.progress)
    session.answer(result, session.unless_quiet(render.draw, render.draw_brief))


def _counts(text: str) -> tuple[int, ...]:
    """Return the numbers of `--shots`.

    Raises:
        UsageError: they are no whole numbers of at least 1.
    """
    words = [each.strip() for each in text.split(",")]
    if not all(word.isascii() and word.isdecimal() and 0 < int(word) <= _MOST_SHOTS for word in words):
        raise UsageError(
            f"--shots {text}: are no numbers of photos.", hint="Whole numbers from 1 on: --shots 1,5,10,20"
        )
    return tuple(sorted({int(word) for word in words}))


def _numbers(text: str | None) -> tuple[float, ...]:
    """Return the deviations of `--sigmas`, above 0; none where it is not given.

    Raises:
        UsageError: they are no such numbers.
    """
    try:
        found = tuple(float(each) for each in text.split(",")) if text is not None else ()
    except ValueError:
        found = (0.0,)
    if not all(0 < each <= _LARGEST_SIGMA for each in found):
        hint = f"One number above 0 and up to {_LARGEST_SIGMA:g} for each keypoint, such as 0.026,0.025,0.025."
        raise UsageError(f"--sigmas {text}: are no deviations.", hint=hint)
    return found


def _judge_results(request: ResultsRequest, session: Session, trap: ReadKpis) -> None:
    from vision_cli.cli.render import eval as render
    from vision_cli.stages.evaluating.results import judge_results, plan_results

    if session.dry_run:
        session.answer(plan_results(request), render.draw_plan, aside=trap.caught)
        return
    result = judge_results(request, session.progress)
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
