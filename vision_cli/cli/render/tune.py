"""Draws what came of `vision tune`."""

from __future__ import annotations

from vision_cli.cli.paper import Paper
from vision_cli.cli.text import duration, number, place
from vision_cli.stages.searching.trial import searched
from vision_cli.stages.tuning.request import TuneResult
from vision_cli.stages.tuning.telling import range_said, text

_SHOWN = 8


def draw(result: TuneResult, paper: Paper) -> None:
    """Draw the range test, the best trials, the verdict, and what to change."""
    if result.run is None:
        _draw_plan(result, paper)
        return
    if result.range_test is not None:
        paper.line(f"learning-rate range test: {range_said(result.range_test)}")
        paper.line(f"its plot: {place(result.range_test.plot)}")
    if result.trials:
        _draw_trials(result, paper)
    if result.importance:
        shares = ", ".join(f"{key.rpartition('.')[2]} {share:.0%}" for key, share in result.importance.items())
        paper.line(f"what matters: {shares}")
    if result.found is not None:
        paper.line(result.found.said, style="bold")
    for each in result.notes:
        paper.line(f"note: {each}")
    _draw_diff(result, paper)
    if result.open:
        paper.line(result.open)
    if result.page is not None:
        paper.line(f"report: {place(result.page)}")
    paper.outcome(_outcome(result))


def _draw_plan(result: TuneResult, paper: Paper) -> None:
    paper.line(f"judged on {result.validation} validation photos, by {result.metric} of {result.task}")
    paper.table(("searched", "from"), list(result.searched.items()))
    paper.outcome(f"would try {result.wanted:,} settings beside those of the project file")


def _draw_trials(result: TuneResult, paper: Paper) -> None:
    tried = searched(result.trials)
    sign = -1 if result.up else 1
    done = sorted((each for each in tried if each.score is not None), key=lambda each: sign * (each.score or 0.0))
    names = [key.rpartition(".")[2] for key in result.searched]
    rows = [
        (
            str(each.number),
            number(each.score),
            duration(each.seconds),
            *(text(each.settings.get(key)) if each.settings else "" for key in result.searched),
        )
        for each in done[:_SHOWN]
    ]
    paper.table(("trial", result.metric, "took", *names), rows, right=(0, 1, 2))
    more = len(done) - _SHOWN
    early = sum(each.state == "hopeless" for each in tried)
    failed = sum(each.state == "failed" for each in tried)
    told = [(more, f"and {more} more"), (early, f"{early} ended early"), (failed, f"{failed} failed")]
    paper.line("; ".join(["trial 0 is as the project file says", *(words for count, words in told if count > 0)]))


def _draw_diff(result: TuneResult, paper: Paper) -> None:
    if not result.diff:
        return
    paper.line()
    paper.raw(result.diff)
    if result.applied:
        paper.line("vision.yaml has it now.")
    elif result.diff_file is not None:
        paper.line(f"to take it: vision tune --resume --apply, or patch -p1 < {place(result.diff_file)}")


def _outcome(result: TuneResult) -> str:
    found = result.found
    if found is None:
        return f"run: {place(result.run)}" if result.run is not None else ""
    if found.best is None or not result.settings:
        return f"{len(searched(result.trials))} trials; nothing to change"
    settings = ", ".join(f"{key} {text(value)}" for key, value in result.settings.items())
    return f"trial {found.best.number}, {result.metric} {number(found.best.score)}: {settings}"
