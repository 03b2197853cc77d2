"""`vision crossval` for people."""

from __future__ import annotations

from vision_cli.cli.paper import Paper
from vision_cli.cli.render.kpis import draw_kpis, draw_more, main_figures, span
from vision_cli.cli.text import number, place
from vision_cli.stages.crossvalidating.crossval import CrossvalResult


def draw(result: CrossvalResult, paper: Paper) -> None:
    """Draw the folds, the figures with their spread, and the verdicts."""
    sizes = sorted(set(result.sizes))
    each = f"{sizes[0]}" if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]}"
    rows: list[tuple[str, object]] = [
        ("task", result.task),
        ("photos", result.photos),
        ("folds", f"{len(result.sizes)} of {each} photos, {result.rule}, seed {result.seed}"),
    ]
    paper.pairs([*rows, *(("how" if index == 0 else "", line) for index, line in enumerate(result.how))])
    if result.figures:
        _figures(result, paper)
    draw_kpis(result.judgements, paper, photos="photos")
    for index, warning in enumerate(result.warnings):
        if index == 0:
            paper.line()
        paper.line(f"note: {warning}", style="yellow")
    if result.run is not None and result.predictions is not None:
        paper.line()
        paper.line(f"predictions: {place(result.predictions)}")
        paper.outcome(f"run: {place(result.run)}")


def draw_brief(result: CrossvalResult, paper: Paper) -> None:
    """Draw the KPIs if one is not met, and where the run lies."""
    if not result.passed:
        draw_kpis(result.judgements, paper, photos="photos")
    paper.line(f"run: {place(result.run)}" if result.run is not None else result.how[-1])


def _figures(result: CrossvalResult, paper: Paper) -> None:
    shown, left = main_figures({key: each.mean for key, each in result.figures.items()}, result.task, result.judgements)
    paper.heading(f"Each photo judged by a model that did not learn from it: {len(result.sizes)} folds")
    rows = []
    for key in shown:
        figure = result.figures[key]
        rows.append(
            (key, number(figure.mean), number(figure.deviation, 2), number(figure.value), span(figure.interval))
        )
    paper.table(("metric", "mean", "deviation", "together", "95 % interval"), rows, right=(1, 2, 3))
    draw_more(left, paper)
